//! The statements with which `loader doctor` asks a warehouse what it takes, and how their answers
//! are read.
//!
//! What a user has is never changed: a statement that would change it stands in a transaction that
//! always fails at its end ([`rights`]), or works on tables of its own ([`scratch`]).

pub mod connection;

pub mod foreign_writer;

pub mod loads;

pub mod refusals;

pub mod rights;

pub mod samples;

pub mod scratch;

pub mod spelling;

#[cfg(test)]
mod tests;
