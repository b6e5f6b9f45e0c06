-- Keys of the HTTP API. Times are milliseconds since 1970 UTC, here and everywhere.
CREATE TABLE api_keys (
    id              TEXT    NOT NULL PRIMARY KEY,
    organization_id TEXT    NOT NULL,
    team_id         TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    secret_hash     BLOB    NOT NULL CHECK (length(secret_hash) = 32),
    rate_limit      INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    expires_at      INTEGER,
    revoked_at      INTEGER
);
CREATE INDEX api_keys_by_organization ON api_keys (organization_id, created_at, id);

-- A number for each subject that processes remember entries of. It grows with each change.
CREATE TABLE revisions (
    subject  TEXT    NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL
);
INSERT INTO revisions (subject, revision) VALUES ('api_keys', 0);
