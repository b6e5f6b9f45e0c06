//! Events in a file, one line each.

use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt as _;

use crate::ports::audit::AuditSink;

/// Who may read a new file: it tells who uses the service, and when. One that is there keeps its permissions.
const OWNER_ONLY: u32 = 0o600;

/// A file that lines are appended to. It is opened by its name for each batch of them, so whoever rotates it needs to
/// move it away and nothing else: the next lines are in a new file of that name.
pub struct AuditFile {
    path: PathBuf,
    /// Whether the last line may be incomplete: the disk was full, or writing it was given up.
    is_torn: AtomicBool,
}

impl AuditFile {
    /// The file of this name, which is made if it is not there.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub fn open(path: &Path) -> io::Result<Self> {
        std::fs::OpenOptions::new().create(true).append(true).mode(OWNER_ONLY).open(path)?;
        Ok(Self { path: path.to_owned(), is_torn: AtomicBool::new(false) })
    }

    async fn append(&self, lines: Vec<&str>) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).mode(OWNER_ONLY).open(&self.path).await?;
        if self.is_torn.load(Ordering::Relaxed) {
            self.put(&mut file, "\n").await?;
        }
        for line in lines {
            self.put(&mut file, &format!("{line}\n")).await?;
        }
        Ok(())
    }

    /// In one write, so that lines of several processes do not mix.
    async fn put(&self, file: &mut File, text: &str) -> io::Result<()> {
        self.is_torn.store(true, Ordering::Relaxed);
        file.write_all(text.as_bytes()).await?;
        file.flush().await?;
        self.is_torn.store(false, Ordering::Relaxed);
        Ok(())
    }
}

impl AuditSink for AuditFile {
    fn title(&self) -> &'static str {
        "audit file"
    }

    fn label(&self) -> &'static str {
        "audit_file"
    }

    fn write<'a>(&'a self, lines: Vec<&'a str>) -> BoxFuture<'a, Result<(), String>> {
        let failed = |error| format!("audit.file: {}: {error}", self.path.display());
        async move { self.append(lines).await.map_err(failed) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn each_event_is_a_line_also_after_the_file_was_moved_away() {
        let directory = tempfile::tempdir().unwrap();
        let (path, old) = (directory.path().join("audit.jsonl"), directory.path().join("audit.jsonl.1"));
        std::fs::write(&path, "{\"n\":0}\n").unwrap();
        let file = AuditFile::open(&path).unwrap();
        file.write(vec!["{\"n\":1}", "{\"n\":2}"]).await.unwrap();
        std::fs::rename(&path, &old).unwrap();
        file.write(vec!["{\"n\":3}"]).await.unwrap();
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"n\":3}\n");
    }

    #[tokio::test]
    async fn a_new_file_is_its_owners_alone_and_one_that_is_there_stays_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.jsonl");
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let file = AuditFile::open(&path).unwrap();
        assert_eq!(mode(), 0o600);
        std::fs::remove_file(&path).unwrap();
        file.write(vec!["{}"]).await.unwrap();
        assert_eq!(mode(), 0o600, "after a rotation");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        file.write(vec!["{}"]).await.unwrap();
        assert_eq!(mode(), 0o640);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_is_named_and_an_incomplete_line_is_ended() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("logs/audit.jsonl");
        assert!(AuditFile::open(&path).is_err(), "there is no such directory");
        std::fs::create_dir(directory.path().join("logs")).unwrap();
        let file = AuditFile::open(&path).unwrap();
        std::fs::remove_dir_all(directory.path().join("logs")).unwrap();
        let why = file.write(vec!["{}"]).await.unwrap_err();
        assert!(why.starts_with("audit.file: ") && why.contains("logs/audit.jsonl"), "{why}");
        std::fs::create_dir(directory.path().join("logs")).unwrap();
        std::fs::write(&path, "{\"n\":").unwrap();
        file.is_torn.store(true, Ordering::Relaxed);
        file.write(vec!["{\"n\":1}"]).await.unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"n\":\n{\"n\":1}\n");
    }
}
