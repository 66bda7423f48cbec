-- Each row is one tenant's: ids that two tenants choose alike are two things.
ALTER TABLE pending_generations
    DROP CONSTRAINT pending_generations_pkey,
    DROP CONSTRAINT pending_generations_rating_id_fkey;
ALTER TABLE pending_ratings
    DROP CONSTRAINT pending_ratings_rating_id_fkey,
    DROP CONSTRAINT pending_ratings_pkey;
ALTER TABLE ratings DROP CONSTRAINT ratings_pkey;
ALTER TABLE generations DROP CONSTRAINT generations_pkey;
ALTER TABLE outcome_counts DROP CONSTRAINT outcome_counts_pkey;
ALTER TABLE snapshots DROP CONSTRAINT snapshots_pkey;

SELECT fence_tenants('ratings');
SELECT fence_tenants('generations');
SELECT fence_tenants('pending_ratings');
SELECT fence_tenants('pending_generations');
SELECT fence_tenants('outcome_counts');
SELECT fence_tenants('snapshots');

-- Ids come first, so that an id alone finds its row.
ALTER TABLE ratings ADD PRIMARY KEY (rating_id, tenant);
ALTER TABLE generations ADD PRIMARY KEY (generation_id, tenant);
ALTER TABLE pending_ratings
    ADD PRIMARY KEY (rating_id, tenant),
    ADD FOREIGN KEY (rating_id, tenant) REFERENCES ratings (rating_id, tenant) ON DELETE CASCADE;
ALTER TABLE pending_generations
    ADD PRIMARY KEY (generation_id, rating_id, tenant),
    ADD FOREIGN KEY (rating_id, tenant)
        REFERENCES pending_ratings (rating_id, tenant) ON DELETE CASCADE;
ALTER TABLE outcome_counts ADD PRIMARY KEY (outcome, dataset, shard, tenant);
ALTER TABLE snapshots ADD PRIMARY KEY (id, tenant);

-- A snapshot reads one tenant's data set in the order of the ids.
CREATE INDEX ratings_of_dataset ON ratings (tenant, dataset, rating_id);
DROP INDEX snapshots_by_dataset;
CREATE INDEX snapshots_by_dataset ON snapshots (tenant, dataset, cut_time DESC);
