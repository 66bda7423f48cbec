/**
 * The process of one job: it reads a snapshot, derives rows, trains, examines and ends.
 *
 * <p>This is the only package that calls the engine. It knows no database, broker or identity: it
 * reads {@code job.json} and files, writes its results into the job's folder, and tells its parent
 * of its progress on standard output.
 */
package io.attune.training.worker;
