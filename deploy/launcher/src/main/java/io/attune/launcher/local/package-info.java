/**
 * The platform on this machine: issuer, PostgreSQL, Kafka, the four services. Invariants:
 * everything listens on loopback, everything ends when the launcher ends (kill -9 of it too), and
 * one data folder belongs to one launcher at a time.
 */
package io.attune.launcher.local;
