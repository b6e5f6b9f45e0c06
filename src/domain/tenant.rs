//! Whose data it is: organisations, and the teams within them.

use std::fmt;
use std::sync::Arc;

/// The organisation of an installation that has no others, and the team of whoever belongs to no other.
pub const DEFAULT: &str = "default";
/// Characters of a name.
const MAX_LEN: usize = 64;

/// A team of an organisation: nothing that one of them asks, or is answered, is seen by another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tenant {
    organization: Arc<str>,
    team: Arc<str>,
    path: Arc<str>,
}

/// Why a text names no organisation and no team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {MAX_LEN} letters, digits, `.`, `_` or `-`")]
pub struct BadName;

impl Tenant {
    /// This team of this organisation.
    ///
    /// # Errors
    /// [`BadName`].
    pub fn new(organization: &str, team: &str) -> Result<Self, BadName> {
        if !is_name(organization) || !is_name(team) {
            return Err(BadName);
        }
        // No name has a slash in it, so no two tenants have the same path.
        let path = if team == DEFAULT { organization.into() } else { format!("{organization}/{team}").into() };
        Ok(Self { organization: organization.into(), team: team.into(), path })
    }

    /// This team of the only organisation.
    ///
    /// # Errors
    /// [`BadName`].
    pub fn of_team(team: &str) -> Result<Self, BadName> {
        Self::new(DEFAULT, team)
    }

    /// The organisation's name.
    pub fn organization(&self) -> &str {
        &self.organization
    }

    /// The team's name.
    pub fn team(&self) -> &str {
        &self.team
    }

    /// A name that no other tenant has: the organisation's, and the team's where it is not the default one.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl Default for Tenant {
    fn default() -> Self {
        let name: Arc<str> = DEFAULT.into();
        Self { organization: Arc::clone(&name), team: Arc::clone(&name), path: name }
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// Whose entries an administrator means: those of one team, or of all teams of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    organization: Arc<str>,
    team: Option<Arc<str>>,
}

impl Scope {
    /// All teams of this tenant's organisation.
    pub fn organization_of(tenant: &Tenant) -> Self {
        Self { organization: Arc::clone(&tenant.organization), team: None }
    }

    /// The organisation's name.
    pub fn organization(&self) -> &str {
        &self.organization
    }

    /// The team's name, unless all teams are meant.
    pub fn team(&self) -> Option<&str> {
        self.team.as_deref()
    }

    /// Whether this tenant's entries are meant.
    pub fn includes(&self, tenant: &Tenant) -> bool {
        self.organization == tenant.organization && self.team.as_ref().is_none_or(|team| *team == tenant.team)
    }
}

impl From<&Tenant> for Scope {
    fn from(tenant: &Tenant) -> Self {
        Self { organization: Arc::clone(&tenant.organization), team: Some(Arc::clone(&tenant.team)) }
    }
}

fn is_name(text: &str) -> bool {
    (1..=MAX_LEN).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tenants_have_the_same_path() {
        let path = |organization, team| Tenant::new(organization, team).map(|tenant| tenant.path().to_owned());
        assert_eq!(path("default", "default").as_deref(), Ok("default"));
        assert_eq!(path("acme", "default").as_deref(), Ok("acme"));
        assert_eq!(path("acme", "sales").as_deref(), Ok("acme/sales"));
        for name in ["acme/sales", "", "a b", "ä", &"x".repeat(65)] {
            assert_eq!(path(name, "default"), Err(BadName), "{name}");
            assert_eq!(path("acme", name), Err(BadName), "{name}");
        }
        assert_eq!(Tenant::default(), Tenant::new(DEFAULT, DEFAULT).unwrap());
    }

    #[test]
    fn a_scope_is_a_team_or_all_teams_of_one_organisation() {
        let tenant = |organization, team| Tenant::new(organization, team).unwrap();
        let (sales, all) = (tenant("acme", "sales"), Scope::organization_of(&tenant("acme", "sales")));
        let team = Scope::from(&sales);
        assert!(team.includes(&sales) && all.includes(&sales) && all.includes(&tenant("acme", "default")));
        assert!(!team.includes(&tenant("acme", "default")));
        assert!(!team.includes(&tenant("other", "sales")) && !all.includes(&tenant("other", "sales")));
    }
}
