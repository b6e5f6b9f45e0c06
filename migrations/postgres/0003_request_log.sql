-- Requests that were answered. The number tells those of the same millisecond apart; a request id can come twice.
CREATE TABLE request_logs (
    organization_id    text             NOT NULL,
    team_id            text             NOT NULL,
    created_at         bigint           NOT NULL,
    number             bigint           NOT NULL,
    request_id         text             NOT NULL,
    endpoint           text             NOT NULL,
    api_key_id         text,
    status             bigint           NOT NULL,
    code               text,
    provider           text,
    model              text,
    schema_name        text,
    template_name      text,
    processing_time_us bigint           NOT NULL,
    input_tokens       bigint           NOT NULL,
    output_tokens      bigint           NOT NULL,
    cost_usd           double precision NOT NULL,
    cached             boolean          NOT NULL,
    validation_status  text,
    confidence         double precision,
    prompt             text,
    data               text,
    PRIMARY KEY (organization_id, team_id, created_at, number)
);
CREATE INDEX request_logs_by_request ON request_logs (organization_id, team_id, request_id, created_at, number);
CREATE INDEX request_logs_by_key ON request_logs (organization_id, team_id, api_key_id, created_at, number);
CREATE INDEX request_logs_by_status ON request_logs (organization_id, team_id, status, created_at, number);
CREATE INDEX request_logs_by_age ON request_logs (created_at);

-- The same in sums by the hour, in which a year is read quickly. What a request has none of is the empty text.
CREATE TABLE usage_hourly (
    organization_id text             NOT NULL,
    team_id         text             NOT NULL,
    hour            bigint           NOT NULL,
    provider        text             NOT NULL,
    model           text             NOT NULL,
    api_key_id      text             NOT NULL,
    status          bigint           NOT NULL,
    requests        bigint           NOT NULL,
    errors          bigint           NOT NULL,
    cached          bigint           NOT NULL,
    input_tokens    bigint           NOT NULL,
    output_tokens   bigint           NOT NULL,
    cost_usd        double precision NOT NULL,
    -- Requests by duration: each bucket ends at 1.78 times the end of the one before, from 1 ms to 100 s.
    latency_0       bigint NOT NULL,
    latency_1       bigint NOT NULL,
    latency_2       bigint NOT NULL,
    latency_3       bigint NOT NULL,
    latency_4       bigint NOT NULL,
    latency_5       bigint NOT NULL,
    latency_6       bigint NOT NULL,
    latency_7       bigint NOT NULL,
    latency_8       bigint NOT NULL,
    latency_9       bigint NOT NULL,
    latency_10      bigint NOT NULL,
    latency_11      bigint NOT NULL,
    latency_12      bigint NOT NULL,
    latency_13      bigint NOT NULL,
    latency_14      bigint NOT NULL,
    latency_15      bigint NOT NULL,
    latency_16      bigint NOT NULL,
    latency_17      bigint NOT NULL,
    latency_18      bigint NOT NULL,
    latency_19      bigint NOT NULL,
    latency_20      bigint NOT NULL,
    PRIMARY KEY (organization_id, team_id, hour, provider, model, api_key_id, status)
);
CREATE INDEX usage_hourly_by_age ON usage_hourly (hour);
