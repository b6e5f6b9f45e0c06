//! The statements of a catalogue. Only the names of their tables differ between schemas and templates.

/// The statements for one pair of tables.
pub(super) struct Statements {
    /// The subject of the catalogue's revision.
    pub(super) subject: &'static str,
    pub(super) insert_entry: &'static str,
    pub(super) insert_version: &'static str,
    /// Entries of a tenant and of its organisation's public ones, each in its latest version, without the documents.
    pub(super) select_page: &'static str,
    /// The latest of the versions that are meant.
    pub(super) select_version: &'static str,
    /// Versions of an entry, without the documents.
    pub(super) select_versions: &'static str,
    /// The latest version of an entry that a tenant may change.
    pub(super) select_own: &'static str,
    pub(super) update_entry: &'static str,
    pub(super) delete_entry: &'static str,
}

macro_rules! statements {
    ($entries:literal, $versions:literal) => {
        Statements {
            subject: $entries,
            insert_entry: concat!(
                "INSERT INTO ",
                $entries,
                " (organization_id, team_id, name, description, search_text, visibility, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id"
            ),
            insert_version: concat!(
                "INSERT INTO ",
                $versions,
                " (entry_id, major, minor, patch, document, created_at) VALUES ($1, $2, $3, $4, $5, $6)"
            ),
            select_page: concat!(
                select!($entries, $versions, ""),
                " WHERE e.organization_id = $1 AND (e.team_id = $2 OR e.visibility = 'public')
                 AND ($3 IS NULL OR e.visibility = $3) AND ($4 IS NULL OR e.search_text LIKE $4 ESCAPE '\\')
                 AND e.id < $5 AND NOT EXISTS (SELECT 1 FROM ",
                $versions,
                " n WHERE n.entry_id = e.id AND (n.major, n.minor, n.patch) > (v.major, v.minor, v.patch))
                 ORDER BY e.id DESC LIMIT $6"
            ),
            select_version: concat!(
                select!($entries, $versions, ", v.document"),
                meant!($entries),
                " AND ($4 IS NULL OR v.major = $4) AND ($5 IS NULL OR v.minor = $5) AND ($6 IS NULL OR v.patch = $6)
                 ORDER BY v.major DESC, v.minor DESC, v.patch DESC LIMIT 1"
            ),
            select_versions: concat!(
                select!($entries, $versions, ""),
                meant!($entries),
                " AND ($4 IS NULL OR v.major = $4) AND ($5 IS NULL OR v.minor = $5) AND ($6 IS NULL OR v.patch = $6)
                 AND (v.major, v.minor, v.patch) < ($7, $8, $9)
                 ORDER BY v.major DESC, v.minor DESC, v.patch DESC LIMIT $10"
            ),
            select_own: concat!(
                select!($entries, $versions, ""),
                " WHERE e.organization_id = $1 AND e.team_id = $2 AND e.name = $3
                 ORDER BY v.major DESC, v.minor DESC, v.patch DESC LIMIT 1"
            ),
            update_entry: concat!(
                "UPDATE ",
                $entries,
                " SET description = $2, search_text = $3, visibility = $4 WHERE id = $1"
            ),
            delete_entry: concat!("DELETE FROM ", $entries, " WHERE id = $1"),
        }
    };
}

macro_rules! select {
    ($entries:literal, $versions:literal, $document:literal) => {
        concat!(
            "SELECT e.id, e.organization_id, e.team_id, e.name, e.description, e.visibility, e.created_at,
             v.major, v.minor, v.patch, v.created_at AS updated_at",
            $document,
            " FROM ",
            $entries,
            " e JOIN ",
            $versions,
            " v ON v.entry_id = e.id"
        )
    };
}

/// The entry that a tenant means by a name: its own, or else the oldest that is public in its organisation.
macro_rules! meant {
    ($entries:literal) => {
        concat!(
            " WHERE e.id = (SELECT id FROM ",
            $entries,
            " WHERE organization_id = $1 AND name = $3 AND (team_id = $2 OR visibility = 'public')
             ORDER BY CASE WHEN team_id = $2 THEN 0 ELSE 1 END, id LIMIT 1)"
        )
    };
}

pub(super) const SCHEMAS: Statements = statements!("schemas", "schema_versions");
pub(super) const PROMPT_TEMPLATES: Statements = statements!("prompt_templates", "prompt_template_versions");
