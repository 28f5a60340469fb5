//! How many rows of a file may be rejected before the whole file is.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};

/// A number of rows, or a share of those of the file: `10` or `0.5%`. The default is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxRejects {
    Rows(u64),
    /// In millionths: `0.5%` is 5,000.
    Share(u64),
}

/// A text that is no number of rows and no share of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAShare;

const MILLIONTHS_OF_PERCENT: u64 = 10_000;
const ALL: u64 = 100 * MILLIONTHS_OF_PERCENT;

impl MaxRejects {
    /// The most rejects of a file with so many rows. For example, 5% of 39 rows are 1.
    pub fn of(self, rows: u64) -> u64 {
        match self {
            MaxRejects::Rows(most) => most,
            MaxRejects::Share(millionths) => {
                let most = u128::from(rows) * u128::from(millionths) / u128::from(ALL);
                u64::try_from(most).unwrap_or(u64::MAX)
            }
        }
    }

    /// Whether one row, of whatever number, may be rejected.
    pub fn allows_any(self) -> bool {
        !matches!(self, MaxRejects::Rows(0) | MaxRejects::Share(0))
    }
}

impl Default for MaxRejects {
    fn default() -> Self {
        MaxRejects::Rows(0)
    }
}

impl fmt::Display for MaxRejects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MaxRejects::Rows(most) => write!(formatter, "{most}"),
            MaxRejects::Share(millionths) => {
                let (whole, rest) =
                    (millionths / MILLIONTHS_OF_PERCENT, millionths % MILLIONTHS_OF_PERCENT);
                let digits = format!("{whole}.{rest:04}");
                write!(formatter, "{}%", digits.trim_end_matches('0').trim_end_matches('.'))
            }
        }
    }
}

impl FromStr for MaxRejects {
    type Err = NotAShare;

    fn from_str(text: &str) -> Result<MaxRejects, NotAShare> {
        let Some(share) = text.trim().strip_suffix('%') else {
            return text.trim().parse().map(MaxRejects::Rows).map_err(|_| NotAShare);
        };
        let (whole, fraction) = share.trim_end().split_once('.').unwrap_or((share.trim_end(), ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || fraction.len() > 4 || !is_number(whole) || !is_number(fraction) {
            return Err(NotAShare);
        }
        let millionths = format!("{whole}{fraction:0<4}").parse().map_err(|_| NotAShare)?;
        if millionths > ALL { Err(NotAShare) } else { Ok(MaxRejects::Share(millionths)) }
    }
}

impl fmt::Display for NotAShare {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "not a number of rows, such as 10, and not a share of them, such as 5% or 0.25%",
        )
    }
}

impl std::error::Error for NotAShare {}

impl<'de> Deserialize<'de> for MaxRejects {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MaxRejects, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = MaxRejects;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number of rows or a text such as \"5%\"")
            }

            fn visit_u64<E: de::Error>(self, rows: u64) -> Result<MaxRejects, E> {
                Ok(MaxRejects::Rows(rows))
            }

            fn visit_i64<E: de::Error>(self, rows: i64) -> Result<MaxRejects, E> {
                u64::try_from(rows).map(MaxRejects::Rows).map_err(|_| E::custom(NotAShare))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<MaxRejects, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for MaxRejects {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            MaxRejects::Rows(most) => serializer.serialize_u64(*most),
            MaxRejects::Share(_) => serializer.collect_str(self),
        }
    }
}

impl JsonSchema for MaxRejects {
    fn schema_name() -> Cow<'static, str> {
        "MaxRejects".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of rows, or a share of those of the file such as \"0.5%\".",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": "^ *[0-9]+([.][0-9]{1,4})? *%? *$" }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_shares_are_read_and_written() {
        for (text, expected, of_a_thousand) in [
            ("0", "0", 0),
            ("10", "10", 10),
            ("5%", "5%", 50),
            ("0.25%", "0.25%", 2),
            ("0.0999 %", "0.0999%", 0),
            ("100%", "100%", 1000),
        ] {
            let most: MaxRejects = text.parse().expect("reads");
            assert_eq!((most.to_string().as_str(), most.of(1000)), (expected, of_a_thousand));
        }
        assert_eq!("5%".parse::<MaxRejects>().map(|most| (most.of(39), most.of(40))), Ok((1, 2)));
        for text in ["", "%", "-1", "1.5", "101%", "5.%%", "0.00001%", ".5%", "5 rows", "1e3"] {
            assert_eq!(text.parse::<MaxRejects>(), Err(NotAShare), "{text}");
        }
    }
}
