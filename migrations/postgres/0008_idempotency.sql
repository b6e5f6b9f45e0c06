-- Requests with an Idempotency-Key: under way while there is no status, answered afterwards.
CREATE TABLE idempotency (
    organization_id text   NOT NULL,
    team_id         text   NOT NULL,
    key             text   NOT NULL,
    fingerprint     bytea  NOT NULL CHECK (length(fingerprint) = 32),
    ticket          bigint NOT NULL,
    status          bigint,
    headers         text,
    body            bytea,
    expires_at      bigint NOT NULL,
    PRIMARY KEY (organization_id, team_id, key)
);
CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);
