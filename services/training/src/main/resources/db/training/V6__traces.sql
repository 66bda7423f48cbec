-- W3C's traceparent: of what asked for the job, which all that the job does continues; and of the
-- newest rating that counts, which a round continues that it starts. Null outside of any trace.
alter table training_job add column traceparent text;
alter table trigger_count add column traceparent text;
