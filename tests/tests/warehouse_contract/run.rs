//! Runs one case on one warehouse: a fresh schema, its objects, its steps, and everything gone
//! again. Out: the first thing that is not as the case says, with the statement, what was expected
//! and what was found.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::case::{Case, Expected, Item, Step, Values};
use crate::warehouse::{Found, Mode, Warehouse};

/// The service's words for a statement of a batch that did not run.
const NEVER_RAN: &str = "Connection or an prior query failed.";

/// What is not as it should be.
pub(crate) struct Difference {
    statement: String,
    expected: String,
    found: String,
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

/// A name that no other case and no other run has.
fn fresh_schema(area: &str) -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(1);
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("loader_{area}_{:x}_{}", since.as_secs(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// What a run of a case showed.
pub(crate) struct Outcome {
    /// `None` when all is as the case says.
    pub(crate) difference: Option<Difference>,
    /// Errors that the case expects without knowing their words.
    pub(crate) words: Vec<String>,
}

/// Runs the case.
pub(crate) async fn run(warehouse: &Warehouse, case: &Case) -> Outcome {
    let schema = fresh_schema(&case.area);
    let values = Values(vec![
        ("schema", schema.clone()),
        ("database", warehouse.database.clone()),
        ("bucket", warehouse.bucket.clone()),
        ("role", warehouse.role.clone()),
    ]);
    let mut words = Vec::new();
    let tried = tried(warehouse, case, &values, &mut words).await;
    let mut ending = vec![format!("DROP SCHEMA {schema} CASCADE")];
    ending.extend(case.teardown.iter().map(|sql| values.fill(sql)));
    let ended = all(warehouse, &ending, Mode::AutoCommit).await;
    Outcome { difference: tried.and(ended).err(), words }
}

async fn tried(
    warehouse: &Warehouse,
    case: &Case,
    values: &Values,
    words: &mut Vec<String>,
) -> Result<(), Difference> {
    for (key, object) in &case.objects {
        warehouse.put(&values.fill(key), object.bytes(values)).await;
    }
    let mut setup = vec![values.fill("CREATE SCHEMA {schema}")];
    setup.extend(case.setup.iter().map(|sql| values.fill(sql)));
    all(warehouse, &setup, Mode::Transaction).await?;
    for step in &case.steps {
        step_on(warehouse, step, values, words).await?;
    }
    Ok(())
}

/// Statements that just have to work.
async fn all(warehouse: &Warehouse, statements: &[String], mode: Mode) -> Result<(), Difference> {
    let expected = vec![Expected::default(); statements.len()];
    let request = Request {
        statements: statements.to_vec(),
        expected,
        mode,
        parameters: &BTreeMap::new(),
        refused: None,
    };
    request.send(warehouse, &mut Vec::new()).await
}

async fn step_on(
    warehouse: &Warehouse,
    step: &Step,
    values: &Values,
    words: &mut Vec<String>,
) -> Result<(), Difference> {
    let (mut statements, mut expected) = (Vec::new(), Vec::new());
    let mut add = |sql: &str, times: usize, outcome: &Expected| {
        statements.extend(std::iter::repeat_n(values.fill(sql), times));
        expected.extend(std::iter::repeat_n(outcome.filled(values), times));
    };
    let mode = match (&step.execute, &step.transaction) {
        (Some(sql), _) => {
            add(sql, 1, &step.expected().unwrap_or_default());
            Mode::Execute
        }
        (None, Some(_)) => Mode::Transaction,
        (None, None) => Mode::AutoCommit,
    };
    for (sql, times, outcome) in
        step.transaction.iter().chain(&step.auto_commit).flatten().map(Item::parts)
    {
        add(sql, times, &outcome);
    }
    let (parameters, refused) = (&step.parameters, step.refused.as_deref());
    Request { statements, expected, mode, parameters, refused }.send(warehouse, words).await
}

/// Statements that are sent together, and what becomes of each.
struct Request<'a> {
    statements: Vec<String>,
    expected: Vec<Expected>,
    mode: Mode,
    parameters: &'a BTreeMap<String, String>,
    refused: Option<&'a str>,
}

impl Request<'_> {
    async fn send(&self, warehouse: &Warehouse, words: &mut Vec<String>) -> Result<(), Difference> {
        let together = self.statements.join("; ");
        let differs = |expected: String, found: String| {
            Err(Difference { statement: together.clone(), expected, found })
        };
        let answer = match (
            warehouse.send(&self.statements, self.mode, self.parameters).await,
            self.refused,
        ) {
            (Err(error), Some(words)) if error.contains(words) => return Ok(()),
            (Err(error), Some(words)) => {
                return differs(format!("refusal {words:?}"), format!("refusal {error}"));
            }
            (Err(error), None) => {
                return differs("a request that is taken".to_owned(), format!("refusal {error}"));
            }
            (Ok(answer), Some(words)) => {
                return differs(format!("refusal {words:?}"), format!("status {}", answer.status));
            }
            (Ok(answer), None) => answer,
        };
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
                _ => (!is_as(expected, found)).then(|| expected.to_string()),
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
        let status = if failing.is_some() { "FAILED" } else { "FINISHED" };
        if answer.status == status {
            Ok(())
        } else {
            differs(format!("status {status}"), format!("status {}", answer.status))
        }
    }
}

fn is_as(expected: &Expected, found: &Found) -> bool {
    if let Some(error) = &expected.error {
        return found.status == "FAILED" && found.error.contains(error.as_str());
    }
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
