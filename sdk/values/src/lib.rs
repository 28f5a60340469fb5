//! How text becomes a value: booleans, integers, floats, exact decimals, dates and timestamps.
//!
//! The host, the plugins and the local stand-in all read values with this crate, so they cannot
//! disagree about one. (For example, if inference accepted a value that decoding refuses, a load
//! would find out halfway through the file.)
//!
//! Each function takes the bytes of one CSV field and returns the value or nothing. There is no
//! locale, no trimming and no guessing: `1,5` and a number with a blank beside it are not numbers.
//! The crate has no dependencies and does no I/O, so it also builds for `wasm32-unknown-unknown`.

mod boolean;
mod calendar;
mod decimal;
mod digits;
mod loose;
mod number;

pub use boolean::{parse_bool, parse_bool_literal};
pub use calendar::{format_date, format_timestamp, parse_date, parse_timestamp};
pub use decimal::{Decimal, DecimalError, MAX_PRECISION, parse_decimal, write_decimal};
pub use digits::leading_digits;
pub use loose::{
    Moment, parse_date_loosely, parse_timestamp_loosely, parse_whole_loosely, spell_time_loosely,
};
pub use number::{NumberShape, has_leading_zeros, number_shape, parse_f64, parse_i64, reads_back};
