//! How a CSV file is written, found out from a sample of it: encoding, delimiter, quotes, header
//! and what stands around the table.
//!
//! In: the beginning of a file, and where they are at hand a piece of its middle and its end. Out:
//! [`Findings`]: for each part of the dialect what was found, how sure that is, why, and what else
//! fits. Nothing here reads a file or decides how one is read.
//!
//! The way of a sample: `encoding` makes text of it. `candidates` lists the forms that it could be
//! written in, of which there are at most a few dozen; `reading` cuts it by each of them, and
//! `score` says how well that went. `shape` then finds the table between preamble and footer,
//! `header` its header, `values` what its fields tell, `keys` what tells its rows apart. The time
//! is linear in the sample, whose beginning alone is read by every candidate.

mod candidates;
mod cell;
mod comment;
mod dates;
mod encoding;
mod findings;
mod header;
mod header_votes;
mod keys;
mod reading;
mod record_end;
mod sample;
mod score;
mod shape;
mod sniff;
mod values;

pub use dates::DateColumn;
pub use findings::{
    DecimalColumn, Delimiter, Encoding, Finding, Findings, HeaderRows, NullText, RecordEnd,
    Sniffed, Sureness,
};
pub use sample::Sample;
pub use sniff::sniff;
