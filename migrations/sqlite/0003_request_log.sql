-- Requests that were answered. The number tells those of the same millisecond apart; a request id can come twice.
CREATE TABLE request_logs (
    organization_id    TEXT    NOT NULL,
    team_id            TEXT    NOT NULL,
    created_at         INTEGER NOT NULL,
    number             INTEGER NOT NULL,
    request_id         TEXT    NOT NULL,
    endpoint           TEXT    NOT NULL,
    api_key_id         TEXT,
    status             INTEGER NOT NULL,
    code               TEXT,
    provider           TEXT,
    model              TEXT,
    schema_name        TEXT,
    template_name      TEXT,
    processing_time_us INTEGER NOT NULL,
    input_tokens       INTEGER NOT NULL,
    output_tokens      INTEGER NOT NULL,
    cost_usd           REAL    NOT NULL,
    cached             BOOLEAN NOT NULL,
    validation_status  TEXT,
    confidence         REAL,
    prompt             TEXT,
    data               TEXT,
    PRIMARY KEY (organization_id, team_id, created_at, number)
);
CREATE INDEX request_logs_by_request ON request_logs (organization_id, team_id, request_id, created_at, number);
CREATE INDEX request_logs_by_key ON request_logs (organization_id, team_id, api_key_id, created_at, number);
CREATE INDEX request_logs_by_status ON request_logs (organization_id, team_id, status, created_at, number);
CREATE INDEX request_logs_by_age ON request_logs (created_at);

-- The same in sums by the hour, in which a year is read quickly. What a request has none of is the empty text.
CREATE TABLE usage_hourly (
    organization_id TEXT    NOT NULL,
    team_id         TEXT    NOT NULL,
    hour            INTEGER NOT NULL,
    provider        TEXT    NOT NULL,
    model           TEXT    NOT NULL,
    api_key_id      TEXT    NOT NULL,
    status          INTEGER NOT NULL,
    requests        INTEGER NOT NULL,
    errors          INTEGER NOT NULL,
    cached          INTEGER NOT NULL,
    input_tokens    INTEGER NOT NULL,
    output_tokens   INTEGER NOT NULL,
    cost_usd        REAL    NOT NULL,
    -- Requests by duration: each bucket ends at 1.78 times the end of the one before, from 1 ms to 100 s.
    latency_0       INTEGER NOT NULL,
    latency_1       INTEGER NOT NULL,
    latency_2       INTEGER NOT NULL,
    latency_3       INTEGER NOT NULL,
    latency_4       INTEGER NOT NULL,
    latency_5       INTEGER NOT NULL,
    latency_6       INTEGER NOT NULL,
    latency_7       INTEGER NOT NULL,
    latency_8       INTEGER NOT NULL,
    latency_9       INTEGER NOT NULL,
    latency_10      INTEGER NOT NULL,
    latency_11      INTEGER NOT NULL,
    latency_12      INTEGER NOT NULL,
    latency_13      INTEGER NOT NULL,
    latency_14      INTEGER NOT NULL,
    latency_15      INTEGER NOT NULL,
    latency_16      INTEGER NOT NULL,
    latency_17      INTEGER NOT NULL,
    latency_18      INTEGER NOT NULL,
    latency_19      INTEGER NOT NULL,
    latency_20      INTEGER NOT NULL,
    PRIMARY KEY (organization_id, team_id, hour, provider, model, api_key_id, status)
);
CREATE INDEX usage_hourly_by_age ON usage_hourly (hour);
