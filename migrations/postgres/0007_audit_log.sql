-- Events that concern security. The number tells those of the same millisecond apart.
CREATE TABLE audit_log (
    organization_id text   NOT NULL,
    team_id         text   NOT NULL,
    created_at      bigint NOT NULL,
    number          bigint NOT NULL,
    event_type      text   NOT NULL,
    actor           text   NOT NULL,
    resource        text   NOT NULL,
    result          text   NOT NULL,
    request_id      text,
    detail          text,
    PRIMARY KEY (organization_id, created_at, number)
);
CREATE INDEX audit_log_by_type ON audit_log (organization_id, event_type, created_at, number);
CREATE INDEX audit_log_by_age ON audit_log (created_at);
