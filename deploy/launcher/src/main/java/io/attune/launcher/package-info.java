/** The attune command: the whole platform on one machine, and the offline commands. */
package io.attune.launcher;
