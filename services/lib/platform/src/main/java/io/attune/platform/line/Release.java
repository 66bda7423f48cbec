package io.attune.platform.line;

import io.attune.common.v1.Artifact;

/**
 * A version and where it lies.
 *
 * @param artifact the adapter's folder in object storage
 * @param contractSha256 the tokenizer contract that it was trained with; empty where the sender
 *     does not know it, in which case the folder's own attune.json is what is checked
 */
public record Release(LineVersion version, Artifact artifact, String contractSha256) {}
