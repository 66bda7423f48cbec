package io.attune.launcher.quickstart;

/** A question and one possible reply to it. */
public record Dialogue(Question question, String reply) {}
