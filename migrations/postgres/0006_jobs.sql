-- Work that is done later. A worker that has taken a job holds it until `held_until`.
CREATE TABLE jobs (
    id              text   NOT NULL PRIMARY KEY,
    organization_id text   NOT NULL,
    team_id         text   NOT NULL,
    api_key_id      text,
    type            text   NOT NULL,
    priority        text   NOT NULL,
    status          text   NOT NULL,
    request         text   NOT NULL,
    webhook_url     text,
    total           bigint NOT NULL,
    done            bigint NOT NULL,
    failed          bigint NOT NULL,
    attempts        bigint NOT NULL,
    result          text,
    error           text,
    created_at      bigint NOT NULL,
    started_at      bigint,
    finished_at     bigint,
    expires_at      bigint NOT NULL,
    due_at          bigint NOT NULL,
    held_by         text,
    held_until      bigint
);
CREATE INDEX jobs_by_tenant ON jobs (organization_id, team_id, created_at, id);
CREATE INDEX jobs_by_status ON jobs (organization_id, team_id, status, created_at, id);
CREATE INDEX jobs_by_priority ON jobs (status, priority, due_at);
CREATE INDEX jobs_by_expiry ON jobs (expires_at);

-- What came of each item of a batch.
CREATE TABLE job_results (
    job_id text   NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    item   bigint NOT NULL,
    result text   NOT NULL,
    PRIMARY KEY (job_id, item)
);
