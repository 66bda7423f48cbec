/** The answers that ratings name, and the ratings that came before their answers. */
package io.attune.ingestion.generation;
