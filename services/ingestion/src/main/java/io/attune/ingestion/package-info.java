/**
 * Takes ratings, joins them to the answers that they rate, and cuts data set snapshots.
 *
 * <p>Invariant: a rating counts once, whatever is sent again, killed or restarted. It does not
 * judge ratings beyond their form, and it does not train.
 */
package io.attune.ingestion;
