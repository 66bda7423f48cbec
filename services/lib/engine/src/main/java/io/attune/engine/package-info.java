/**
 * The engine's public face: the types that services and the command line use.
 *
 * <p>Everything below this package is plain Java over DJL. Nothing here knows Quarkus, Kafka, gRPC
 * or generated types.
 */
package io.attune.engine;
