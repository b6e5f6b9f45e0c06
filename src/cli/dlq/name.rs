//! The name of a replay: the consumer group that keeps how far it has come.
//!
//! Who asks for the same letters in the same way again runs the same replay, which goes on where it ended. A file of
//! `--state` names another one, which begins anew.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::CommandError;

/// The group of clients that only read, and what the names of replays begin with: whoever gives permissions names it.
pub(super) const GROUP: &str = "structured-prompt-replay";

/// What a file of `--state` holds.
#[derive(Debug, Serialize, Deserialize)]
struct StateFile {
    /// The name of the replay.
    replay: String,
    /// What it sends.
    arguments: Value,
}

/// The name of the replay with these arguments.
pub(super) fn of_arguments(arguments: &Value) -> String {
    let digest = Sha256::digest(arguments.to_string());
    let digits: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{GROUP}-{digits}")
}

/// The name that a file has, of a replay with these arguments. With `is_kept` a file that is not there is made, and on
/// the disk before this returns.
pub(super) fn of_file(path: &Path, arguments: &Value, is_kept: bool) -> Result<String, CommandError> {
    let wrong = |why: &dyn std::fmt::Display| CommandError::WrongUse(format!("--state: {}: {why}", path.display()));
    match fs::read(path) {
        Ok(bytes) => {
            let state: StateFile = serde_json::from_slice(&bytes)
                .map_err(|error| wrong(&format_args!("it is no file of a replay: {error}; name another one")))?;
            if state.arguments != *arguments {
                let why = format!("it is of the replay {}; name another file for this one", state.arguments);
                return Err(wrong(&why));
            }
            Ok(state.replay)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let replay = format!("{GROUP}-{:016x}", fastrand::u64(..));
            let state = StateFile { replay: replay.clone(), arguments: arguments.clone() };
            if is_kept {
                keep(path, &state).map_err(|error| wrong(&error))?;
            }
            Ok(replay)
        }
        Err(error) => Err(wrong(&error)),
    }
}

/// Writes a file that must not be there, and waits until the disk has it: whatever is sent after this can be found
/// again.
fn keep(path: &Path, state: &StateFile) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(format!("{}\n", serde_json::to_string(state)?).as_bytes())?;
    file.sync_all()?;
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_arguments_are_the_same_replay() {
        let (one, other) = (json!({ "codes": ["tombstone"] }), json!({ "codes": [] }));
        assert_eq!(of_arguments(&one), of_arguments(&one.clone()));
        assert_ne!(of_arguments(&one), of_arguments(&other));
        assert!(of_arguments(&one).starts_with("structured-prompt-replay-"));
    }

    #[test]
    fn a_file_names_one_replay_and_refuses_others() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.json");
        let (one, other) = (json!({ "codes": ["tombstone"] }), json!({ "codes": [] }));
        of_file(&path, &one, false).unwrap();
        assert!(!path.exists(), "a dry run leaves nothing behind");
        let name = of_file(&path, &one, true).unwrap();
        assert_eq!(of_file(&path, &one, true).unwrap(), name);
        assert_ne!(of_file(&directory.path().join("other.json"), &one, true).unwrap(), name);
        let refused = of_file(&path, &other, true).unwrap_err().to_string();
        assert!(refused.contains("tombstone") && refused.contains("name another file"), "{refused}");
        fs::write(&path, "{").unwrap();
        assert!(of_file(&path, &one, true).unwrap_err().to_string().contains("no file of a replay"));
    }
}
