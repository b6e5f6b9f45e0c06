//! Semantic versions, and references to one: `invoice`, `invoice@1`, `invoice@1.2`, `invoice@1.2.0`.

use std::fmt;
use std::str::FromStr;

/// A version in three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// Grows where old answers are not valid any more.
    pub major: u32,
    /// Grows where something was added.
    pub minor: u32,
    /// Grows with each other change.
    pub patch: u32,
}

/// Why a text is no version, or no reference to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version has three numbers without leading zeros, as 1.2.0")]
pub struct BadVersion;

impl Version {
    /// The version of what has had none before.
    pub const FIRST: Self = Self { major: 1, minor: 0, patch: 0 };
    /// The largest number that a version may have: databases have signed numbers.
    pub const MAX_NUMBER: u32 = i32::MAX.unsigned_abs();
}

/// By how much a version grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Its last number grows.
    Patch,
    /// Its second number grows.
    Minor,
    /// Its first number grows.
    Major,
}

impl Version {
    /// The least version after this one that is such a step; `None` where a number would exceed [`Self::MAX_NUMBER`].
    pub fn next(self, step: Step) -> Option<Self> {
        let Self { major, minor, patch } = self;
        let after = |number: u32| number.checked_add(1).filter(|next| *next <= Self::MAX_NUMBER);
        Some(match step {
            Step::Patch => Self { patch: after(patch)?, ..self },
            Step::Minor => Self { major, minor: after(minor)?, patch: 0 },
            Step::Major => Self { major: after(major)?, minor: 0, patch: 0 },
        })
    }

    /// Which step it is from this version to a later one; `None` to one that is not later.
    pub fn step_to(self, later: Self) -> Option<Step> {
        let of = |before: u32, after: u32, step| (before != after).then_some(step);
        let step = of(self.major, later.major, Step::Major)
            .or_else(|| of(self.minor, later.minor, Step::Minor))
            .or_else(|| of(self.patch, later.patch, Step::Patch));
        step.filter(|_| later > self)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Self, BadVersion> {
        match text.parse()? {
            Selector::Exact(version) => Ok(version),
            Selector::Latest | Selector::Major(_) | Selector::Minor(..) => Err(BadVersion),
        }
    }
}

/// Which version of something is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selector {
    /// The latest.
    Latest,
    /// The latest with this first number.
    Major(u32),
    /// The latest with these first two numbers.
    Minor(u32, u32),
    /// This one.
    Exact(Version),
}

impl Selector {
    /// Whether this version is among those that are meant.
    pub fn includes(self, version: Version) -> bool {
        match self {
            Self::Latest => true,
            Self::Major(major) => version.major == major,
            Self::Minor(major, minor) => (version.major, version.minor) == (major, minor),
            Self::Exact(exact) => version == exact,
        }
    }

    /// The name and the version that a reference means.
    ///
    /// # Errors
    /// [`BadVersion`] if what stands behind the `@` is none.
    pub fn of_reference(reference: &str) -> Result<(&str, Self), BadVersion> {
        match reference.split_once('@') {
            Some((name, version)) => Ok((name, version.parse()?)),
            None => Ok((reference, Self::Latest)),
        }
    }
}

impl FromStr for Selector {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Self, BadVersion> {
        let numbers: Vec<u32> = text.split('.').map(number).collect::<Result<_, _>>()?;
        match numbers[..] {
            [major] => Ok(Self::Major(major)),
            [major, minor] => Ok(Self::Minor(major, minor)),
            [major, minor, patch] => Ok(Self::Exact(Version { major, minor, patch })),
            _ => Err(BadVersion),
        }
    }
}

fn number(text: &str) -> Result<u32, BadVersion> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    let number = text.parse().ok().filter(|number| is_plain && *number <= Version::MAX_NUMBER);
    number.ok_or(BadVersion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_the_latest_of_what_it_leaves_open() {
        let of = Selector::of_reference;
        let exact = Version { major: 1, minor: 2, patch: 0 };
        assert_eq!(of("invoice"), Ok(("invoice", Selector::Latest)));
        assert_eq!(of("invoice@1"), Ok(("invoice", Selector::Major(1))));
        assert_eq!(of("invoice@1.2"), Ok(("invoice", Selector::Minor(1, 2))));
        assert_eq!(of("invoice@1.2.0"), Ok(("invoice", Selector::Exact(exact))));
        for reference in ["a@", "a@v1", "a@1.", "a@1.2.3.4", "a@01", "a@+1", "a@-1", "a@4294967295", "a@1@2"] {
            assert_eq!(of(reference), Err(BadVersion), "{reference}");
        }
        let included = |text: &str| text.parse::<Selector>().unwrap().includes(exact);
        assert!(included("1") && included("1.2") && included("1.2.0"));
        assert!(!included("2") && !included("1.1") && !included("1.2.1"));
    }

    #[test]
    fn a_step_is_named_by_the_first_number_that_grows() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        for (step, next) in [(Step::Patch, "1.2.4"), (Step::Minor, "1.3.0"), (Step::Major, "2.0.0")] {
            assert_eq!(version("1.2.3").next(step), Some(version(next)));
            assert_eq!(version("1.2.3").step_to(version(next)), Some(step));
        }
        assert_eq!(version("1.2.3").step_to(version("3.0.1")), Some(Step::Major));
        for earlier in ["1.2.3", "1.2.2", "1.1.9", "0.9.9"] {
            assert_eq!(version("1.2.3").step_to(version(earlier)), None, "{earlier}");
        }
    }

    #[test]
    fn there_is_no_version_after_one_whose_number_is_the_largest_that_can_be_read() {
        let last: Version = "2147483647.2147483647.2147483647".parse().unwrap();
        for step in [Step::Patch, Step::Minor, Step::Major] {
            assert_eq!(last.next(step), None, "{step:?}");
        }
        let last_patch: Version = "1.0.2147483647".parse().unwrap();
        let next = last_patch.next(Step::Minor).unwrap();
        assert_eq!(next.to_string().parse(), Ok(next));
        assert_eq!(next.to_string(), "1.1.0");
    }

    #[test]
    fn versions_are_ordered_by_number_and_written_as_read() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("1.10.0") > version("1.9.9") && version("2.0.0") > version("1.10.0"));
        assert_eq!(version("1.10.0").to_string(), "1.10.0");
        assert_eq!("1.10".parse::<Version>(), Err(BadVersion));
    }
}
