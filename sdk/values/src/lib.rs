//! How text becomes a value: booleans, integers, floats, exact decimals, dates and timestamps.
//! One place for the host, the plugins and the local stand-in, so that they cannot disagree about a
//! value. In comes the bytes of one CSV field, out comes the value or nothing: no locale, no
//! trimming, no guess, no dependency and no I/O, so it also builds for `wasm32-unknown-unknown`.
//! Surrounding blanks never parse.

mod boolean;
mod calendar;
mod decimal;
mod number;

pub use boolean::{parse_bool, parse_bool_literal};
pub use calendar::{format_date, format_timestamp, parse_date, parse_timestamp};
pub use decimal::{Decimal, DecimalError, MAX_PRECISION, parse_decimal, write_decimal};
pub use number::{NumberShape, has_leading_zeros, number_shape, parse_f64, parse_i64};
