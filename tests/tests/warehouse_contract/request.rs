//! A request and what becomes of it. In: statements and what the case says of each; out: the first
//! thing that is otherwise, with the statement, what was expected and what was found.

use std::collections::BTreeMap;

use crate::case::Expected;
use crate::warehouse::{Answer, Found, Mode, Place, Sent, Submitted, Warehouse};

/// The service's words for a statement of a batch that did not run.
const NEVER_RAN: &str = "Connection or an prior query failed.";

/// What is not as it should be.
pub(crate) struct Difference {
    statement: String,
    expected: String,
    found: String,
}

impl Difference {
    /// A session that did not get a status.
    pub(crate) fn of_session(name: &str, expected: &str, found: &str) -> Difference {
        let [expected, found] = [expected, found].map(|status| format!("status {status}"));
        Difference { statement: format!("session {name:?}"), expected, found }
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Some cases have statements of 100 KB.
        let short = |text: &str| match text.char_indices().nth(1000) {
            Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
            None => text.to_owned(),
        };
        let [statement, expected, found] =
            [&self.statement, &self.expected, &self.found].map(|text| short(text));
        writeln!(f, "  statement: {statement}\n  expected:  {expected}\n  found:     {found}")
    }
}

/// Statements that are sent together, and what becomes of each.
pub(crate) struct Request<'a> {
    pub(crate) statements: Vec<String>,
    pub(crate) expected: Vec<Expected>,
    pub(crate) mode: Mode,
    pub(crate) parameters: &'a BTreeMap<String, String>,
    pub(crate) refused: Option<&'a str>,
    /// Whether the case cancels it.
    pub(crate) is_cancelled: bool,
}

impl Request<'_> {
    fn differs<T>(&self, expected: String, found: String) -> Result<T, Difference> {
        Err(Difference { statement: self.statements.join("; "), expected, found })
    }

    /// Sends it. `None`: it was refused, as the case says.
    pub(crate) async fn submit(
        &self,
        warehouse: &Warehouse,
        place: Place<'_>,
    ) -> Result<Option<Submitted>, Difference> {
        let (statements, parameters) = (&self.statements[..], self.parameters);
        let sent = Sent { statements, mode: self.mode, parameters, place };
        match (warehouse.submit(&sent).await, self.refused) {
            (Err(error), Some(words)) if error.contains(words) => Ok(None),
            (Err(error), Some(words)) => {
                self.differs(format!("refusal {words:?}"), format!("refusal {error}"))
            }
            (Err(error), None) => {
                self.differs("a request that is taken".to_owned(), format!("refusal {error}"))
            }
            (Ok(_), Some(words)) => {
                self.differs(format!("refusal {words:?}"), "a request that is taken".to_owned())
            }
            (Ok(submitted), None) => Ok(Some(submitted)),
        }
    }

    /// Waits for its end, which has to be as the case says.
    pub(crate) async fn ended(
        &self,
        warehouse: &Warehouse,
        id: &str,
        words: &mut Vec<String>,
    ) -> Result<(), Difference> {
        let answer = warehouse.ended(id, self.mode).await;
        self.check(&answer, words)
    }

    fn check(&self, answer: &Answer, words: &mut Vec<String>) -> Result<(), Difference> {
        let failing = self.expected.iter().position(|expected| expected.error.is_some());
        let failing_transaction = failing.filter(|_| self.mode == Mode::Transaction);
        for (index, (statement, expected)) in self.statements.iter().zip(&self.expected).enumerate()
        {
            let nothing = Found::default();
            let found = answer.statements.get(index).unwrap_or(&nothing);
            let wrong = match failing_transaction {
                // Its status says nothing, as it was rolled back.
                Some(failing) if index < failing => {
                    (found.status == "FAILED").then(|| "a later failure".to_owned())
                }
                Some(failing) if index > failing => {
                    let is_right = found.status == "ABORTED" && found.error == NEVER_RAN;
                    (!is_right).then(|| format!("ABORTED {NEVER_RAN:?}"))
                }
                _ => (!self.is_as(expected, found)).then(|| expected.to_string()),
            };
            if let Some(expected) = wrong {
                return Err(Difference {
                    statement: statement.clone(),
                    expected,
                    found: describe(found),
                });
            }
            if expected.error.as_deref() == Some("") {
                words.push(format!("{statement}\n    {}", found.error));
            }
        }
        let status = match failing {
            Some(_) => self.failed(),
            None => "FINISHED",
        };
        if answer.status == status {
            Ok(())
        } else {
            self.differs(format!("status {status}"), format!("status {}", answer.status))
        }
    }

    /// The status of what does not work.
    fn failed(&self) -> &'static str {
        if self.is_cancelled { "ABORTED" } else { "FAILED" }
    }

    fn is_as(&self, expected: &Expected, found: &Found) -> bool {
        match &expected.error {
            Some(error) => found.status == self.failed() && found.error.contains(error.as_str()),
            None => has_worked_as(expected, found),
        }
    }
}

fn has_worked_as(expected: &Expected, found: &Found) -> bool {
    let Expected { rows, contains, columns, affected, .. } = expected;
    let empty = (String::new(), Vec::new());
    let (found_columns, found_rows) = found.result.as_ref().unwrap_or(&empty);
    let text = found_rows.join("\n");
    found.status == "FINISHED"
        && (found.result.is_some() || (rows.is_none() && contains.is_none() && columns.is_none()))
        && rows.as_ref().is_none_or(|rows| {
            rows == found_rows && found.count == i64::try_from(rows.len()).unwrap_or(-1)
        })
        && contains
            .as_ref()
            .is_none_or(|parts| parts.iter().all(|part| text.contains(part.as_str())))
        && columns.as_ref().is_none_or(|columns| columns == found_columns)
        && affected.is_none_or(|affected| found.result.is_none() && found.count == affected)
}

fn describe(found: &Found) -> String {
    match &found.result {
        Some((columns, rows)) => format!("columns {columns}, rows {rows:?}"),
        None if found.status == "FINISHED" => format!("{} rows affected", found.count),
        None => format!("{} {:?}", found.status, found.error),
    }
}
