-- Events that a transaction has decided on and that the relay has still to send, in order of id.
CREATE TABLE outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    text        NOT NULL,
    topic       text        NOT NULL,
    event_key   text        NOT NULL,
    event_type  text        NOT NULL,
    event_time  timestamptz NOT NULL,
    error_code  text,
    value       bytea       NOT NULL
);

-- How far each consumer has come: the next offset, advanced in the transaction of the effects.
CREATE TABLE inbox (
    consumer    text   NOT NULL,
    topic       text   NOT NULL,
    partition   int    NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (consumer, topic, partition)
);
