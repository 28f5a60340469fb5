//! Throttling on demand, for tests of clients. In: files in `DIR/.loader/throttle`, named as an
//! operation of S3 or of the Data API, or `COPY`. Out: whether this request is refused.
//!
//! A file says how many requests are still to be refused, and counts down. For example, after
//! `echo 2 > DIR/.loader/throttle/PutObject` the next two PutObject are answered with SlowDown. A
//! second word chooses another refusal, where there is one.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use loader_attach::STATE_DIR;

/// Reading and counting down is one step, for all requests of this process.
static TURN: Mutex<()> = Mutex::new(());

/// Counts a request of the operation. `Some` refuses it, with the file's second word or an empty
/// text.
// Most folders have no such file, so the first look takes no lock. The operation is a client's
// text, and must not become another path.
pub(crate) fn refusal(root: &Path, operation: &str) -> Option<String> {
    operation.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(())?;
    let file = root.join(STATE_DIR).join("throttle").join(operation);
    if !file.is_file() {
        return None;
    }
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let text = fs::read_to_string(&file).ok()?;
    let mut words = text.split_whitespace();
    let left: u64 = words.next()?.parse().ok()?;
    let kind = words.next().unwrap_or_default().to_owned();
    let left = left.checked_sub(1)?;
    if let Err(error) = fs::write(&file, format!("{left} {kind}")) {
        tracing::warn!(%error, file = %file.display(), "cannot count a refused request");
    }
    Some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_counts_down_the_refusals_of_its_operation() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join(".loader/throttle");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("PutObject"), "2\n").unwrap();
        fs::write(folder.join("GetObject"), "1 Other").unwrap();
        fs::write(folder.join("HeadObject"), "soon").unwrap();
        fs::write(dir.path().join("loose"), "9").unwrap();
        let refused = |operation: &str| refusal(dir.path(), operation);
        assert_eq!(refused("PutObject").as_deref(), Some(""));
        assert_eq!(refused("PutObject").as_deref(), Some(""));
        assert_eq!(refused("PutObject"), None);
        assert_eq!(refused("GetObject").as_deref(), Some("Other"));
        for operation in ["GetObject", "HeadObject", "CopyObject", "", "../../loose"] {
            assert_eq!(refused(operation), None, "{operation}");
        }
    }
}
