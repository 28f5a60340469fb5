//! Result sets and their JSON: `ColumnMetadata`, `Field` unions, pages. In: PostgreSQL's text
//! values. Out: what GetStatementResult answers. Source of the encodings: the Data API's model and
//! the samples of the Management Guide.

use serde_json::{Map, Value, json};

/// A page has at most this many rows, so that a client which ignores NextToken shows it.
pub(crate) const PAGE_ROWS: usize = 100;
/// And about this many bytes.
const PAGE_BYTES: usize = 1 << 20;
/// The service's limits.
pub(crate) const MAX_ROW_BYTES: usize = 64 << 10;
pub(crate) const MAX_RESULT_BYTES: usize = 100 << 20;

type Row = Box<[Option<Box<str>>]>;

/// What a query answered, in memory.
#[derive(Debug)]
pub(crate) struct ResultSet {
    pub(crate) columns: Vec<ColumnInfo>,
    pub(crate) rows: Vec<Row>,
    pub(crate) size_bytes: usize,
}

/// A column's metadata.
#[derive(Debug, Clone)]
pub(crate) struct ColumnInfo {
    pub(crate) name: String,
    pub(crate) type_name: &'static str,
    pub(crate) precision: i32,
    pub(crate) scale: i32,
    scale_is_known: bool,
}

impl ColumnInfo {
    /// `modifier` is PostgreSQL's type modifier, -1 for none.
    pub(crate) fn new(name: &str, type_name: &'static str, modifier: i32) -> ColumnInfo {
        let (precision, scale) = match type_name {
            "int2" => (5, 0),
            "int4" | "oid" => (10, 0),
            "int8" => (19, 0),
            "float4" => (8, 8),
            "float8" => (17, 17),
            "numeric" if modifier >= 4 => ((modifier - 4) >> 16, (modifier - 4) & 0xffff),
            "numeric" => (38, 0),
            "bool" | "char" => (1, 0),
            "date" => (13, 0),
            "time" => (15, 6),
            "timetz" => (21, 6),
            "timestamp" => (29, 6),
            "timestamptz" => (35, 6),
            "name" => (127, 0),
            "varchar" | "bpchar" if modifier >= 4 => (modifier - 4, 0),
            "varchar" => (65_535, 0),
            _ => (0, 0),
        };
        ColumnInfo {
            name: name.to_owned(),
            type_name,
            precision,
            scale,
            scale_is_known: type_name != "numeric" || modifier >= 4,
        }
    }

    /// An expression's numeric has no declared scale: the first value shows it.
    pub(crate) fn learn_scale(&mut self, first: Option<&str>) {
        if !self.scale_is_known
            && let Some((_, fraction)) = first.and_then(|value| value.split_once('.'))
        {
            self.scale = i32::try_from(fraction.len()).unwrap_or(0);
        }
    }

    /// The member names are those of `ColumnMetadata`.
    pub(crate) fn to_json(&self) -> Value {
        let is_number =
            matches!(self.type_name, "int2" | "int4" | "int8" | "float4" | "float8" | "numeric");
        let is_text = matches!(self.type_name, "varchar" | "bpchar" | "char" | "name" | "super");
        json!({
            "isCaseSensitive": is_text, "isCurrency": false, "isSigned": is_number, "label": self.name, "length": 0, "name": self.name,
            "nullable": 1, "precision": self.precision, "scale": self.scale, "schemaName": "", "tableName": "", "typeName": self.type_name,
        })
    }
}

/// One value as a `Field`: exactly one member.
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

impl ResultSet {
    fn page_end(&self, start: usize) -> usize {
        let mut bytes = 0;
        let mut end = start;
        for row in self.rows.iter().skip(start).take(PAGE_ROWS) {
            bytes += row.iter().flatten().map(|value| value.len() + 24).sum::<usize>();
            if end > start && bytes > PAGE_BYTES {
                break;
            }
            end += 1;
        }
        end
    }

    /// The members of a page that starts at row `start`, and where the next one starts.
    pub(crate) fn page(&self, start: usize) -> (Map<String, Value>, Option<usize>) {
        let end = self.page_end(start);
        let records = self.rows[start..end].iter().map(|row| {
            let fields = row
                .iter()
                .zip(&self.columns)
                .map(|(value, column)| field(column.type_name, value.as_deref()));
            Value::Array(fields.collect())
        });
        let mut page = self.common();
        page.insert("Records".to_owned(), Value::Array(records.collect()));
        (page, (end < self.rows.len()).then_some(end))
    }

    /// The same as CSV text, for GetStatementResultV2; the header comes with the first page.
    pub(crate) fn csv_page(&self, start: usize) -> (Map<String, Value>, Option<usize>) {
        let end = self.page_end(start);
        let mut text = String::new();
        if start == 0 {
            push_csv(&mut text, self.columns.iter().map(|column| Some(column.name.as_str())));
        }
        for row in &self.rows[start..end] {
            push_csv(&mut text, row.iter().map(Option::as_deref));
        }
        let mut page = self.common();
        page.insert("Records".to_owned(), json!([{"CSVRecords": text}]));
        page.insert("ResultFormat".to_owned(), json!("CSV"));
        (page, (end < self.rows.len()).then_some(end))
    }

    fn common(&self) -> Map<String, Value> {
        let columns = self.columns.iter().map(ColumnInfo::to_json).collect();
        Map::from_iter([
            ("ColumnMetadata".to_owned(), Value::Array(columns)),
            ("TotalNumRows".to_owned(), json!(self.rows.len())),
        ])
    }
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
        assert_eq!(set.page(0).1, Some(100));
        assert_eq!(set.page(200).1, None);
        assert_eq!(set.page(200).0["Records"].as_array().map(Vec::len), Some(50));
        let long = "x".repeat(60_000);
        let set = ResultSet { columns, rows: (0..50).map(|_| row(&long)).collect(), size_bytes: 0 };
        assert_eq!(set.page(0).1, Some(17));
    }
}
