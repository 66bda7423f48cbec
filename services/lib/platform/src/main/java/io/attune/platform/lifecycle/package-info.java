/** Ends a child process with its parent. */
package io.attune.platform.lifecycle;
