//! The warehouse as an AWS client sees it: the Data API over HTTP with the AWS SDK, statements on a
//! real PostgreSQL, COPY from files in the folder. One server per test; each test is a story on
//! tables of its own.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod access;
mod columns;
mod copy;
mod databases;
mod grants;
mod http;
mod identities;
mod keys;
mod late_binding;
mod links;
mod machine;
mod names;
mod parquet;
mod protocol;
mod regions;
mod sessions;
mod sql;
mod support;
mod throttling;
mod views;
