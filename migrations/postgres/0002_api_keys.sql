-- Keys of the HTTP API. Times are milliseconds since 1970 UTC, here and everywhere.
CREATE TABLE api_keys (
    id              text   NOT NULL PRIMARY KEY,
    organization_id text   NOT NULL,
    team_id         text   NOT NULL,
    name            text   NOT NULL,
    secret_hash     bytea  NOT NULL CHECK (length(secret_hash) = 32),
    rate_limit      bigint NOT NULL,
    created_at      bigint NOT NULL,
    updated_at      bigint NOT NULL,
    expires_at      bigint,
    revoked_at      bigint
);
CREATE INDEX api_keys_by_organization ON api_keys (organization_id, created_at, id);

-- A number for each subject that processes remember entries of. It grows with each change.
CREATE TABLE revisions (
    subject  text   NOT NULL PRIMARY KEY,
    revision bigint NOT NULL
);
INSERT INTO revisions (subject, revision) VALUES ('api_keys', 0);
