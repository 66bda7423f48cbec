/** One list of errors for HTTP, gRPC and rejected records. */
package io.attune.platform.error;
