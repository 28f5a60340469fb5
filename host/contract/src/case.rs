//! A case as it is written: TOML in, what to do and to expect out, with its placeholders filled in.
//!
//! Every case has a schema for itself. `{schema}`, `{database}`, `{bucket}` (with the folder in it
//! that holds the objects), `{folder}`, `{region}` (of warehouse and bucket), `{elsewhere}`
//! (another Region) and `{role}` (an ARN for IAM_ROLE) stand for what belongs to the run, `{n*127}`
//! for 127 times `n`, and `{c# INT*3}` for `c1 INT, c2 INT, c3 INT`. A case with `compressions` is
//! run with each of them as `{compression}`.

use std::collections::BTreeMap;

use loader_model::error::{Error, Kind, Result};
use serde::Deserialize;

use crate::objects::Object;
use crate::values::Values;

/// A fact about the warehouse and how to see it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    #[serde(skip)]
    area: String,
    name: String,
    #[serde(default)]
    source: String,
    /// Whether a public source says it in so many words. What is only likely is reported apart on a
    /// real cluster.
    #[serde(default = "yes")]
    confirmed: bool,
    /// Compressions of Parquet, each with whether a public source says that COPY reads it.
    #[serde(default)]
    compressions: BTreeMap<String, bool>,
    /// That of this run.
    #[serde(skip)]
    compression: Option<String>,
    /// Run first, in one transaction, and must work.
    #[serde(default)]
    pub(crate) setup: Vec<String>,
    /// It runs in a database of its own, which has this isolation level.
    isolation: Option<String>,
    /// Keys and what is there.
    #[serde(default)]
    pub(crate) objects: BTreeMap<String, Object>,
    pub(crate) steps: Vec<Step>,
    /// Run at the end, after the schema was dropped.
    #[serde(default)]
    pub(crate) teardown: Vec<String>,
}

fn yes() -> bool {
    true
}

/// One request: exactly one of `execute`, `transaction`, `auto_commit`, `awaits`, `cancels` and
/// `session_is`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) execute: Option<String>,
    pub(crate) transaction: Option<Vec<Item>>,
    pub(crate) auto_commit: Option<Vec<Item>>,
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, String>,
    /// The session that it runs in. The first request with a name makes the session.
    pub(crate) session: Option<String>,
    /// SessionKeepAliveSeconds. Without it, a session is made with 60.
    pub(crate) keep_alive: Option<i32>,
    /// Names the warehouse and the database also in a session.
    #[serde(default)]
    pub(crate) names_database: bool,
    /// It is sent under this name and not waited for; another step awaits it.
    pub(crate) starts: Option<String>,
    /// Waits for the request of this name, and sees whether it ended as its own step says.
    pub(crate) awaits: Option<String>,
    /// Cancels the request of this name.
    pub(crate) cancels: Option<String>,
    /// Waits until ListSessions gives the session this status.
    pub(crate) session_is: Option<String>,
    /// It is sent again until it ends as the step says.
    #[serde(default)]
    pub(crate) eventually: bool,
    /// The request itself is an error that says this.
    pub(crate) refused: Option<String>,
    pub(crate) rows: Option<Vec<String>>,
    pub(crate) contains: Option<Vec<String>>,
    pub(crate) columns: Option<String>,
    pub(crate) affected: Option<i64>,
    pub(crate) error: Option<String>,
}

/// A statement of a batch, bare when it only has to work.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Item {
    Bare(String),
    Full(FullItem),
}

/// A statement and what becomes of it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FullItem {
    pub(crate) sql: String,
    /// How often it stands in the batch.
    #[serde(default = "once")]
    pub(crate) times: usize,
    pub(crate) rows: Option<Vec<String>>,
    pub(crate) contains: Option<Vec<String>>,
    pub(crate) columns: Option<String>,
    pub(crate) affected: Option<i64>,
    pub(crate) error: Option<String>,
}

fn once() -> usize {
    1
}

/// What becomes of a statement; with nothing said, it works.
#[derive(Clone, Default)]
pub(crate) struct Expected {
    /// All rows in order, values with `|` between, NULL as `null`.
    pub(crate) rows: Option<Vec<String>>,
    /// Texts that the rows hold: for what the source does not spell out.
    pub(crate) contains: Option<Vec<String>>,
    /// `name type` of every column of the result.
    pub(crate) columns: Option<String>,
    /// Rows affected; there is no result.
    pub(crate) affected: Option<i64>,
    /// It fails and says this; empty when no source has its words.
    pub(crate) error: Option<String>,
}

impl Case {
    /// The case as a part of its file. `source`: where the file's facts are from. Errors:
    /// `Internal` for a case that is not sound.
    pub(crate) fn of_area(mut self, area: &str, source: Option<&str>) -> Result<Case> {
        area.clone_into(&mut self.area);
        if self.source.is_empty() {
            self.source = source.unwrap_or_default().to_owned();
        }
        match self.mistake() {
            Some(mistake) => {
                let fact = format!("the case {:?} is not sound: {mistake}", self.name());
                Err(Error::new(Kind::Internal, fact))
            }
            None => Ok(self),
        }
    }

    /// The case itself, or one for each of its compressions.
    pub(crate) fn with_each_compression(self) -> Vec<Case> {
        let case = |(compression, confirmed): (&String, &bool)| Case {
            name: format!("{}, {compression}", self.name),
            confirmed: self.confirmed && *confirmed,
            compression: Some(compression.clone()),
            ..self.clone()
        };
        match self.compressions.is_empty() {
            true => vec![self],
            false => self.compressions.iter().map(case).collect(),
        }
    }

    /// Area and name, such as `alter: a VARCHAR grows`.
    pub fn name(&self) -> String {
        format!("{}: {}", self.area, self.name)
    }

    /// The file that has it, such as `alter`.
    pub(crate) fn area(&self) -> &str {
        &self.area
    }

    /// The isolation level of the database that it has for itself; `None` when any database will
    /// do.
    pub(crate) fn isolation(&self) -> Option<&str> {
        self.isolation.as_deref()
    }

    /// The compression of its Parquet files, where it is run with several.
    pub(crate) fn compression(&self) -> Option<&str> {
        self.compression.as_deref()
    }

    /// The page that says so.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether that page says it in so many words. Otherwise it is only likely.
    pub fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// Its name, and where its fact is from.
    pub fn title(&self) -> String {
        let doubt = if self.confirmed { "" } else { ", unconfirmed" };
        format!("{} ({}{doubt})", self.name(), self.source)
    }

    /// Whether only a superuser can run it: it makes users, groups, roles or databases.
    pub fn needs_superuser(&self) -> bool {
        let steps = self.steps.iter().flat_map(Step::statements);
        let all = self.setup.iter().map(String::as_str).chain(steps);
        self.isolation.is_some()
            || all.chain(self.teardown.iter().map(String::as_str)).any(is_about_identities)
    }

    fn mistake(&self) -> Option<&'static str> {
        let mut started: Vec<&String> = self.steps.iter().flat_map(|step| &step.starts).collect();
        let mut awaited: Vec<&String> = self.steps.iter().flat_map(|step| &step.awaits).collect();
        started.sort();
        awaited.sort();
        match () {
            () if !self.source.starts_with("https://") => Some("a fact needs a public source"),
            () if self.steps.is_empty() => Some("nothing is tried"),
            () if started != awaited => Some("what is started is awaited once"),
            () => self.steps.iter().find_map(Step::mistake),
        }
    }
}

/// Whether a statement makes, changes or drops a user, a group, a role or a database.
fn is_about_identities(sql: &str) -> bool {
    let mut words = sql.split_whitespace().map(str::to_ascii_uppercase);
    let verb = words.next().unwrap_or_default();
    let what = words.next().unwrap_or_default();
    ["CREATE", "ALTER", "DROP"].contains(&verb.as_str())
        && ["USER", "GROUP", "ROLE", "DATABASE"].contains(&what.as_str())
}

impl Step {
    fn mistake(&self) -> Option<&'static str> {
        match () {
            () if self.kinds() != 1 => Some("a step is one request"),
            () if self.session.is_none() && self.names_a_session() => Some("of which session?"),
            () if self.execute.is_none() && self.expected().is_some() => {
                Some("what is expected stands in the batch's statement")
            }
            () => None,
        }
    }

    /// The texts of its statements.
    fn statements(&self) -> impl Iterator<Item = &str> {
        let batches = self.transaction.iter().chain(&self.auto_commit).flatten();
        self.execute.as_deref().into_iter().chain(batches.map(Item::sql))
    }

    fn kinds(&self) -> usize {
        let kinds = [
            self.execute.is_some(),
            self.transaction.is_some(),
            self.auto_commit.is_some(),
            self.awaits.is_some(),
            self.cancels.is_some(),
            self.session_is.is_some(),
        ];
        kinds.iter().filter(|kind| **kind).count()
    }

    fn names_a_session(&self) -> bool {
        self.keep_alive.is_some() || self.names_database || self.session_is.is_some()
    }

    /// What is said about the one statement of `execute`.
    pub(crate) fn expected(&self) -> Option<Expected> {
        let expected = Expected {
            rows: self.rows.clone(),
            contains: self.contains.clone(),
            columns: self.columns.clone(),
            affected: self.affected,
            error: self.error.clone(),
        };
        expected.says_something().then_some(expected)
    }
}

impl Expected {
    fn says_something(&self) -> bool {
        let Expected { rows, contains, columns, affected, error } = self;
        rows.is_some()
            || contains.is_some()
            || columns.is_some()
            || affected.is_some()
            || error.is_some()
    }

    /// With its placeholders filled in.
    pub(crate) fn filled(&self, values: &Values) -> Expected {
        let all = |texts: &Vec<String>| texts.iter().map(|text| values.fill(text)).collect();
        Expected {
            rows: self.rows.as_ref().map(all),
            contains: self.contains.as_ref().map(all),
            columns: self.columns.as_ref().map(|text| values.fill(text)),
            affected: self.affected,
            error: self.error.as_ref().map(|text| values.fill(text)),
        }
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.columns.as_ref().map(|columns| format!("columns {columns}")));
        parts.extend(self.rows.as_ref().map(|rows| format!("rows {rows:?}")));
        parts.extend(self.contains.as_ref().map(|texts| format!("rows that hold {texts:?}")));
        parts.extend(self.affected.map(|rows| format!("{rows} rows affected")));
        parts.extend(self.error.as_ref().map(|error| format!("error {error:?}")));
        f.write_str(&if parts.is_empty() { "success".to_owned() } else { parts.join(", ") })
    }
}

impl Item {
    fn sql(&self) -> &str {
        match self {
            Item::Bare(sql) => sql,
            Item::Full(item) => &item.sql,
        }
    }

    /// The statement, how often, and what becomes of it.
    pub(crate) fn parts(&self) -> (&str, usize, Expected) {
        match self {
            Item::Bare(sql) => (sql, 1, Expected::default()),
            Item::Full(item) => {
                let FullItem { sql, times, rows, contains, columns, affected, error } = item;
                let (rows, contains, columns) = (rows.clone(), contains.clone(), columns.clone());
                (
                    sql,
                    *times,
                    Expected { rows, contains, columns, affected: *affected, error: error.clone() },
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_a_superuser_may_is_seen_by_its_first_words() {
        for sql in ["CREATE USER {schema}_u PASSWORD DISABLE", "drop  group g", "ALTER DATABASE d"]
        {
            assert!(is_about_identities(sql), "{sql}");
        }
        for sql in ["CREATE TABLE users (n INT)", "GRANT SELECT ON t TO ROLE r", "SELECT 1", ""] {
            assert!(!is_about_identities(sql), "{sql}");
        }
    }
}
