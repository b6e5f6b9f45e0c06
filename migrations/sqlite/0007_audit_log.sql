-- Events that concern security. The number tells those of the same millisecond apart.
CREATE TABLE audit_log (
    organization_id TEXT    NOT NULL,
    team_id         TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    number          INTEGER NOT NULL,
    event_type      TEXT    NOT NULL,
    actor           TEXT    NOT NULL,
    resource        TEXT    NOT NULL,
    result          TEXT    NOT NULL,
    request_id      TEXT,
    detail          TEXT,
    PRIMARY KEY (organization_id, created_at, number)
);
CREATE INDEX audit_log_by_type ON audit_log (organization_id, event_type, created_at, number);
CREATE INDEX audit_log_by_age ON audit_log (created_at);
