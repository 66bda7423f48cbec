/** Who calls, what they may do, and tokens for calls between services. */
package io.attune.platform.identity;
