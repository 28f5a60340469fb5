//! The two services of AWS that a load talks to: S3 and the Redshift Data API, or their stand-ins
//! on this machine. The only crate that knows the AWS SDK.
//!
//! Requests go out one at a time, each counted; what an answer means is said in the program's own
//! terms. What to ask, and in which order, is decided elsewhere.

pub mod connect;

pub mod s3;

pub mod data_api;

pub mod calls;

pub mod stop;

mod failure;
