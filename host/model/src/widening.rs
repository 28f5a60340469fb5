//! What one column of an existing table must become so that the values of a file fit into it. A
//! column becomes wider or stays the same. It never becomes narrower or of another kind.

use crate::column_type::{ColumnType, MAX_VARCHAR_BYTES, varchar_for};

/// The sizes of a file's values for one column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// The length of the longest text, in bytes.
    pub max_bytes: u32,
    /// The least and the greatest whole number; `None` when there are none, or other values beside
    /// them.
    pub range: Option<(i64, i64)>,
}

/// The narrowest type that the column can get and that holds the extent. The type stays as it is
/// when it is wide enough, and when it cannot be widened. (For example, a VARCHAR(20) becomes
/// VARCHAR(256) for a text of 21 bytes, and a CHAR(20) stays.)
///
/// For a text past the longest VARCHAR the column gets the longest. The row with that text is
/// rejected, and the column holds the others.
pub fn widened(existing: &ColumnType, extent: Extent) -> ColumnType {
    match existing {
        ColumnType::Varchar { bytes } if extent.max_bytes > *bytes => {
            ColumnType::Varchar { bytes: varchar_for(extent.max_bytes).max(*bytes) }
        }
        ColumnType::SmallInt | ColumnType::Integer => {
            extent.range.map_or(existing.clone(), |range| integer_for(existing, range))
        }
        other => other.clone(),
    }
}

/// The narrowest integer type, no narrower than `least`, that holds all of the range.
fn integer_for(least: &ColumnType, range: (i64, i64)) -> ColumnType {
    let steps = [ColumnType::SmallInt, ColumnType::Integer, ColumnType::BigInt];
    // BIGINT holds every i64, so one of the steps always holds the range.
    let from = steps.iter().position(|step| step == least).unwrap_or(0);
    let holds = |step: &&ColumnType| {
        whole_range(step).is_some_and(|(low, high)| low <= range.0 && range.1 <= high)
    };
    steps[from..].iter().find(holds).unwrap_or(&ColumnType::BigInt).clone()
}

/// The wider of two types of one kind; `None` when a column of one type can never become the other.
/// (For example, INTEGER and BIGINT give BIGINT, while INTEGER and VARCHAR give `None`.)
pub fn wider(one: &ColumnType, other: &ColumnType) -> Option<ColumnType> {
    match (one, other) {
        (ColumnType::Varchar { bytes }, ColumnType::Varchar { bytes: more }) => {
            Some(ColumnType::Varchar { bytes: *bytes.max(more).min(&MAX_VARCHAR_BYTES) })
        }
        (one, other) if one == other => Some(one.clone()),
        (one, other) => {
            // Here `?` ends with `None` unless both are integers. Their ranges lie inside each
            // other, so the lower bound alone tells the wider type.
            let ((low, _), (other_low, _)) = (whole_range(one)?, whole_range(other)?);
            Some(if other_low < low { other.clone() } else { one.clone() })
        }
    }
}

/// The least and the greatest number of an integer type; `None` for other types.
fn whole_range(column_type: &ColumnType) -> Option<(i64, i64)> {
    match column_type {
        ColumnType::SmallInt => Some((i64::from(i16::MIN), i64::from(i16::MAX))),
        ColumnType::Integer => Some((i64::from(i32::MIN), i64::from(i32::MAX))),
        ColumnType::BigInt => Some((i64::MIN, i64::MAX)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGES: [(i64, i64); 5] =
        [(0, 0), (-32768, 32767), (0, 32768), (-2147483649, 0), (i64::MIN, i64::MAX)];

    #[test]
    fn integers_go_up_as_far_as_needed_and_nothing_else_moves() {
        let mut lines = String::new();
        for existing in [
            ColumnType::SmallInt,
            ColumnType::Integer,
            ColumnType::BigInt,
            ColumnType::Double,
            ColumnType::Decimal { precision: 12, scale: 2 },
            ColumnType::Varchar { bytes: 20 },
        ] {
            let types = RANGES.map(|range| {
                widened(&existing, Extent { max_bytes: 20, range: Some(range) }).to_string()
            });
            lines.push_str(&format!("{existing} -> {}\n", types.join(", ")));
        }
        insta::assert_snapshot!(lines, @"
        SMALLINT -> SMALLINT, SMALLINT, INTEGER, BIGINT, BIGINT
        INTEGER -> INTEGER, INTEGER, INTEGER, BIGINT, BIGINT
        BIGINT -> BIGINT, BIGINT, BIGINT, BIGINT, BIGINT
        DOUBLE PRECISION -> DOUBLE PRECISION, DOUBLE PRECISION, DOUBLE PRECISION, DOUBLE PRECISION, DOUBLE PRECISION
        DECIMAL(12,2) -> DECIMAL(12,2), DECIMAL(12,2), DECIMAL(12,2), DECIMAL(12,2), DECIMAL(12,2)
        VARCHAR(20) -> VARCHAR(20), VARCHAR(20), VARCHAR(20), VARCHAR(20), VARCHAR(20)
        ");
    }

    #[test]
    fn texts_go_up_the_ladder() {
        let to = |from, max_bytes| {
            widened(&ColumnType::Varchar { bytes: from }, Extent { max_bytes, range: None })
        };
        let sizes = [
            to(10, 10),
            to(10, 11),
            to(256, 320),
            to(20000, 20001),
            to(65535, 99999),
            to(1000, 90000),
        ];
        assert_eq!(
            sizes.map(|size| size.to_string()).join(" "),
            "VARCHAR(10) VARCHAR(256) VARCHAR(1024) VARCHAR(65535) VARCHAR(65535) VARCHAR(65535)"
        );
        let char = ColumnType::Char { bytes: 2 };
        assert_eq!(widened(&char, Extent { max_bytes: 9, range: None }), char);
    }

    #[test]
    fn kinds_do_not_mix() {
        assert_eq!(wider(&ColumnType::Integer, &ColumnType::BigInt), Some(ColumnType::BigInt));
        assert_eq!(wider(&ColumnType::BigInt, &ColumnType::SmallInt), Some(ColumnType::BigInt));
        assert_eq!(wider(&ColumnType::Integer, &ColumnType::Varchar { bytes: 9 }), None);
        assert_eq!(wider(&ColumnType::Real, &ColumnType::Double), None);
    }
}
