//! `If-Match` and the other conditional headers. In: a request's conditions and the object as it
//! is; out: nothing, or the error that S3 answers. No I/O. For example, a PUT with
//! `If-None-Match: *` onto an existing key is answered 412.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Result, s3_error};

use super::failure::{no_such_key, precondition_failed};

#[derive(Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
    pub(crate) if_size: Option<i64>,
    /// Whether a missing object satisfies `If-Match`. It does for a delete, not for a write.
    pub(crate) missing_is_fine: bool,
}

/// The object that a condition is about.
pub(crate) struct Current<'a> {
    pub(crate) etag: &'a str,
    pub(crate) modified: SystemTime,
    pub(crate) size_bytes: u64,
}

impl Conditions {
    pub(crate) fn is_empty(&self) -> bool {
        self.if_match.is_none()
            && self.if_none_match.is_none()
            && self.if_modified_since.is_none()
            && self.if_unmodified_since.is_none()
            && self.if_size.is_none()
    }

    /// Whether the object may be read.
    ///
    /// Errors: 412 when it is not the wanted object, 304 when the client has it already.
    // Each pair has an ETag and a time. Where the client gives the ETag, the time beside it is not
    // looked at.
    pub(crate) fn check_read(&self, current: &Current<'_>) -> S3Result<()> {
        let wanted = match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) => matches(condition, current),
            (None, Some(time)) => whole_seconds(current.modified) <= *time,
            (None, None) => true,
        };
        if !wanted {
            return Err(precondition_failed());
        }
        let known = match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) => matches(condition, current),
            (None, Some(time)) => whole_seconds(current.modified) <= *time,
            (None, None) => false,
        };
        if known { Err(s3_error!(NotModified)) } else { Ok(()) }
    }

    /// Whether the source of a copy may be copied. A copy has no 304: a source that the client
    /// already has is answered 412 too.
    pub(crate) fn check_copy(&self, current: &Current<'_>) -> S3Result<()> {
        self.check_read(current).map_err(|_| precondition_failed())
    }

    /// Whether the object, which may be missing, may be replaced or deleted.
    // Unlike a read, a change needs all of its conditions to hold.
    pub(crate) fn check_change(&self, current: Option<Current<'_>>) -> S3Result<()> {
        let Some(current) = current else {
            return if self.if_match.is_some() && !self.missing_is_fine {
                Err(no_such_key())
            } else {
                Ok(())
            };
        };
        let is_wanted = self.if_match.as_ref().is_none_or(|condition| matches(condition, &current))
            && self.if_none_match.as_ref().is_none_or(|condition| !matches(condition, &current))
            && self
                .if_unmodified_since
                .as_ref()
                .is_none_or(|time| whole_seconds(current.modified) <= *time)
            && self.if_size.is_none_or(|size| {
                u64::try_from(size).is_ok_and(|size| size == current.size_bytes)
            });
        if is_wanted { Ok(()) } else { Err(precondition_failed()) }
    }
}

fn matches(condition: &ETagCondition, current: &Current<'_>) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.strong_cmp(&ETag::Strong(current.etag.to_owned())),
    }
}

/// A time without its fraction, as `Last-Modified` shows it. A client sends back what it was shown:
/// a file that changed at 10.5 s is not newer than the 10 s in its `If-Modified-Since`.
pub(crate) fn whole_seconds(time: SystemTime) -> Timestamp {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Timestamp::from(UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn etag(text: &str) -> Option<ETagCondition> {
        Some(text.parse().unwrap())
    }

    fn current() -> Current<'static> {
        Current { etag: "a1", modified: UNIX_EPOCH + Duration::from_millis(10_500), size_bytes: 3 }
    }

    fn code(result: S3Result<()>) -> String {
        result.map_or_else(|error| error.code().as_str().to_owned(), |()| "ok".to_owned())
    }

    #[test]
    fn changes() {
        let check = |conditions: Conditions, current: Option<Current<'_>>| {
            code(conditions.check_change(current))
        };
        let with =
            |if_match: &str| Conditions { if_match: etag(if_match), ..Conditions::default() };
        assert_eq!(check(with("\"a1\""), Some(current())), "ok");
        assert_eq!(check(with("a1"), Some(current())), "ok");
        assert_eq!(check(with("\"b2\""), Some(current())), "PreconditionFailed");
        assert_eq!(check(with("\"a1\""), None), "NoSuchKey");
        assert_eq!(check(with("*"), Some(current())), "ok");
        assert_eq!(check(Conditions { missing_is_fine: true, ..with("\"a1\"") }, None), "ok");
        let absent = || Conditions { if_none_match: etag("*"), ..Conditions::default() };
        assert_eq!(check(absent(), None), "ok");
        assert_eq!(check(absent(), Some(current())), "PreconditionFailed");
        assert_eq!(
            check(Conditions { if_size: Some(4), ..Conditions::default() }, Some(current())),
            "PreconditionFailed"
        );
    }

    #[test]
    fn reads() {
        let at = |seconds| Some(Timestamp::from(UNIX_EPOCH + Duration::from_secs(seconds)));
        let check = |conditions: Conditions| code(conditions.check_read(&current()));
        assert_eq!(
            check(Conditions { if_none_match: etag("\"a1\""), ..Conditions::default() }),
            "NotModified"
        );
        assert_eq!(
            check(Conditions { if_match: etag("\"b2\""), ..Conditions::default() }),
            "PreconditionFailed"
        );
        assert_eq!(
            check(Conditions { if_modified_since: at(10), ..Conditions::default() }),
            "NotModified"
        );
        assert_eq!(check(Conditions { if_modified_since: at(9), ..Conditions::default() }), "ok");
        assert_eq!(
            check(Conditions { if_unmodified_since: at(9), ..Conditions::default() }),
            "PreconditionFailed"
        );
        assert_eq!(
            check(Conditions {
                if_match: etag("\"a1\""),
                if_unmodified_since: at(9),
                ..Conditions::default()
            }),
            "ok"
        );
        let known = Conditions { if_none_match: etag("\"a1\""), ..Conditions::default() };
        assert_eq!(code(known.check_copy(&current())), "PreconditionFailed");
    }
}
