/** From a question to an answer: which version writes it, when its turn comes, and what it was. */
package io.attune.serving.generate;
