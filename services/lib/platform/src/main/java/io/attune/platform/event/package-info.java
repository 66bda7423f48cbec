/** Events on Kafka: CloudEvents in binary mode, outbox and inbox for exactly-once effect. */
package io.attune.platform.event;
