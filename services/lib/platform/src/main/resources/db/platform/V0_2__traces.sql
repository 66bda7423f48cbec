-- The W3C traceparent of whoever decided on the event; null outside of any trace.
ALTER TABLE outbox ADD COLUMN traceparent text;
