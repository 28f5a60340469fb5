//! Result sets as JSON: `ColumnMetadata`, `Field` unions, pages. In: rows in memory. Out: what
//! GetStatementResult answers, for example `{"longValue": 42}` for the INTEGER 42. Source of the
//! encodings: the Data API's model and the samples of the Management Guide.

use std::ops::Range;

use serde_json::{Value, json};

use super::members::Members;
use crate::session::{ColumnInfo, ResultSet};

/// The most rows of a page. It is small on purpose: a client that ignores NextToken loses rows of
/// any larger result, and its author sees that at once.
pub(crate) const PAGE_ROWS: usize = 100;
/// The most bytes of a page, by estimate.
const PAGE_BYTES: usize = 1 << 20;

/// A column as a `ColumnMetadata`.
pub(crate) fn column_metadata(column: &ColumnInfo) -> Value {
    let type_name = column.type_name;
    let is_number = matches!(type_name, "int2" | "int4" | "int8" | "float4" | "float8" | "numeric");
    let is_text = matches!(type_name, "varchar" | "bpchar" | "char" | "name" | "super");
    json!({
        "isCaseSensitive": is_text, "isCurrency": false, "isSigned": is_number,
        "label": column.name, "length": 0, "name": column.name, "nullable": 1,
        "precision": column.precision, "scale": column.scale, "schemaName": "", "tableName": "",
        "typeName": type_name,
    })
}

/// One value as a `Field`, an object with exactly one member.
// DECIMAL is text, since the union has no exact number: 1.20 becomes `{"stringValue":"1.20"}`.
// PostgreSQL writes a VARBYTE as `\x0a1b`, the service its digits only.
fn field(type_name: &str, value: Option<&str>) -> Value {
    let Some(text) = value else { return json!({"isNull": true}) };
    match type_name {
        "int2" | "int4" | "int8" | "oid" => text
            .parse::<i64>()
            .map_or_else(|_| json!({"stringValue": text}), |n| json!({"longValue": n})),
        "float4" | "float8" => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => json!({"doubleValue": number}),
            // JSON has no NaN and no infinity.
            _ => json!({"stringValue": text}),
        },
        "bool" => json!({"booleanValue": text == "t"}),
        "varbyte" => json!({"stringValue": text.trim_start_matches("\\x")}),
        _ => json!({"stringValue": text}),
    }
}

/// How the rows of a page are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For GetStatementResult.
    Json,
    /// For GetStatementResultV2.
    Csv,
}

fn page_end(set: &ResultSet, start: usize) -> usize {
    let mut bytes = 0;
    let mut end = start;
    for row in set.rows.iter().skip(start).take(PAGE_ROWS) {
        // 24 bytes for what JSON adds to a value, such as `{"stringValue":""},`. A page always gets
        // its first row, however long: an empty page would start the next one at the same row.
        bytes += row.iter().flatten().map(|value| value.len() + 24).sum::<usize>();
        if end > start && bytes > PAGE_BYTES {
            break;
        }
        end += 1;
    }
    end
}

/// The members of the page that starts at row `start`, and the row where the next page starts.
pub(crate) fn page(set: &ResultSet, start: usize, format: Format) -> (Members, Option<usize>) {
    let end = page_end(set, start);
    let columns: Vec<Value> = set.columns.iter().map(column_metadata).collect();
    let page =
        Members::default().with("ColumnMetadata", columns).with("TotalNumRows", set.rows.len());
    let page = match format {
        Format::Json => page.with("Records", fields(set, start..end)),
        Format::Csv => page
            .with("Records", json!([{"CSVRecords": csv(set, start..end)}]))
            .with("ResultFormat", "CSV"),
    };
    (page, (end < set.rows.len()).then_some(end))
}

fn fields(set: &ResultSet, rows: Range<usize>) -> Value {
    let records = set.rows[rows].iter().map(|row| {
        let fields = row
            .iter()
            .zip(&set.columns)
            .map(|(value, column)| field(column.type_name, value.as_deref()));
        Value::Array(fields.collect())
    });
    Value::Array(records.collect())
}

/// Rows as CSV. Only the first page has the header, so that all pages together are one file.
fn csv(set: &ResultSet, rows: Range<usize>) -> String {
    let mut text = String::new();
    if rows.start == 0 {
        push_csv(&mut text, set.columns.iter().map(|column| Some(column.name.as_str())));
    }
    for row in &set.rows[rows] {
        push_csv(&mut text, row.iter().map(Option::as_deref));
    }
    text
}

fn push_csv<'a>(text: &mut String, values: impl Iterator<Item = Option<&'a str>>) {
    for (index, value) in values.enumerate() {
        if index > 0 {
            text.push(',');
        }
        let value = value.unwrap_or("");
        if value.contains([',', '"', '\n', '\r']) {
            text.push_str(&format!("\"{}\"", value.replace('"', "\"\"")));
        } else {
            text.push_str(value);
        }
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_one_member_of_the_union() {
        for (type_name, value, expected) in [
            ("int8", Some("-9223372036854775808"), r#"{"longValue":-9223372036854775808}"#),
            ("numeric", Some("1.20"), r#"{"stringValue":"1.20"}"#),
            ("float8", Some("1.5"), r#"{"doubleValue":1.5}"#),
            ("float8", Some("NaN"), r#"{"stringValue":"NaN"}"#),
            ("bool", Some("f"), r#"{"booleanValue":false}"#),
            ("varchar", Some(""), r#"{"stringValue":""}"#),
            ("date", None, r#"{"isNull":true}"#),
        ] {
            assert_eq!(field(type_name, value).to_string(), expected);
        }
    }

    #[test]
    fn pages_end_at_rows_and_at_bytes() {
        let row = |text: &str| vec![Some(Box::from(text))].into_boxed_slice();
        let columns = vec![ColumnInfo::new("a", "varchar", -1)];
        let set = ResultSet {
            columns: columns.clone(),
            rows: (0..250).map(|_| row("x")).collect(),
            size_bytes: 250,
        };
        assert_eq!(page(&set, 0, Format::Json).1, Some(100));
        assert_eq!(page(&set, 200, Format::Json).1, None);
        assert_eq!(
            Value::from(page(&set, 200, Format::Json).0)["Records"].as_array().map(Vec::len),
            Some(50)
        );
        let long = "x".repeat(60_000);
        let set = ResultSet { columns, rows: (0..50).map(|_| row(&long)).collect(), size_bytes: 0 };
        assert_eq!(page(&set, 0, Format::Json).1, Some(17));
    }
}
