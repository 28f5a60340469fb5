//! A request and what becomes of it. In: statements and what the case says of each; out: the first
//! thing that is otherwise, with the statement, what was expected and what was found.

use std::collections::BTreeMap;

use loader_aws::data_api::requests::{
    Answer, Mode, Place, Request, Requests, ResultText, StatementAnswer, Submitted,
};
use loader_model::error::{Error, Kind};

use crate::case::Expected;

/// The service's words for a statement of a batch that did not run.
const NEVER_RAN: &str = "Connection or an prior query failed.";

/// The most of a text that is shown: some cases have statements of 100 KB.
const MAX_SHOWN: usize = 1000;

/// What is not as it should be.
#[derive(Clone, Debug)]
pub struct Difference {
    pub statement: String,
    pub expected: String,
    pub found: String,
}

impl Difference {
    fn new(statement: &str, expected: &str, found: &str) -> Difference {
        let [statement, expected, found] = [statement, expected, found].map(shortened);
        Difference { statement, expected, found }
    }

    /// A session that did not get a status.
    pub(crate) fn of_session(name: &str, expected: &str, found: &str) -> Difference {
        let [expected, found] = [expected, found].map(|status| format!("status {status}"));
        Difference::new(&format!("session {name:?}"), &expected, &found)
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Difference { statement, expected, found } = self;
        writeln!(f, "  statement: {statement}\n  expected:  {expected}\n  found:     {found}")
    }
}

/// Why a case goes no further.
pub(crate) enum Stopped {
    /// Something is otherwise than the case says.
    Otherwise(Difference),
    /// The warehouse could not be asked.
    Failed(Error),
}

impl From<Difference> for Stopped {
    fn from(difference: Difference) -> Stopped {
        Stopped::Otherwise(difference)
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Stopped {
        Stopped::Failed(error)
    }
}

/// Statements that are sent together, and what becomes of each.
pub(crate) struct Attempt<'a> {
    pub(crate) statements: Vec<String>,
    pub(crate) expected: Vec<Expected>,
    pub(crate) mode: Mode,
    pub(crate) parameters: &'a BTreeMap<String, String>,
    pub(crate) refused: Option<&'a str>,
    /// Whether the case cancels it.
    pub(crate) is_cancelled: bool,
}

impl Attempt<'_> {
    fn differs(&self, expected: String, found: String) -> Difference {
        Difference::new(&self.statements.join("; "), &expected, &found)
    }

    /// Sends it. `None`: it was refused, as the case says.
    pub(crate) async fn submit(
        &self,
        requests: &Requests,
        place: Place<'_>,
    ) -> Result<Option<Submitted>, Stopped> {
        let (statements, parameters) = (&self.statements[..], self.parameters);
        let request = Request { statements, mode: self.mode, parameters, place };
        let sent = requests.submit(&request).await;
        let taken = "a request that is taken".to_owned();
        match (sent, self.refused) {
            (Ok(submitted), None) => Ok(Some(submitted)),
            (Ok(_), Some(words)) => Err(self.differs(format!("refusal {words:?}"), taken).into()),
            (Err(error), Some(words)) if error.to_string().contains(words) => Ok(None),
            // It says nothing of the fact.
            (Err(error), _) if is_passing(&error) => Err(error.into()),
            (Err(error), words) => {
                let expected = words.map_or(taken, |words| format!("refusal {words:?}"));
                Err(self.differs(expected, format!("refusal {error}")).into())
            }
        }
    }

    /// Holds an answer against what the case says. `words`: errors whose words no source gives.
    pub(crate) fn check(&self, answer: &Answer, words: &mut Vec<String>) -> Result<(), Difference> {
        let failing = self.expected.iter().position(|expected| expected.error.is_some());
        let pairs = self.statements.iter().zip(&self.expected).enumerate();
        for (index, (statement, expected)) in pairs {
            let nothing = StatementAnswer::default();
            let found = answer.statements.get(index).unwrap_or(&nothing);
            if let Some(wanted) = self.wanted_instead(index, expected, found, failing) {
                return Err(Difference::new(statement, &wanted, &describe(found)));
            }
            if expected.error.as_deref() == Some("") {
                words.push(format!("{statement}\n    {}", found.error));
            }
        }
        let status = if failing.is_some() { self.failed() } else { "FINISHED" };
        if answer.status == status {
            return Ok(());
        }
        Err(self.differs(format!("status {status}"), format!("status {}", answer.status)))
    }

    /// What a statement should have become; `None` when it did. `failing`: the statement of the
    /// request that has to fail.
    fn wanted_instead(
        &self,
        index: usize,
        expected: &Expected,
        found: &StatementAnswer,
        failing: Option<usize>,
    ) -> Option<String> {
        match failing.filter(|_| self.mode == Mode::Transaction) {
            // Its status says nothing, as it was rolled back.
            Some(failing) if index < failing => {
                (found.status == "FAILED").then(|| "a later failure".to_owned())
            }
            Some(failing) if index > failing => {
                let is_right = found.status == "ABORTED" && found.error == NEVER_RAN;
                (!is_right).then(|| format!("ABORTED {NEVER_RAN:?}"))
            }
            _ => (!self.is_as(expected, found)).then(|| expected.to_string()),
        }
    }

    /// The status of what does not work.
    fn failed(&self) -> &'static str {
        if self.is_cancelled { "ABORTED" } else { "FAILED" }
    }

    fn is_as(&self, expected: &Expected, found: &StatementAnswer) -> bool {
        match &expected.error {
            Some(error) => found.status == self.failed() && found.error.contains(error.as_str()),
            None => has_worked_as(expected, found),
        }
    }
}

fn is_passing(error: &Error) -> bool {
    matches!(error.kind(), Kind::Transient | Kind::OutcomeUnknown)
}

fn has_worked_as(expected: &Expected, found: &StatementAnswer) -> bool {
    let Expected { rows, contains, columns, affected, .. } = expected;
    let nothing = ResultText::default();
    let result = found.result.as_ref().unwrap_or(&nothing);
    let text = result.rows.join("\n");
    found.status == "FINISHED"
        && (found.result.is_some() || (rows.is_none() && contains.is_none() && columns.is_none()))
        && rows.as_ref().is_none_or(|rows| {
            *rows == result.rows && found.count == i64::try_from(rows.len()).unwrap_or(-1)
        })
        && contains
            .as_ref()
            .is_none_or(|parts| parts.iter().all(|part| text.contains(part.as_str())))
        && columns.as_ref().is_none_or(|columns| *columns == result.columns)
        && affected.is_none_or(|affected| found.result.is_none() && found.count == affected)
}

fn describe(found: &StatementAnswer) -> String {
    match &found.result {
        Some(ResultText { columns, rows }) => format!("columns {columns}, rows {rows:?}"),
        None if found.status == "FINISHED" => format!("{} rows affected", found.count),
        None => format!("{} {:?}", found.status, found.error),
    }
}
