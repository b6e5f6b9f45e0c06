-- Outcomes that cost a provider call, as they are published. Times are milliseconds since 1970 UTC.
CREATE TABLE outcomes (
    key        BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    body       BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX outcomes_by_expiry ON outcomes (expires_at);

-- Which record an event is answered for. The origin is text; it is stored as its bytes, so that none is refused.
CREATE TABLE claims (
    event      BLOB    NOT NULL PRIMARY KEY CHECK (length(event) = 32),
    input      BLOB    NOT NULL CHECK (length(input) = 32),
    origin     BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX claims_by_expiry ON claims (expires_at);
