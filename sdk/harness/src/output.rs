//! What came of a run: rows, rejected rows, counters, log lines, and what it cost.

use std::fmt;
use std::time::Duration;

use arrow_schema::{DataType, SchemaRef};
use comfy_table::{ContentArrangement, Table, presets};

use crate::csv_text;

/// An output column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputColumn {
    /// The column's name, as the table will have it.
    pub name: String,
    /// The column's type in Arrow. `Decimal128(38, 18)` becomes DECIMAL(38,18) in the table.
    pub data_type: DataType,
}

/// A row that would not be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The row's number in the input, 1 for the first.
    pub record: u64,
    /// The line of the CSV text in which the row begins, 1 for the header. For other input the same
    /// as `record`.
    pub line: u64,
    /// The column at fault, as the plugin names it.
    pub column: Option<String>,
    /// A word for programs, such as `out-of-range`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// A line that the plugin logged, cut to the limits of a load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// 1 error, 2 warning, 3 info, 4 debug.
    pub level: u8,
    /// The line without control characters.
    pub text: String,
}

/// What a run cost.
#[derive(Clone, Debug, Default)]
pub struct Cost {
    /// Batches that the plugin got; 0 when its plan leaves it no work, so that it is not called.
    pub batches: u64,
    /// Bytes that went into the sandbox with the batches.
    pub bytes_in: u64,
    /// Bytes that came out of the sandbox.
    pub bytes_out: u64,
    /// Time in the sandbox.
    pub sandbox: Duration,
    /// Time to encode batches, and to check and decode what came back.
    pub encode_decode: Duration,
    /// The most linear memory that the plugin had.
    pub peak_memory_bytes: u64,
    /// Instructions that the plugin ran; `None` unless instructions are counted (see
    /// [`Harness::open_metered`](crate::Harness::open_metered)).
    pub fuel: Option<u64>,
    /// Log lines past the limit, which are dropped.
    pub log_lines_dropped: u64,
}

/// What came of a run. Two outputs are equal when everything but their cost is.
///
/// ```
/// use loader_harness::{OutputColumn, PluginOutput};
/// use loader_harness::arrow_schema::DataType;
///
/// let output = PluginOutput {
///     columns: vec![OutputColumn { name: "id".into(), data_type: DataType::Int32 }],
///     records: vec![1, 2],
///     rows: vec![vec![Some("7".into())], vec![None]],
///     ..PluginOutput::default()
/// };
/// assert_eq!(output.column("id"), Some(vec![Some("7"), None]));
/// assert_eq!(output.to_csv(), "id\n7\n\n");
/// assert!(output.to_string().contains("NULL"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct PluginOutput {
    /// The output columns.
    pub columns: Vec<OutputColumn>,
    /// For each row the number of the input row that it was made from, 1 for the first.
    pub records: Vec<u64>,
    /// The accepted rows as exact text, in the order of the input. NULL is `None`.
    pub rows: Vec<Vec<Option<String>>>,
    /// The rejected rows, in the order of the input.
    pub rejects: Vec<Rejected>,
    /// The plugin's own counters, and `cast.rounded`, which the host counts.
    pub counters: Vec<(String, u64)>,
    /// What the plugin logged while it planned and worked.
    pub log: Vec<LogLine>,
    /// What the run cost.
    pub cost: Cost,
}

impl PartialEq for PluginOutput {
    fn eq(&self, other: &PluginOutput) -> bool {
        // Not derived: `cost` holds times, which differ from run to run.
        self.columns == other.columns
            && self.records == other.records
            && self.rows == other.rows
            && self.rejects == other.rejects
            && self.counters == other.counters
            && self.log == other.log
    }
}

impl PluginOutput {
    /// Returns the values of a column; `None` when there is no such column.
    pub fn column(&self, name: &str) -> Option<Vec<Option<&str>>> {
        let index = self.columns.iter().position(|column| column.name == name)?;
        Some(self.rows.iter().map(|row| row.get(index).and_then(Option::as_deref)).collect())
    }

    /// Returns the plugin's counter of this name, 0 when there is none.
    pub fn counter(&self, name: &str) -> u64 {
        self.counters.iter().filter(|(known, _)| known == name).map(|(_, value)| value).sum()
    }

    /// Writes header and rows as CSV, the text of `expected.csv`. NULL is an empty field, the empty
    /// text is `""`.
    pub fn to_csv(&self) -> String {
        let header = self.columns.iter().map(|column| column.name.as_str());
        csv_text::write(
            header,
            self.rows.iter().map(|row| row.iter().map(Option::as_deref).collect::<Vec<_>>()),
        )
    }

    /// Writes `line,column,code,message` of each rejected row, the text of `rejects.csv`.
    pub fn rejects_to_csv(&self) -> String {
        let lines: Vec<String> =
            self.rejects.iter().map(|reject| reject.line.to_string()).collect();
        let rows = self.rejects.iter().zip(&lines).map(|(reject, line)| {
            let column = reject.column.as_deref().filter(|column| !column.is_empty());
            [Some(line.as_str()), column, Some(&reject.code), Some(&reject.message)]
        });
        csv_text::write(["line", "column", "code", "message"], rows)
    }

    fn rows_table(&self) -> Table {
        let mut rows = table();
        let header =
            self.columns.iter().map(|column| format!("{}\n{}", column.name, column.data_type));
        rows.set_header(std::iter::once("row".to_owned()).chain(header));
        for (record, row) in self.records.iter().zip(&self.rows) {
            let cells = row.iter().map(|cell| shown(cell.as_deref()));
            rows.add_row(std::iter::once(record.to_string()).chain(cells));
        }
        rows
    }

    fn rejects_table(&self) -> Table {
        let mut rejects = table();
        rejects.set_header(["rejected", "line", "column", "code", "message"]);
        for reject in &self.rejects {
            rejects.add_row([
                reject.record.to_string(),
                reject.line.to_string(),
                reject.column.clone().unwrap_or_default(),
                reject.code.clone(),
                reject.message.clone(),
            ]);
        }
        rejects
    }

    pub(crate) fn columns_of(schema: &SchemaRef) -> Vec<OutputColumn> {
        let column = |field: &arrow_schema::FieldRef| OutputColumn {
            name: field.name().clone(),
            data_type: field.data_type().clone(),
        };
        schema.fields().iter().map(column).collect()
    }
}

/// Tables of rows and rejects, then counters and log lines. NULL is written `NULL`, the empty text
/// `""`. Costs are left out: they differ from run to run, and a snapshot would too.
impl fmt::Display for PluginOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_table(f, &self.rows_table())?;
        if !self.rejects.is_empty() {
            writeln!(f)?;
            write_table(f, &self.rejects_table())?;
        }
        for (name, value) in &self.counters {
            writeln!(f, "counter {name} = {value}")?;
        }
        for line in &self.log {
            writeln!(f, "log {}: {}", level(line.level), line.text)?;
        }
        Ok(())
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} batches, {} bytes in, {} bytes out, {:.1} ms in the sandbox, {:.1} ms to encode \
             and decode, {} bytes of memory at most",
            self.batches,
            self.bytes_in,
            self.bytes_out,
            self.sandbox.as_secs_f64() * 1e3,
            self.encode_decode.as_secs_f64() * 1e3,
            self.peak_memory_bytes
        )?;
        match self.fuel {
            Some(fuel) => write!(f, ", {fuel} instructions"),
            None => Ok(()),
        }
    }
}

/// A cell as people read it. The text NULL looks like a missing value here; `to_csv` tells them
/// apart.
pub(crate) fn shown(cell: Option<&str>) -> String {
    match cell {
        None => "NULL".to_owned(),
        Some("") => "\"\"".to_owned(),
        Some(text) => text.to_owned(),
    }
}

fn level(level: u8) -> &'static str {
    match level {
        1 => "error",
        2 => "warning",
        3 => "info",
        _ => "debug",
    }
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    table
}

fn write_table(f: &mut fmt::Formatter<'_>, table: &Table) -> fmt::Result {
    table.lines().try_for_each(|line| writeln!(f, "{}", line.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output() -> PluginOutput {
        let column = |name: &str, data_type| OutputColumn { name: name.into(), data_type };
        PluginOutput {
            columns: vec![
                column("id", DataType::Int32),
                column("amount", DataType::Decimal128(18, 2)),
            ],
            records: vec![1, 3],
            rows: vec![
                vec![Some("1".into()), Some("0.10".into())],
                vec![Some(String::new()), None],
            ],
            rejects: vec![Rejected {
                record: 2,
                line: 4,
                column: Some("amount".into()),
                code: "out-of-range".into(),
                message: "more than 16 digits, cut".into(),
            }],
            counters: vec![("rounded".into(), 1)],
            log: vec![LogLine { level: 2, text: "careful".into() }],
            cost: Cost::default(),
        }
    }

    #[test]
    fn prints_as_tables() {
        insta::assert_snapshot!(output(), @r#"
        | row | id    | amount            |
        |     | Int32 | Decimal128(18, 2) |
        |-----|-------|-------------------|
        | 1   | 1     | 0.10              |
        | 3   | ""    | NULL              |

        | rejected | line | column | code         | message                  |
        |----------|------|--------|--------------|--------------------------|
        | 2        | 4    | amount | out-of-range | more than 16 digits, cut |
        counter rounded = 1
        log warning: careful
        "#);
    }

    #[test]
    fn costs_are_not_compared_but_everything_else_is() {
        let costly = PluginOutput { cost: Cost { batches: 9, ..Cost::default() }, ..output() };
        assert_eq!(costly, output());
        assert_ne!(PluginOutput { log: Vec::new(), ..output() }, output());
        assert_ne!(PluginOutput { records: vec![1, 2], ..output() }, output());
    }

    #[test]
    fn becomes_the_files_of_a_case() {
        assert_eq!(output().to_csv(), "id,amount\n1,0.10\n\"\",\n");
        let rejects =
            "line,column,code,message\n4,amount,out-of-range,\"more than 16 digits, cut\"\n";
        assert_eq!(output().rejects_to_csv(), rejects);
        assert_eq!((output().counter("rounded"), output().counter("lost")), (1, 0));
    }
}
