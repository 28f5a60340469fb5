//! How a text must be spelt so that Redshift can cast it to another type when the row is inserted.
//! In: the text of a staged column. Out: whether it fits.
//!
//! A text that does not fit would fail the whole load, and Redshift would not say which row it was.

use loader_model::column_type::{ColumnType, MAX_VARCHAR_BYTES};

use super::json::{MAX_DEPTH, fits_super};

/// How the texts of a column must be spelt, by the type that they are cast to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// CHAR holds single bytes only.
    Ascii,
    Json,
    /// Two digits for each byte. For example, `00ff` is a VARBYTE of two bytes.
    Hex {
        max_bytes: u32,
    },
    /// A time of day is spelt as behind a date in a timestamp, so `fits` puts a date before it. For
    /// example, `10:30:00+02` fits a TIMETZ, and `24:00:00` does not. A TIME would lose the zone.
    Time {
        may_have_zone: bool,
    },
    TimestampTz,
}

impl Spelling {
    /// The spelling that a type needs. `None`: any text will do.
    pub(super) fn of(column_type: &ColumnType) -> Option<Spelling> {
        Some(match column_type {
            ColumnType::Char { .. } => Spelling::Ascii,
            ColumnType::Super => Spelling::Json,
            ColumnType::Varbyte { bytes } => Spelling::Hex { max_bytes: bytes.unwrap_or(u32::MAX) },
            ColumnType::Time => Spelling::Time { may_have_zone: false },
            ColumnType::TimeTz => Spelling::Time { may_have_zone: true },
            ColumnType::TimestampTz => Spelling::TimestampTz,
            ColumnType::SmallInt
            | ColumnType::Integer
            | ColumnType::BigInt
            | ColumnType::Decimal { .. }
            | ColumnType::Real
            | ColumnType::Double
            | ColumnType::Boolean
            | ColumnType::Date
            | ColumnType::Timestamp
            | ColumnType::Varchar { .. }
            | ColumnType::Other(_) => return None,
        })
    }

    pub(super) fn fits(self, text: &str) -> bool {
        match self {
            Spelling::Ascii => text.is_ascii(),
            Spelling::Json => fits_super(text),
            Spelling::Hex { max_bytes } => {
                let fits =
                    text.len().is_multiple_of(2) && text.len() as u64 / 2 <= u64::from(max_bytes);
                fits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
            }
            Spelling::Time { may_have_zone } => {
                let moment = format!("2000-01-01 {text}");
                loader_values::parse_timestamp(moment.as_bytes()).is_some()
                    && (may_have_zone || !text.contains(['Z', 'z', '+', '-']))
            }
            Spelling::TimestampTz => loader_values::parse_timestamp(text.as_bytes()).is_some(),
        }
    }

    /// Whether there are texts that say the same in another form.
    pub(super) fn has_other_forms(self) -> bool {
        matches!(self, Spelling::Time { .. } | Spelling::TimestampTz)
    }

    /// Spells a text so that it fits, when it says the same in another form, and tells whether
    /// digits were cut. For example, `9:05:00` becomes `09:05:00` for a TIME. `None`: it fits, or
    /// never will.
    pub(super) fn respell(self, text: &str) -> Option<(String, bool)> {
        match self {
            _ if self.fits(text) => None,
            Spelling::Time { .. } => {
                let respelt = loader_values::spell_time_loosely(text)?;
                self.fits(&respelt).then_some((respelt, has_nanoseconds(text)))
            }
            Spelling::TimestampTz => {
                let moment = loader_values::parse_timestamp_loosely(text.as_bytes())?;
                Some((format!("{}+00", loader_values::format_timestamp(moment.micros)), moment.cut))
            }
            Spelling::Ascii | Spelling::Json | Spelling::Hex { .. } => None,
        }
    }

    /// The end of the sentence "the value is not …".
    pub(super) fn expected(self) -> String {
        let expected = match self {
            Spelling::Ascii => "ASCII, which is all that CHAR holds",
            Spelling::Json => {
                return format!(
                    "JSON with strings of {MAX_VARCHAR_BYTES} bytes and {MAX_DEPTH} levels at most"
                );
            }
            Spelling::Hex { max_bytes: u32::MAX } => "an even number of hexadecimal digits",
            Spelling::Hex { max_bytes } => {
                return format!(
                    "an even number of hexadecimal digits, for {max_bytes} bytes at most"
                );
            }
            Spelling::Time { may_have_zone: true } => "a time of day such as 10:30:00+01",
            Spelling::Time { may_have_zone: false } => {
                "a time of day without a zone, such as 10:30:00"
            }
            Spelling::TimestampTz => "a timestamp such as 2025-01-31 10:30:00+01",
        };
        expected.to_owned()
    }
}

/// Whether a time has digits past the microsecond, which no column keeps.
fn has_nanoseconds(time: &str) -> bool {
    let fraction = time.split_once('.').map_or("", |(_, fraction)| fraction);
    let mut past = fraction.bytes().take_while(u8::is_ascii_digit).skip(6);
    past.any(|digit| digit != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(spelling: Spelling, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(spelling.fits(text), "{spelling:?} {text}");
        }
        for text in bad {
            assert!(!spelling.fits(text), "{spelling:?} {text}");
        }
    }

    #[test]
    fn other_forms_are_spelt_anew() {
        let respelt = |spelling: Spelling, text| spelling.respell(text);
        let some = |text: &str, cut| Some((text.to_owned(), cut));
        let time = Spelling::Time { may_have_zone: false };
        assert_eq!(respelt(time, "9:05:00"), some("09:05:00", false));
        assert_eq!(respelt(time, "10:30"), None);
        assert_eq!(respelt(time, "9:05 +0100"), None);
        let zoned = Spelling::TimestampTz;
        assert_eq!(
            respelt(zoned, "2025-01-31 10:30:00 -0500"),
            some("2025-01-31 15:30:00+00", false)
        );
        assert_eq!(
            respelt(zoned, "2025-01-31 10:30:00.1234567Z"),
            some("2025-01-31 10:30:00.123456+00", true)
        );
        assert_eq!(respelt(zoned, "soon"), None);
    }

    #[test]
    fn only_what_can_be_cast_passes() {
        check(Spelling::Ascii, &["", "abc"], &["ä"]);
        check(Spelling::Json, &["1", "null", "[]", "{\"a\":1}"], &["", "a", "{", "{}x"]);
        check(Spelling::Hex { max_bytes: 2 }, &["", "00ff", "AB"], &["0", "0g", "000000"]);
        check(
            Spelling::Time { may_have_zone: true },
            &["10:30", "10:30:00", "23:59:59.999999", "10:30:00+02"],
            &["24:00:00", "10", "x", ""],
        );
        check(
            Spelling::Time { may_have_zone: false },
            &["10:30", "10:30:00", "23:59:59.999999"],
            &["10:30:00+02", "10:30:00Z", "10:30-00:00"],
        );
        check(
            Spelling::TimestampTz,
            &["2025-01-31 10:30:00+01", "2025-01-31T10:30:00Z"],
            &["10:30", "2025-02-30"],
        );
    }
}
