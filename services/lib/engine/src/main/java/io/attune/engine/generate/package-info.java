/** How the next token is chosen, and when a text ends. */
package io.attune.engine.generate;
