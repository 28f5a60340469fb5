//! Loads only the rows that an expression asks for, for example `status <> 'test' and amount > 0`.
//!
//! `tokens` and `grammar` read the expression, `check` fits it to the columns of the file, and
//! `evaluate` answers for a row as SQL does: a comparison with NULL is neither true nor false.

mod check;
mod evaluate;
mod expression;
mod grammar;
mod tokens;

use loader_sdk::{Error, Reject, Rows, Transform};
use schemars::JsonSchema;
use serde::Deserialize;

/// Which rows are loaded. One of `keep` and `reject` is needed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "filter_rows")]
pub struct Config {
    /// Rows for which this is true are loaded, and no others.
    keep: Option<String>,
    /// Rows for which this is true are not loaded.
    reject: Option<String>,
    /// Code of the rejected rows.
    #[serde(default = "filtered")]
    code: String,
    /// Why rows are rejected; the expression itself when it is not given.
    message: Option<String>,
}

fn filtered() -> String {
    "filtered".to_owned()
}

/// The plugin; see the crate's documentation.
pub struct FilterRows;

impl Transform for FilterRows {
    type Config = Config;
    const CONFIG_SCHEMA: Option<&'static str> = Some(include_str!("../config.schema.json"));

    fn steps(config: Config, rows: &mut Rows) -> Result<(), Error> {
        let choice = Choice::of(config.keep, config.reject)?;
        let checked = choice.check(rows)?;
        let message = config.message.unwrap_or_else(|| choice.message());
        let columns = checked.columns.clone();
        rows.reject_when(&columns, Reject::new(config.code, message), move |cells| {
            // An answer that NULL leaves open counts as false, as in a WHERE: `keep` then rejects
            // the row, and `reject` keeps it.
            let is_true = evaluate::evaluate(&checked.test, cells)? == Some(true);
            Ok(is_true != choice.wanted)
        })?;
        Ok(())
    }
}

loader_sdk::export_plugin!(FilterRows);

/// The expression that the config sets.
struct Choice {
    key: &'static str,
    text: String,
    /// Whether the rows for which it is true are loaded, or all others.
    wanted: bool,
}

impl Choice {
    fn of(keep: Option<String>, reject: Option<String>) -> Result<Choice, Error> {
        match (keep, reject) {
            (Some(text), None) => Ok(Choice { key: "keep", text, wanted: true }),
            (None, Some(text)) => Ok(Choice { key: "reject", text, wanted: false }),
            _ => {
                let message = "config: set either \"keep\" or \"reject\", to an expression";
                Err(Error::new("bad-config", message))
            }
        }
    }

    /// The expression, fitted to the columns.
    fn check(&self, rows: &Rows) -> Result<check::Checked, Error> {
        grammar::parse(&self.text)
            .and_then(|expression| check::check(&expression, rows))
            .map_err(|why| Error::new("bad-config", format!("config: {}: {why}", self.key)))
    }

    fn message(&self) -> String {
        match self.wanted {
            true => format!("the row is not one of those to keep: {}", self.text),
            false => format!("the row is one of those to reject: {}", self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use loader_sdk::Kind;
    use loader_sdk::testing::{Sample, check_config_schema};

    use super::*;

    fn orders() -> Sample {
        Sample::new(["id", "status", "amount", "day", "Is Test"])
            .kind("amount", Kind::Number)
            .kind("day", Kind::Date)
            .kind("Is Test", Kind::Boolean)
            .row(["1", "open", "10.10", "2024-01-31", "false"])
            .row(["2", "closed", "10.1000000000000000001", "2024-02-01", "false"])
            .row([Some("3"), None, Some("-2"), None, Some("true")])
            .row([Some("4"), Some("it's"), None, Some("2023-12-31"), None])
    }

    fn kept(expression: &str) -> String {
        let config = format!(r#"{{"keep": {expression:?}}}"#);
        match orders().run::<FilterRows>(&config) {
            Ok(ran) => ran.column("id").into_iter().flatten().collect::<Vec<_>>().join(" "),
            Err(error) => error.message,
        }
    }

    #[test]
    fn expressions_choose_rows_as_sql_does() {
        assert_eq!(kept("status = 'open'"), "1");
        assert_eq!(kept("status <> 'open'"), "2 4");
        assert_eq!(kept("not status = 'open'"), "2 4");
        assert_eq!(kept("status is null or amount is null"), "3 4");
        assert_eq!(kept("status is not null and amount is not null"), "1 2");
        assert_eq!(kept("status in ('open', 'it''s')"), "1 4");
        assert_eq!(kept("status not in ('open')"), "2 4");
        assert_eq!(kept("\"Is Test\" = true"), "3");
        assert_eq!(kept("\"Is Test\""), "3");
        assert_eq!(kept("not \"Is Test\""), "1 2");
        assert_eq!(kept("id >= 2 and (id < 3 or status = 'it''s')"), "2 4");
        assert_eq!(kept("id = 1 or id = 2 and status = 'open'"), "1");
        assert_eq!(kept("NOT (id = 1 OR id = 2)"), "3 4");
    }

    #[test]
    fn numbers_are_compared_exactly() {
        assert_eq!(kept("amount = 10.1"), "1");
        assert_eq!(kept("amount > 10.1"), "2");
        assert_eq!(kept("amount <= -2"), "3");
        assert_eq!(kept("10 < amount"), "1 2");
        assert_eq!(kept("amount in (10.1, -2)"), "1 3");
        assert_eq!(kept("amount > 1e1"), "1 2");
    }

    #[test]
    fn days_are_compared_as_days() {
        assert_eq!(kept("day >= '2024-01-31'"), "1 2");
        assert_eq!(kept("day < '2024-01-31 12:00:00'"), "1 4");
    }

    #[test]
    fn rows_are_rejected_with_code_and_message() {
        let ran = orders().run::<FilterRows>(
            r#"{"reject": "id > 1", "code": "later", "message": "only the first"}"#,
        );
        let ran = ran.expect("runs");
        assert_eq!(ran.column("id"), [Some("1")]);
        assert_eq!(
            (ran.rejects[0].1.code.as_str(), ran.rejects[0].1.message.as_str()),
            ("later", "only the first")
        );
        let ran = orders().run::<FilterRows>(r#"{"keep": "id = 1"}"#).expect("runs");
        assert_eq!(ran.rejects[0].1.message, "the row is not one of those to keep: id = 1");
        assert_eq!(ran.rejects.len(), 3);
    }

    #[test]
    fn a_field_that_is_no_number_rejects_its_row_for_that() {
        let sample = Sample::new(["n"]).row(["x"]).row(["2"]);
        let ran = sample.run::<FilterRows>(r#"{"keep": "n > 1"}"#).expect("runs");
        assert_eq!(
            ran.to_string(),
            "n\n2\nrow 1: not-a-number: column \"n\": the field is not a number\n"
        );
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(
            kept("state = 'open'"),
            "config: keep: no column \"state\"; there are: \"id\", \"status\", \"amount\", \
             \"day\", \"Is Test\""
        );
        assert_eq!(kept("amount > 'much'"), "config: keep: amount is a number, 'much' is not");
        assert_eq!(
            kept("day > 'soon'"),
            "config: keep: day is a point in time, 'soon' is not; write YYYY-MM-DD or YYYY-MM-DD \
             HH:MM:SS"
        );
        assert_eq!(
            kept("day > 5"),
            "config: keep: day is a point in time, 5 is not; write YYYY-MM-DD or YYYY-MM-DD \
             HH:MM:SS"
        );
        assert_eq!(
            kept("id ="),
            "config: keep: at character 5: expected a column or a value, found the end"
        );
        assert_eq!(
            kept("id = 1 2"),
            "config: keep: at character 8: expected and, or, or the end, found 2"
        );
        assert_eq!(kept("(id = 1"), "config: keep: at character 8: expected ), found the end");
        assert_eq!(kept("status = 'open"), "config: keep: at character 10: the text is not closed");
        assert_eq!(kept("id ~ 1"), "config: keep: at character 4: no expression has ~ in it");
        assert_eq!(
            kept("status"),
            "config: keep: status is not a boolean; compare it with a value"
        );
        assert_eq!(
            kept("id in (1, status)"),
            "config: keep: at character 11: expected a value, found status"
        );
        let error = orders().run::<FilterRows>("").expect_err("is refused");
        assert_eq!(error.message, "config: set either \"keep\" or \"reject\", to an expression");
    }

    #[test]
    fn the_schema_is_that_of_the_config() -> Result<(), Error> {
        check_config_schema::<Config>(concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json"))
    }
}
