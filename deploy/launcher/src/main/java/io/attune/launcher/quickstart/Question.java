package io.attune.launcher.quickstart;

/**
 * A customer's question.
 *
 * @param topic what it is about, as the grammar names it, for example "late-parcel"
 * @param thing the word for the thing asked about, for example "kettle"
 * @param problem whether something went wrong for the customer, so that an apology is due
 * @param text the question as the customer writes it
 */
public record Question(String topic, String thing, boolean problem, String text) {}
