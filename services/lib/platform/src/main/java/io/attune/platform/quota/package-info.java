/** What a tenant may have at once, and in a minute. */
package io.attune.platform.quota;
