/** A disk that fails where a test says, and that shows what a loss of power would leave. */
package io.attune.testkit.disk;
