//! The errors that several operations answer, in S3's own words where S3 has them, and a way to run
//! blocking work. In: what went wrong; out: the error for the client.

use std::io;

use s3s::{S3Error, S3Result, s3_error};

/// Runs blocking work on a thread for it. A panic there becomes an `InternalError`.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> S3Result<T> + Send + 'static,
) -> S3Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(S3Error::internal_error(error)))
}

/// For `map_err`: an error of the file system is the server's fault (500), not the client's.
pub(crate) fn internal(error: io::Error) -> S3Error {
    S3Error::internal_error(error)
}

pub(crate) fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

pub(crate) fn no_such_version() -> S3Error {
    s3_error!(NoSuchVersion, "The specified version does not exist.")
}

pub(crate) fn precondition_failed() -> S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

pub(crate) fn not_a_path(key: &str) -> S3Error {
    s3_error!(
        InvalidRequest,
        "this S3 keeps objects as files, and the key `{key}` cannot be the path of a file in its \
         bucket"
    )
}

pub(crate) fn source_changed() -> S3Error {
    s3_error!(ConditionalRequestConflict, "the source changed while it was copied; try again")
}

/// For `map_err`: why the file system does not take a file at the path of its key.
// The client has chosen keys that need one path as a file and as a folder (`a` exists, and `a/b` is
// put). So this is a 400, where other errors of the file system are a 500.
pub(crate) fn cannot_place(key: &str, error: io::Error) -> S3Error {
    use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, IsADirectory, NotADirectory};
    match error.kind() {
        AlreadyExists | DirectoryNotEmpty | IsADirectory | NotADirectory => s3_error!(
            InvalidRequest,
            "this S3 keeps objects as files, and the key `{key}` collides with another object: the \
             same path would be a file and a folder; choose another key"
        ),
        _ => internal(error),
    }
}
