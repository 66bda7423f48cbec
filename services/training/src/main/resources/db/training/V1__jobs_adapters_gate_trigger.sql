-- Jobs. `body` is io.attune.training.v1.TrainingJob in protobuf's JSON; what is asked for in SQL has
-- columns of its own.
create table training_job (
  id             uuid        primary key,          -- version 7: sorts by time of creation
  request_id     text        not null,
  created_by     text        not null,
  line           text        not null,
  state          text        not null,
  after_job_id   uuid        references training_job (id),
  parent_version bigint      not null default 0,   -- what training starts from; 0 is the base model
  revision       bigint      not null,             -- counts the changes, progress included
  update_time    timestamptz not null,
  body           jsonb       not null,
  exam           jsonb,                            -- a reward job's scores of the held-out pairs
  unique (created_by, request_id)
);
create index training_job_open on training_job (id)
  where state in ('STATE_QUEUED', 'STATE_TRAINING', 'STATE_EVALUATING');
create index training_job_by_line on training_job (line, id desc);

-- Which ratings became rows of a job.
create table training_job_rating (
  job_id    uuid   not null references training_job (id) on delete cascade,
  ordinal   bigint not null,
  rating_id text   not null,
  primary key (job_id, ordinal)
);
create index training_job_rating_id on training_job_rating (rating_id);

-- Adapter lines. `revision` counts the changes of the line, and is what compare-and-set compares.
create table adapter_line (
  line           text   primary key,
  kind           text   not null,
  last_version   bigint not null default 0,
  active_version bigint not null default 0,
  revision       bigint not null default 0
);

-- Adapters. `body` is io.attune.training.v1.Adapter in protobuf's JSON.
create table adapter (
  line           text        not null references adapter_line (line),
  version        bigint      not null,
  job_id         uuid        not null unique references training_job (id),
  parent_version bigint      not null,
  body           jsonb       not null,
  release_time   timestamptz,                      -- when it was released first
  primary key (line, version)
);

-- The chunks of held-out prompts that a policy's gate has asked serving and reward for.
create table gate_rollout (
  job_id         uuid        not null references training_job (id) on delete cascade,
  arm            text        not null,             -- candidate or active
  chunk          int         not null,
  attempt        int         not null,
  request        bytea       not null,             -- io.attune.training.v1.RolloutRequested
  requested_time timestamptz not null,
  scores         float8[],
  reward_version bigint,
  failure        text,
  failure_code   text,
  primary key (job_id, arm, chunk)
);

-- Ratings of a data set that were accepted since its last round.
create table trigger_count (
  dataset text        primary key,
  ratings bigint      not null,
  since   timestamptz not null
);

-- The rounds that triggers have started: a reward job, and a policy job after it.
create table training_round (
  reward_job_id uuid        primary key references training_job (id),
  policy_job_id uuid        not null references training_job (id),
  line          text        not null,
  ratings       bigint      not null,
  create_time   timestamptz not null
);
