//! `loader sql`: one statement through the Data API, its rows as a table, CSV or JSON.

use loader_aws::connect as aws;
use loader_aws::data_api::DataApi;
use loader_aws::stop::Stop;
use loader_data::parts::csv::push_text;
use loader_model::error::Result;
use loader_warehouse::rows::{Cell, ResultRows};
use serde_json::{Map, Value};

use crate::cli::{RowFormat, SqlArgs};
use crate::commands::{conclude, print, print_as_it_is, table};
use crate::job::{self, WarehouseSettings};
use crate::redshift::query::select;

/// Runs the statement and prints its rows; a statement without rows prints nothing.
pub async fn run(args: SqlArgs, stop: Stop) -> u8 {
    conclude(query(args, stop).await)
}

async fn query(args: SqlArgs, stop: Stop) -> Result<()> {
    let settings = WarehouseSettings::decide_for_queries(job::settings(args.run)?)?;
    let aws = aws::connect(&settings.access).await?;
    let api = DataApi::new(&aws, &settings.database, "loader sql", stop);
    if let Some(rows) = select(&api, &args.statement).await? {
        let text = render(&rows, args.format);
        match args.format {
            RowFormat::Csv | RowFormat::Json => print_as_it_is(&text),
            RowFormat::Table => print(&text),
        }
    }
    Ok(())
}

/// The rows as text, with a last line end.
pub fn render(rows: &ResultRows, format: RowFormat) -> String {
    match format {
        RowFormat::Table => table(rows),
        RowFormat::Csv => csv(rows),
        RowFormat::Json => json(rows),
    }
}

fn table(rows: &ResultRows) -> String {
    let mut table = table::table(&rows.columns);
    for row in &rows.rows {
        table.add_row(row.iter().map(|cell| match cell {
            Cell::Null => "NULL".to_owned(),
            cell => cell.to_text(),
        }));
    }
    format!("{table}\n")
}

fn csv(rows: &ResultRows) -> String {
    let mut out = String::new();
    let mut line = |cells: Vec<Option<String>>| {
        for (i, cell) in cells.into_iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            // NULL is an empty field. `push_text` quotes the empty text: `1,,""` is a number, NULL
            // and the empty text.
            if let Some(text) = cell {
                push_text(&mut out, &text);
            }
        }
        out.push('\n');
    };
    line(rows.columns.iter().cloned().map(Some).collect());
    for row in &rows.rows {
        line(row.iter().map(|cell| (*cell != Cell::Null).then(|| cell.to_text())).collect());
    }
    out
}

fn json(rows: &ResultRows) -> String {
    let value = |cell: &Cell| match cell {
        Cell::Null => Value::Null,
        Cell::Boolean(value) => (*value).into(),
        Cell::Long(value) => (*value).into(),
        Cell::Double(value) => (*value).into(),
        Cell::Text(value) => value.clone().into(),
    };
    // Columns of one name share a key, and the last one's value stays: `SELECT 1 AS n, 2 AS n`
    // gives {"n": 2}. The table and CSV show both columns.
    let objects = rows.rows.iter().map(|row| {
        let pairs = rows.columns.iter().cloned().zip(row.iter().map(value));
        Value::Object(pairs.collect::<Map<_, _>>())
    });
    format!("{:#}\n", Value::Array(objects.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> ResultRows {
        let row = vec![
            Cell::Long(1),
            Cell::Text("a, \"b\"".into()),
            Cell::Null,
            Cell::Text(String::new()),
        ];
        ResultRows { columns: ["n", "t", "x", "e"].map(String::from).to_vec(), rows: vec![row] }
    }

    #[test]
    fn null_shows_in_every_format() {
        assert_eq!(csv(&rows()), "n,t,x,e\n1,\"a, \"\"b\"\"\",,\"\"\n");
        let parsed: Value = serde_json::from_str(&json(&rows())).expect("is JSON");
        assert_eq!(parsed, serde_json::json!([{"n": 1, "t": "a, \"b\"", "x": null, "e": ""}]));
        assert!(table(&rows()).contains("NULL"));
    }
}
