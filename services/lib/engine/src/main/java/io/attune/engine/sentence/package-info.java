/**
 * From an encoder's hidden states to one vector a text, as the {@code modules.json} of
 * sentence-transformers (Reimers and Gurevych, arXiv 1908.10084) says.
 */
package io.attune.engine.sentence;
