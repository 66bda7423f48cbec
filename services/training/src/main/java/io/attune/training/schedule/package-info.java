/** Carries jobs out: gives them places, runs their processes, brings candidates to the gate. */
package io.attune.training.schedule;
