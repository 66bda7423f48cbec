-- Every rating that was taken, once. Its bytes never change after it is accepted.
CREATE TABLE ratings (
    rating_id     text COLLATE "C" PRIMARY KEY,
    dataset       text        NOT NULL,
    state         text        NOT NULL CHECK (state IN ('ACCEPTED', 'PENDING')),
    -- attune.feedback.v1.RatingAccepted, or the bare Rating while it is pending.
    value         bytea       NOT NULL,
    received_time timestamptz NOT NULL
);

-- What ratings can name: the answers that serving gave.
CREATE TABLE generations (
    generation_id   text COLLATE "C" PRIMARY KEY,
    conversation_id text        NOT NULL,
    -- attune.feedback.v1.RatedAnswer
    answer          bytea       NOT NULL,
    completed_time  timestamptz NOT NULL
);

-- Ratings that came before their generations.
CREATE TABLE pending_ratings (
    rating_id     text COLLATE "C" PRIMARY KEY REFERENCES ratings ON DELETE CASCADE,
    deadline      timestamptz NOT NULL,
    record_key    text        NOT NULL,
    payload       bytea       NOT NULL,
    source        text        NOT NULL,
    partition     int         NOT NULL,
    record_offset bigint      NOT NULL
);
CREATE INDEX pending_ratings_by_deadline ON pending_ratings (deadline);

CREATE TABLE pending_generations (
    generation_id text COLLATE "C" NOT NULL,
    rating_id     text COLLATE "C" NOT NULL REFERENCES pending_ratings ON DELETE CASCADE,
    PRIMARY KEY (generation_id, rating_id)
);
CREATE INDEX pending_generations_by_rating ON pending_generations (rating_id);

-- How often each outcome came. Shards keep writers from waiting for each other; readers add them up.
CREATE TABLE outcome_counts (
    outcome text   NOT NULL,
    dataset text   NOT NULL,
    shard   int    NOT NULL,
    n       bigint NOT NULL,
    PRIMARY KEY (outcome, dataset, shard)
);

CREATE TABLE snapshots (
    id               text PRIMARY KEY,
    dataset          text        NOT NULL,
    uri              text        NOT NULL,
    size_bytes       bigint      NOT NULL,
    ratings          bigint      NOT NULL,
    held_out_ratings bigint      NOT NULL,
    cut_time         timestamptz NOT NULL
);
CREATE INDEX snapshots_by_dataset ON snapshots (dataset, cut_time DESC);
