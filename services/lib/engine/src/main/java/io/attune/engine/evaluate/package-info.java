/** What a trained model does on rows that it was not trained on. */
package io.attune.engine.evaluate;
