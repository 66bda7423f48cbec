-- Which reward models score a round. Null in rounds that began before any was released, and for the
-- second where none is held out.
alter table rollout_round add column reward_version bigint;
alter table rollout_round add column held_out_version bigint;

-- How many of `ratings` the reward model has been refreshed with since the last round.
alter table trigger_count add column refreshed bigint not null default 0;

-- What people say of the answers of a policy line's versions: scores, and thumbs as 1 and 0.
create table live_rating (
  line          text        not null,
  version       bigint      not null,              -- 0 is the base model
  rating_id     text        not null,
  voice         text        not null,              -- the rater, or for one unnamed the conversation
  value         float8      not null,
  accepted_time timestamptz not null,
  primary key (line, version, rating_id)
);
create index live_rating_time on live_rating (accepted_time);

-- Releases that live ratings may roll back: one row for each version that was released.
create table release_watch (
  line             text        not null references adapter_line (line),
  version          bigint      not null,
  previous_version bigint      not null,           -- active before it; 0 is the base model
  release_time     timestamptz not null,
  state            text        not null,           -- WATCHING, LEFT, ESTABLISHED or ROLLED_BACK
  ratings          bigint      not null default 0, -- of the version, since its release
  looks            int         not null default 0, -- comparisons made
  next_look        bigint      not null,           -- ratings at which the next one is due
  decision         jsonb,                          -- GateDecision, what the last comparison said
  primary key (line, version)
);
create unique index release_watch_of_line on release_watch (line) where state = 'WATCHING';
