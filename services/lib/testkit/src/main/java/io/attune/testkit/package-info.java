/** Real infrastructure and shared checks for tests. Never on a main class path. */
package io.attune.testkit;
