-- Outcomes that cost a provider call, as they are published. Times are milliseconds since 1970 UTC.
CREATE TABLE outcomes (
    key        bytea  NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    body       bytea  NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX outcomes_by_expiry ON outcomes (expires_at);

-- Which record an event is answered for. The origin is text; it is stored as its bytes, so that none is refused.
CREATE TABLE claims (
    event      bytea  NOT NULL PRIMARY KEY CHECK (length(event) = 32),
    input      bytea  NOT NULL CHECK (length(input) = 32),
    origin     bytea  NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX claims_by_expiry ON claims (expires_at);
