-- Requests with an Idempotency-Key: under way while there is no status, answered afterwards.
CREATE TABLE idempotency (
    organization_id TEXT    NOT NULL,
    team_id         TEXT    NOT NULL,
    key             TEXT    NOT NULL,
    fingerprint     BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    ticket          INTEGER NOT NULL,
    status          INTEGER,
    headers         TEXT,
    body            BLOB,
    expires_at      INTEGER NOT NULL,
    PRIMARY KEY (organization_id, team_id, key)
);
CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);
