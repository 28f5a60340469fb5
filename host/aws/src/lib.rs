//! The services of AWS that the program talks to: S3, the Redshift Data API, or their stand-ins on
//! this machine, and SQS. The only crate that knows the AWS SDK.
//!
//! Each request is counted, and each answer comes back in the program's own types. The crate does
//! not decide what to ask, or in which order.

pub mod connect;

pub mod s3;

pub mod data_api;

pub mod sqs;

pub mod calls;

pub mod stop;

mod failure;
