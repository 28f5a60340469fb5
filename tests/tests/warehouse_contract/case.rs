//! A case as it is written: TOML in, what to do and to expect out, with its placeholders filled in.
//!
//! Every case has a schema of its own. `{schema}`, `{database}`, `{bucket}`, `{region}` (of warehouse
//! and bucket), `{elsewhere}` (another Region) and `{role}` (an ARN for IAM_ROLE) stand for what
//! belongs to the run, `{n*127}` for 127 times `n`, and `{c# INT*3}` for `c1 INT, c2 INT, c3 INT`.
//! A case with `compressions` is run with each of them as `{compression}`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::objects::Object;

/// One file: the cases of an area.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Area {
    /// Where the facts are from, if a case does not say otherwise.
    source: Option<String>,
    case: Vec<Case>,
}

/// A fact about the warehouse and how to see it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    #[serde(skip)]
    pub(crate) area: String,
    name: String,
    #[serde(default)]
    source: String,
    /// Whether a public source says it in so many words. What is only likely is reported apart on a
    /// real cluster.
    #[serde(default = "yes")]
    pub(crate) confirmed: bool,
    /// Compressions of Parquet, each with whether a public source says that COPY reads it.
    #[serde(default)]
    compressions: BTreeMap<String, bool>,
    /// That of this run.
    #[serde(skip)]
    pub(crate) compression: Option<String>,
    /// Run first, in one transaction, and must work.
    #[serde(default)]
    pub(crate) setup: Vec<String>,
    /// It runs in a database of its own, which has this isolation level.
    pub(crate) isolation: Option<String>,
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

/// The cases of all files, in order.
pub(crate) fn read(dir: &Path) -> Vec<Case> {
    let files = std::fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut files: Vec<_> = files.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for file in
        files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "toml"))
    {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{name}: {error}"));
        let area: Area = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        for mut case in area.case {
            if case.source.is_empty() {
                case.source = area.source.clone().unwrap_or_default();
            }
            case.area.clone_from(&name);
            case.check();
            cases.extend(case.with_each_compression());
        }
    }
    let mut titles: Vec<String> = cases.iter().map(Case::title).collect();
    titles.sort();
    titles.windows(2).for_each(|two| assert_ne!(two[0], two[1], "two cases have one name"));
    cases
}

impl Case {
    /// The case itself, or one for each of its compressions.
    fn with_each_compression(self) -> Vec<Case> {
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

    /// Area and name: what its test is called.
    pub(crate) fn name(&self) -> String {
        format!("{}: {}", self.area, self.name)
    }

    /// Its name, and where its fact is from.
    pub(crate) fn title(&self) -> String {
        let doubt = if self.confirmed { "" } else { ", unconfirmed" };
        format!("{}: {} ({}{doubt})", self.area, self.name, self.source)
    }

    fn check(&self) {
        assert!(self.source.starts_with("https://"), "{}: a fact needs a public source", self.name);
        assert!(!self.steps.is_empty(), "{}: nothing is tried", self.name);
        let mut started: Vec<&String> = self.steps.iter().flat_map(|step| &step.starts).collect();
        let mut awaited: Vec<&String> = self.steps.iter().flat_map(|step| &step.awaits).collect();
        started.sort();
        awaited.sort();
        assert_eq!(started, awaited, "{}: what is started is awaited once", self.name);
        for step in &self.steps {
            assert_eq!(step.kinds(), 1, "{}: a step is one request", self.name);
            assert!(step.session.is_some() || !step.names_a_session(), "{}: which?", self.name);
            let speaks_of_one = step.expected().is_some();
            assert!(
                step.execute.is_some() || !speaks_of_one,
                "{}: say it in the batch's statement",
                self.name
            );
        }
    }
}

impl Step {
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

/// What placeholders stand for.
pub(crate) struct Values(pub(crate) Vec<(&'static str, String)>);

impl Values {
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let value =
                after.split_once('}').and_then(|(name, after)| Some((self.value(name)?, after)));
            match value {
                Some((value, after)) => {
                    out.push_str(&value);
                    rest = after;
                }
                // JSON has braces too.
                None => {
                    out.push('{');
                    rest = after;
                }
            }
        }
        out + rest
    }

    fn value(&self, name: &str) -> Option<String> {
        if let Some((_, value)) = self.0.iter().find(|(known, _)| *known == name) {
            return Some(value.clone());
        }
        let (part, times) = name.rsplit_once('*')?;
        let times: usize = times.parse().ok()?;
        if !part.contains('#') {
            return Some(part.repeat(times));
        }
        let numbered: Vec<String> =
            (1..=times).map(|number| part.replace('#', &number.to_string())).collect();
        Some(numbered.join(", "))
    }
}

/// The one test of this file: `main` calls it, because a test with a `main` has no `#[test]`.
pub(crate) fn placeholders_are_filled() {
    let values = Values(vec![("schema", "s1".to_owned())]);
    assert_eq!(
        values.fill("{schema}.t {x*3} {c# INT*2} {\"a\": {schema}}"),
        "s1.t xxx c1 INT, c2 INT {\"a\": s1}"
    );
    assert_eq!(values.fill("{ unknown} {"), "{ unknown} {");
}
