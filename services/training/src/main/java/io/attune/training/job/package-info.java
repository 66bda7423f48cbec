/**
 * Training jobs as resources: states, storage, changes and their events.
 *
 * <p>Nothing here knows how a job is carried out.
 */
package io.attune.training.job;
