-- Each row is one tenant's: lines and data sets of the same name in two tenants are two.
alter table release_watch
  drop constraint release_watch_line_fkey,
  drop constraint release_watch_pkey;
drop index release_watch_of_line;
alter table adapter
  drop constraint adapter_line_fkey,
  drop constraint adapter_pkey;
alter table adapter_line drop constraint adapter_line_pkey;
alter table training_job drop constraint training_job_created_by_request_id_key;
alter table trigger_count drop constraint trigger_count_pkey;
alter table live_rating drop constraint live_rating_pkey;
alter table counted_event drop constraint counted_event_pkey;

select fence_tenants('training_job');
select fence_tenants('training_job_rating');
select fence_tenants('adapter_line');
select fence_tenants('adapter');
select fence_tenants('gate_rollout');
select fence_tenants('trigger_count');
select fence_tenants('training_round');
select fence_tenants('rollout_round');
select fence_tenants('rollout_chunk');
select fence_tenants('live_rating');
select fence_tenants('release_watch');
select fence_tenants('counted_event');

-- Names come first, so that a name alone finds its rows. Ids of jobs are unique by themselves.
alter table training_job add unique (created_by, request_id, tenant);
alter table adapter_line add primary key (line, tenant);
alter table adapter
  add primary key (line, version, tenant),
  add foreign key (line, tenant) references adapter_line (line, tenant);
alter table trigger_count add primary key (dataset, tenant);
alter table live_rating add primary key (line, version, rating_id, tenant);
alter table release_watch
  add primary key (line, version, tenant),
  add foreign key (line, tenant) references adapter_line (line, tenant);
create unique index release_watch_of_line on release_watch (line, tenant) where state = 'WATCHING';
alter table counted_event add primary key (event_id, tenant);
