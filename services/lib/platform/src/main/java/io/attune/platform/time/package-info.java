/** The clock and the ids, as beans, so that tests can set them. */
package io.attune.platform.time;
