//! Throttling on demand, for tests of clients. In: files in `DIR/.loader/throttle`, named as an
//! operation of S3 or of the Data API, or `COPY`. Out: whether this request is refused.
//!
//! A file says how many requests are still to be refused, and counts down. For example, after
//! `echo 2 > DIR/.loader/throttle/PutObject` the next two PutObject are answered with SlowDown. A
//! second word chooses another refusal, where there is one.
//!
//! The file `stream` says how slow the content of each GetObject comes: so many bytes a second, and
//! so many milliseconds before the first. (`echo 60000000 50` is about what S3 gives one request.)
//! The file `cut` breaks contents off: after `echo 2 1000`, those of the next two GetObject break
//! off after 1,000 bytes.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

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

/// The bytes after which the content that is asked for now breaks off; `None` when it does not.
pub(crate) fn cut(root: &Path) -> Option<u64> {
    refusal(root, "cut")?.parse().ok()
}

/// How slow a content comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    bytes_per_second: f64,
    first_byte: Duration,
}

impl Pace {
    /// The pace of contents that are asked for now; `None` when nothing slows them.
    pub(crate) fn of(root: &Path) -> Option<Pace> {
        let text = fs::read_to_string(root.join(STATE_DIR).join("throttle/stream")).ok()?;
        let mut words = text.split_whitespace();
        let bytes_per_second = words.next()?.parse().ok().filter(|rate| *rate > 0.0)?;
        let first_byte = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        Some(Pace { bytes_per_second, first_byte: Duration::from_millis(first_byte) })
    }

    /// When so many bytes may have come, from the request on.
    pub(crate) fn of_bytes(self, bytes: u64) -> Duration {
        self.first_byte + Duration::from_secs_f64(bytes as f64 / self.bytes_per_second)
    }
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

    #[test]
    fn a_file_says_how_slow_a_content_comes() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join(".loader/throttle")).unwrap();
        let file = dir.path().join(".loader/throttle/stream");
        assert_eq!(Pace::of(dir.path()), None);
        for (text, of_1000_bytes) in
            [("2000 50", Some(550)), ("1000\n", Some(1000)), ("0 9", None), ("soon", None)]
        {
            fs::write(&file, text).unwrap();
            let pace = Pace::of(dir.path()).map(|pace| pace.of_bytes(1000).as_millis());
            assert_eq!(pace, of_1000_bytes, "{text}");
        }
    }
}
