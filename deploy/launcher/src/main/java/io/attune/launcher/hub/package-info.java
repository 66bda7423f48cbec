/**
 * Downloads models from the Hugging Face hub or a mirror of it.
 *
 * <p>The server is not trusted: what it sends is bounded, checked against the digests it announced,
 * and written nowhere but below the folder asked for. A redirect never carries the token to another
 * host, nor leads into a private network.
 */
package io.attune.launcher.hub;
