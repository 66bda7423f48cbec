/** What the services share. Holds no domain of its own; see README.md for the reading order. */
package io.attune.platform;
