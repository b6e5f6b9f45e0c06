//! Files that are read again when they change: certificates, and secrets that stand in files of their own.
//!
//! One task looks at all of them. A change counts when it has lasted from one look to the next: several files are not
//! replaced at once, nor is one file always written at once.
//!
//! - [`current_secret`]: a secret in use.

pub mod current_secret;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

/// How often the files are looked at. Whatever replaces them does so rarely, and waits for nobody.
pub const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} cannot be read: {why}; check the path and its permissions", .path.display())]
pub struct Unreadable {
    /// The file.
    pub path: PathBuf,
    /// The system's words.
    pub why: String,
}

/// What is made of files, and made anew when they change.
pub trait FromFiles: Send + Sync {
    /// The files.
    fn paths(&self) -> Vec<PathBuf>;

    /// Takes what stands in them now, in their order. What cannot be used leaves the former contents in use.
    fn take(&self, contents: Result<Vec<Vec<u8>>, Unreadable>);
}

/// Lets each of these take what is in its files whenever that has changed, until `stop`.
pub async fn watch(watched: Vec<Arc<dyn FromFiles>>, stop: CancellationToken) {
    let mut looks: Vec<Looks> = watched.iter().map(|_| Looks::default()).collect();
    while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
        for (it, looks) in watched.iter().zip(&mut looks) {
            let contents = read(it.paths()).await;
            if looks.has_changed(contents.as_ref().ok().map(|contents| digest(contents))) {
                it.take(contents);
            }
        }
    }
}

/// What the last looks came to; nothing where a file could not be read.
#[derive(Default)]
struct Looks {
    seen: Option<Option<[u8; 32]>>,
    taken: Option<Option<[u8; 32]>>,
}

impl Looks {
    /// Whether what was just seen is to be taken.
    fn has_changed(&mut self, digest: Option<[u8; 32]>) -> bool {
        let has_lasted = self.seen.replace(digest) == Some(digest);
        has_lasted && self.taken.replace(digest) != Some(digest)
    }
}

/// Reads beside the workers of the runtime: a disk may be slow, or at the other end of a network.
async fn read(paths: Vec<PathBuf>) -> Result<Vec<Vec<u8>>, Unreadable> {
    let mut contents = Vec::with_capacity(paths.len());
    for path in paths {
        match tokio::fs::read(&path).await {
            Ok(bytes) => contents.push(bytes),
            Err(error) => return Err(Unreadable { path, why: error.to_string() }),
        }
    }
    Ok(contents)
}

/// Tells contents apart without keeping them.
fn digest(contents: &[Vec<u8>]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for bytes in contents {
        digest.update(bytes.len().to_le_bytes());
        digest.update(bytes);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_counts_once_it_has_lasted_from_one_look_to_the_next() {
        let mut looks = Looks::default();
        let [first, second, half] = [1, 2, 3].map(|byte| Some([byte; 32]));
        let seen = [first, first, first, half, second, second, None, second, None, None, second, second];
        let changes = seen.map(|digest| looks.has_changed(digest));
        let expected = [false, true, false, false, false, true, false, false, false, true, false, true];
        assert_eq!(changes, expected);
    }

    #[test]
    fn contents_that_are_divided_otherwise_are_others() {
        let of = |parts: [&str; 2]| digest(&parts.map(|part| part.as_bytes().to_vec()));
        assert_ne!(of(["ab", "c"]), of(["a", "bc"]));
        assert_eq!(of(["ab", "c"]), of(["ab", "c"]));
    }
}
