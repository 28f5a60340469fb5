//! S3 and the Amazon Redshift Data API on this machine, for people without an AWS account and for
//! tests.
//!
//! One [`Server`] serves one folder, DIR. In: HTTP requests of any AWS client (the SDKs, boto3, the
//! AWS CLI) on two ports of 127.0.0.1, signed with the key in [`loader_attach::Endpoints`]. Out:
//! what S3 and Redshift would answer; other requests are refused. The program `loader-local`
//! (`main.rs`) is this server as a process of its own. Programs share the server of a folder
//! through the crate `loader-attach`: the server runs while it is used, and the next program starts
//! it again when it was killed.
//!
//! # S3
//! The folder `DIR/<bucket>` is a bucket and every file below it an object, also a file that a
//! person copied there. (For example, `DIR/demo/in/orders.csv` is `s3://demo/in/orders.csv`.) What
//! a file cannot hold (an ETag that is not its MD5, content type, user metadata, checksums) is kept
//! in `DIR/.loader`, and is valid only as long as the file has the size and time that were recorded
//! with it. Writes appear whole or not at all.
//!
//! It does: buckets; get, head, put, copy and delete of objects with `If-Match` and
//! `If-None-Match`; batch deletes; both listings with paging and delimiters; multipart uploads;
//! ranges; signatures (header, presigned, chunked), checksums in headers and trailers. It does not:
//! versions, tags, ACLs, policies, encryption, lifecycle, checksums of whole multipart objects. A
//! key that cannot be a file path is refused (`a//b`, `../x`, a segment over 255 bytes), and so is
//! `a/b` while an object `a` exists.
//!
//! # PostgreSQL
//! The warehouse is a real PostgreSQL that the server starts and stops, with its data in
//! `DIR/.loader/postgres`. It listens on a Unix socket in a private folder only, and runs the
//! statements of clients as roles that are no superusers of PostgreSQL (`roles`). `fsync` is off:
//! killing every process loses no committed row, while a power cut may lose all of them. PostgreSQL
//! refuses to run as root, so a server that root has started runs it as the user `postgres` or, if
//! there is none, as the system's unprivileged user. Where that user cannot reach DIR (in `/root`,
//! for example), the data is in `/var/tmp/loader-local-…` and `DIR/.loader/postgres` links to it.
//!
//! # Redshift
//! The server takes Redshift's SQL. It translates what PostgreSQL lacks (COPY, types, date
//! functions, late-binding and materialized views, system views), and refuses what PostgreSQL would
//! take and Redshift refuses, so that statements that run here run there. For example, it refuses
//! ALTER COLUMN TYPE inside a transaction block. Sizes, names, NULLs and transactions follow
//! Redshift's rules; speed and distribution over nodes do not.
//!
//! # Inside
//! A layer imports only from the layers below it: `data_api` (requests, batches), `copy` (loads),
//! `session` (one connection and its answers), `sql` (statements as text, no I/O). `s3` stands
//! beside them and shares `objects` with COPY. `server` puts them together with `postgres`, the
//! process. `signature` and `host_header` say which requests are answered at all, and `policy` which
//! of them an IAM policy allows.

mod clock;
mod copy;
mod data_api;
mod error;
mod host_header;
mod objects;
mod policy;
mod postgres;
mod roles;
mod s3;
mod server;
mod session;
mod signature;
mod sql;
mod throttle;
mod while_used;

pub use error::LocalError;
pub use server::{LocalOptions, Server};
pub use while_used::serve_while_used;
