//! The properties of a table that PostgreSQL does not keep: distribution, sort order, encodings,
//! and keys that are declared and not enforced. In: their clauses in CREATE TABLE and ALTER TABLE.
//! Out: a JSON text for the functions of `data_api/helpers/keys.sql`, which record it and show it
//! in the catalog views. These functions know the columns and refuse unknown ones. For example,
//! `DISTKEY (id)` becomes `{"dist_style":"KEY","dist_key":"id"}`.
//!
//! BACKUP is read and forgotten. Not done: that a table cannot be dropped while a foreign key
//! refers to it; DISTSTYLE and SORTKEY AUTO never become anything else. Redshift's words are known
//! for few of the refusals here; the others are marked "Not the engine's words".

mod alter;
mod clauses;
mod declared;

pub(super) use alter::{add_constraint, alter_encodings, alter_layout, drop_constraint};
pub(super) use clauses::table_constraint;
pub(super) use declared::Declared;
