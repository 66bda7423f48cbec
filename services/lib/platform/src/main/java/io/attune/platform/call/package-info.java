/** The end of a gRPC call that its caller no longer waits for. */
package io.attune.platform.call;
