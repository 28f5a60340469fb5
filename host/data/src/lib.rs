//! The data path: the bytes of a file become typed, transformed parts.
//!
//! In the order of the work: `decompress` and `encoding` make bytes text, and `content` finds the
//! rows in them: a CSV file is its rows, `json_lines` and `parquet_rows` make such of other files
//! (`json_row` is how they are written, `file_column` what such a file says of a column). `infer`
//! reads the rows once and learns their columns; `sample` is for whoever looks at a file before;
//! `plan` decides what each column becomes; `transform` decodes the rows, runs the plugins, and
//! lets `conform` make the staged columns of their output; `parts` writes the columns; `rejects`
//! reports which rows were left out and why. `column_spec` is what the user says of single columns.
//! `refusals` takes refused rows out of a batch, `too_many` refuses a file for them; `listing`
//! lists names in messages, `failures` makes errors of this program of those of a plugin or of the
//! CSV reader.
//!
//! Bytes in, parts out: no network, no AWS, no command line, no async. The work runs on threads
//! here, or as tasks of an engine (`spread`), which reach what is `stored` by themselves; `read_at` is a
//! text of which they, or we, read any stretch.

pub mod column_spec;
pub mod content;
pub mod decompress;
pub mod encoding;
pub mod infer;
pub mod joined;
pub mod plan;
pub mod sample;
pub mod spread;
pub mod stored;
pub mod transform;

mod conform;
mod file_column;
mod json_lines;
mod json_row;
mod listing;
mod made_text;
mod parquet_rows;
pub mod read_at;
mod refusals;
pub mod temporary;
mod too_many;

pub mod parts;
pub mod rejects;

pub mod failures;
