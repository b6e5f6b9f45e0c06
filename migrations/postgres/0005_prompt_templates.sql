-- Prompt templates of users, each in its versions. What can be searched for stands in lower case.
CREATE TABLE prompt_templates (
    id              bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id text   NOT NULL,
    team_id         text   NOT NULL,
    name            text   NOT NULL,
    description     text   NOT NULL,
    search_text     text   NOT NULL,
    visibility      text   NOT NULL CHECK (visibility IN ('private', 'public')),
    created_at      bigint NOT NULL,
    UNIQUE (organization_id, name, team_id)
);
CREATE INDEX prompt_templates_by_organization ON prompt_templates (organization_id, id);

CREATE TABLE prompt_template_versions (
    entry_id   bigint NOT NULL REFERENCES prompt_templates (id) ON DELETE CASCADE,
    major      bigint NOT NULL,
    minor      bigint NOT NULL,
    patch      bigint NOT NULL,
    document   text   NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (entry_id, major, minor, patch)
);
INSERT INTO revisions (subject, revision) VALUES ('prompt_templates', 0);
