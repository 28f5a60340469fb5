//! The contract with the warehouse: what Amazon Redshift does and PostgreSQL does not, as cases in
//! `tests/warehouse/*.toml`, each with the public source of its fact.
//!
//! The cases are part of this crate, so a program that has it can ask any warehouse for them: the
//! tests ask the stand-in for all of them, and `loader doctor` asks a user's warehouse for those
//! that no public source confirms. In: a case and a [`Bench`] to run it on. Out: the first thing
//! that is otherwise than the case says.

mod case;

mod cases;

mod objects;

mod parquet_files;

mod request;

mod run;

mod values;

pub use case::Case;
pub use cases::cases;
pub use request::Difference;
pub use run::{Bench, Outcome, run};
