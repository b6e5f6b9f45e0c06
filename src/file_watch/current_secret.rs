//! A secret in use: fixed, where a variable has it, or that of a file, which may be replaced while the process runs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::{FromFiles, Unreadable};
use crate::domain::health::{Component, Status};
use crate::domain::secret::Secret;
use crate::domain::text;
use crate::ports::health::Health;

/// Why a text cannot be the secret, and what to do. It does not quote the text.
pub type Check = dyn Fn(&str) -> Result<(), String> + Send + Sync;

/// A secret in use. Clones share it.
#[derive(Clone)]
pub struct CurrentSecret(Arc<Inner>);

struct Inner {
    current: watch::Sender<Secret>,
    file: Option<SecretFile>,
}

struct SecretFile {
    /// The setting that names the file, for people.
    setting: String,
    path: PathBuf,
    check: Box<Check>,
    /// Why what is in the file now is not in use.
    problem: Mutex<Option<String>>,
}

impl CurrentSecret {
    /// The secret of a file, which `setting` names. The file has it now, and whatever passes the check takes its place.
    pub fn in_file(setting: String, path: PathBuf, secret: Secret, check: Box<Check>) -> Self {
        let file = SecretFile { setting, path, check, problem: Mutex::default() };
        Self(Arc::new(Inner { current: watch::Sender::new(secret), file: Some(file) }))
    }

    /// The secret as it is now.
    pub fn get(&self) -> Secret {
        self.0.current.borrow().clone()
    }

    /// Tells when another one has taken its place.
    pub fn subscribe(&self) -> watch::Receiver<Secret> {
        self.0.current.subscribe()
    }

    /// The file that it comes from, if it does.
    pub fn file(&self) -> Option<&Path> {
        self.0.file.as_ref().map(|file| &*file.path)
    }

    /// As what is to be watched, and whose health is told; `None` if it never changes.
    pub fn watched(&self) -> Option<Arc<Self>> {
        self.file().map(|_| Arc::new(self.clone()))
    }

    fn replace(&self, file: &SecretFile, contents: &[u8]) -> Result<(), String> {
        let path = file.path.display();
        let written =
            text::decode(contents).map_err(|fault| format!("{path} is no text: {fault}; save it as UTF-8"))?;
        let secret = trimmed(&written);
        if secret.is_empty() {
            return Err(format!("{path} is empty; put the secret in it"));
        }
        (file.check)(secret).map_err(|why| format!("{path}: {why}"))?;
        let secret = Secret::new(secret);
        let is_new = self.0.current.send_if_modified(|current| {
            let is_new = *current != secret;
            *current = secret;
            is_new
        });
        if is_new {
            tracing::info!(setting = file.setting, file = %path, "a new secret is in use");
        }
        Ok(())
    }
}

/// Without what editors and shells put around a secret.
pub fn trimmed(secret: &str) -> &str {
    secret.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

impl From<Secret> for CurrentSecret {
    /// One that never changes.
    fn from(secret: Secret) -> Self {
        Self(Arc::new(Inner { current: watch::Sender::new(secret), file: None }))
    }
}

impl FromFiles for CurrentSecret {
    fn paths(&self) -> Vec<PathBuf> {
        self.file().map(Path::to_path_buf).into_iter().collect()
    }

    fn take(&self, contents: Result<Vec<Vec<u8>>, Unreadable>) {
        let Some(file) = &self.0.file else { return };
        let contents = contents.map_err(|error| error.to_string());
        let taken = contents.and_then(|contents| self.replace(file, &contents.concat()));
        if let Err(why) = &taken {
            let setting = &file.setting;
            tracing::error!(setting, why, "the new secret cannot be used; the former one stays in use");
        }
        *file.problem.lock().unwrap_or_else(PoisonError::into_inner) = taken.err();
    }
}

impl Health for CurrentSecret {
    fn components(&self) -> Vec<Component> {
        let Some(file) = &self.0.file else { return Vec::new() };
        let problem = file.problem.lock().unwrap_or_else(PoisonError::into_inner).clone();
        vec![Component {
            kind: "secret",
            name: file.setting.clone(),
            status: if problem.is_some() { Status::Degraded } else { Status::Up },
            latency: None,
            detail: problem.map(|problem| format!("{problem}; the former secret stays in use")),
            facts: Vec::new(),
            is_ready: true,
            is_alive: true,
        }]
    }
}

impl PartialEq for CurrentSecret {
    fn eq(&self, other: &Self) -> bool {
        self.file() == other.file() && self.get() == other.get()
    }
}

impl Eq for CurrentSecret {}

impl fmt::Debug for CurrentSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.file() {
            Some(file) => write!(f, "Secret(in {})", file.display()),
            None => f.write_str("Secret(…)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::file_watch::{LOOK_EVERY, watch};

    fn in_file(path: &Path) -> Arc<CurrentSecret> {
        let check = |text: &str| if text.len() < 6 { Err("it is too short".to_owned()) } else { Ok(()) };
        let secret =
            CurrentSecret::in_file("the key".to_owned(), path.to_owned(), Secret::new("first"), Box::new(check));
        secret.watched().unwrap()
    }

    fn detail(secret: &CurrentSecret) -> Option<String> {
        secret.components().remove(0).detail
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_is_replaced_by_what_stands_in_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        fs::write(&path, "first").unwrap();
        let (secret, stop) = (in_file(&path), CancellationToken::new());
        let mut changes = secret.subscribe();
        let writes = async {
            fs::write(&path, "\u{feff}second\r\n").unwrap();
            tokio::time::sleep(LOOK_EVERY * 3).await;
            assert_eq!(secret.get().expose(), "second");
            assert!(changes.has_changed().unwrap());
            changes.mark_unchanged();
            fs::write(&path, "second").unwrap();
            tokio::time::sleep(LOOK_EVERY * 3).await;
            assert!(!changes.has_changed().unwrap(), "it is the same without the end of a line");
            stop.cancel();
        };
        tokio::join!(watch(vec![Arc::clone(&secret) as Arc<dyn FromFiles>], stop.clone()), writes);
    }

    #[test]
    fn what_cannot_be_used_leaves_the_former_secret_and_is_told_without_being_quoted() {
        let secret = in_file(Path::new("/run/key"));
        secret.take(Ok(vec![b"second".to_vec()]));
        assert_eq!((secret.get().expose(), detail(&secret)), ("second", None));
        for (contents, why) in [
            (Ok(b"canary\0".to_vec()), "is no text"),
            (Ok(b" \n".to_vec()), "is empty"),
            (Ok(b"can".to_vec()), "it is too short"),
            (Err(Unreadable { path: "/run/key".into(), why: "No such file".to_owned() }), "cannot be read"),
        ] {
            secret.take(contents.map(|bytes| vec![bytes]));
            let detail = detail(&secret).unwrap();
            assert!(detail.contains(why) && !detail.contains("canary"), "{detail}");
            assert_eq!(secret.get().expose(), "second");
        }
        secret.take(Ok(vec![b"another".to_vec()]));
        assert_eq!((secret.get().expose(), detail(&secret)), ("another", None));
    }

    #[test]
    fn a_secret_of_a_variable_has_no_file_and_is_not_shown() {
        let secret = CurrentSecret::from(Secret::new("canary"));
        assert!(secret.watched().is_none() && secret.components().is_empty());
        assert!(!format!("{secret:?} {:?}", in_file(Path::new("/run/key"))).contains("first"));
        assert!(!format!("{secret:?}").contains("canary"));
    }
}
