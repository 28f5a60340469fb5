//! The two services of AWS that a load talks to: S3 and the Redshift Data API, or their stand-ins
//! on this machine. The only crate that knows the AWS SDK.
//!
//! Each request is counted, and each answer comes back in the program's own types. The crate does
//! not decide what to ask, or in which order.

pub mod connect;

pub mod s3;

pub mod data_api;

pub mod calls;

pub mod stop;

mod failure;
