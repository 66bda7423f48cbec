package io.attune.engine.token;

/** Token ids, and for each whether it is marked. */
@SuppressWarnings("ArrayRecordComponent") // handed over, never kept
public record MarkedTokens(int[] ids, boolean[] marked) {}
