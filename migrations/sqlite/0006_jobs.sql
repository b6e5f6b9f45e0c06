-- Work that is done later. A worker that has taken a job holds it until `held_until`.
CREATE TABLE jobs (
    id              TEXT    NOT NULL PRIMARY KEY,
    organization_id TEXT    NOT NULL,
    team_id         TEXT    NOT NULL,
    api_key_id      TEXT,
    type            TEXT    NOT NULL,
    priority        TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    request         TEXT    NOT NULL,
    webhook_url     TEXT,
    total           INTEGER NOT NULL,
    done            INTEGER NOT NULL,
    failed          INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    result          TEXT,
    error           TEXT,
    created_at      INTEGER NOT NULL,
    started_at      INTEGER,
    finished_at     INTEGER,
    expires_at      INTEGER NOT NULL,
    due_at          INTEGER NOT NULL,
    held_by         TEXT,
    held_until      INTEGER
);
CREATE INDEX jobs_by_tenant ON jobs (organization_id, team_id, created_at, id);
CREATE INDEX jobs_by_status ON jobs (organization_id, team_id, status, created_at, id);
CREATE INDEX jobs_by_priority ON jobs (status, priority, due_at);
CREATE INDEX jobs_by_expiry ON jobs (expires_at);

-- What came of each item of a batch.
CREATE TABLE job_results (
    job_id TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    item   INTEGER NOT NULL,
    result TEXT    NOT NULL,
    PRIMARY KEY (job_id, item)
);
