-- Schemas of users, each in its versions. What can be searched for stands in lower case.
CREATE TABLE schemas (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    organization_id TEXT    NOT NULL,
    team_id         TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    description     TEXT    NOT NULL,
    search_text     TEXT    NOT NULL,
    visibility      TEXT    NOT NULL CHECK (visibility IN ('private', 'public')),
    created_at      INTEGER NOT NULL,
    UNIQUE (organization_id, name, team_id)
);
CREATE INDEX schemas_by_organization ON schemas (organization_id, id);

CREATE TABLE schema_versions (
    entry_id   INTEGER NOT NULL REFERENCES schemas (id) ON DELETE CASCADE,
    major      INTEGER NOT NULL,
    minor      INTEGER NOT NULL,
    patch      INTEGER NOT NULL,
    document   TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (entry_id, major, minor, patch)
);
INSERT INTO revisions (subject, revision) VALUES ('schemas', 0);
