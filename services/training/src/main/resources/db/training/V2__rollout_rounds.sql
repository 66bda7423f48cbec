-- A job that learns online makes a version of its rollout line in every round, beside the candidate.
alter table adapter drop constraint adapter_job_id_key;
create index adapter_job on adapter (job_id);

-- The rounds of jobs that learn online, and the version that each began with.
create table rollout_round (
  job_id  uuid   not null references training_job (id) on delete cascade,
  round   int    not null,
  version bigint not null,                          -- of the job's rollout line
  primary key (job_id, round)
);

-- The chunks of prompts that a round has asked serving and reward for.
create table rollout_chunk (
  job_id         uuid        not null,
  round          int         not null,
  chunk          int         not null,
  attempt        int         not null,
  request        bytea       not null,              -- io.attune.training.v1.RolloutRequested
  requested_time timestamptz not null,
  scored         bytea,                             -- io.attune.training.v1.RolloutScored
  reward_version bigint,                            -- of the reward line, which scored
  failure        text,
  failure_code   text,
  primary key (job_id, round, chunk),
  foreign key (job_id, round) references rollout_round (job_id, round) on delete cascade
);
