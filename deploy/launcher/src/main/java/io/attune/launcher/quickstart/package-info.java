/**
 * What the bundled base model is made from: the grammar of a shop's support talk, the corpus drawn
 * from it, and the tokenizer learnt on that corpus. Everything follows from a seed.
 */
package io.attune.launcher.quickstart;
