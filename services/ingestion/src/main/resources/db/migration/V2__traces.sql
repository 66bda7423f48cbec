-- The W3C traceparent with which the rating came, which its outcome continues; null outside of any.
ALTER TABLE pending_ratings ADD COLUMN traceparent text;
