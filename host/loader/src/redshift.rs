//! Redshift at work: sends the statements that `loader-warehouse` has spelt, in the order that a
//! load needs, and turns the answers into values.

pub mod catalog;

pub mod bookkeeping;

pub mod evolution;

pub mod dependents;

pub mod restore;

pub(crate) mod leftovers;

pub(crate) mod retention;

pub mod journals;

pub mod audit;

pub mod refused_keys;

pub mod glue_keys;

pub mod load_errors;

pub mod load_failure;

pub mod lock_wait;

pub mod retry;

pub(crate) mod query;

pub(crate) mod counted;

pub(crate) mod watched;
