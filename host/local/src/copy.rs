//! COPY from S3 by Redshift's rules. In: the statement (`sql::copy` reads it), the objects of the
//! local S3. Out: rows in PostgreSQL, on the connection (and in the transaction) of the statement;
//! or the statement's error, with rows for STL_LOAD_ERRORS. The text of files is parsed and
//! converted here, never by PostgreSQL, whose rules for empty fields, rounding and lengths differ.
//! (For example, a VARCHAR(20) holds 20 bytes in Redshift and 20 characters in PostgreSQL.)
//! PostgreSQL gets the rows in its binary format.
//!
//! Not done: ESCAPE, REMOVEQUOTES, FIXEDWIDTH, JSON, AVRO, ORC, LZOP, encryption, SSH, DynamoDB and
//! EMR sources, UTF-16; of the values that TIMEFORMAT 'auto' recognises only the ISO 8601 forms.
//! Encodings and statistics (COMPUPDATE, STATUPDATE) have no effect.

mod binary;
mod characters;
mod convert;
mod fault;
mod format;
mod load;
mod moments;
mod numbers;
mod parquet;
mod reader;
mod records;
mod source;
mod target;
mod text;

pub(crate) use load::{Context, run};
pub(crate) use records::{LoadError, LoadRecord};
