-- Events that were counted. Their sender sends again what it does not know to have arrived, under the
-- same id.
create table counted_event (
  event_id     text collate "C" primary key,
  counted_time timestamptz not null
);
create index counted_event_time on counted_event (counted_time);
