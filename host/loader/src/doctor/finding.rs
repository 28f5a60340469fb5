//! What a probe found: passed, failed with a remedy, skipped with the reason, or told, which is an
//! answer that is neither right nor wrong.

use loader_model::error::{Error, Kind};
use serde::Serialize;

use crate::cli::Part;

/// One question and its answer.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    #[serde(serialize_with = "as_word")]
    pub part: Part,
    pub probe: String,
    pub outcome: Outcome,
    /// What was seen, or why nothing was.
    pub seen: String,
    /// What was expected, where the answer is otherwise.
    pub expected: Option<String>,
    /// What helps.
    pub remedy: Option<String>,
    /// The page that the expectation is from.
    pub source: Option<String>,
    pub seconds: f64,
    /// Whose turn it is after a failure.
    #[serde(skip)]
    pub kind: Option<Kind>,
}

/// How a probe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Passed,
    Failed,
    Skipped,
    Told,
}

impl Outcome {
    /// The word for it, as the JSON form has it too.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Skipped => "skipped",
            Outcome::Told => "told",
        }
    }
}

/// The word for a part, as `--only` takes it.
pub fn word(part: Part) -> &'static str {
    match part {
        Part::Bucket => "bucket",
        Part::Warehouse => "warehouse",
        Part::Rights => "rights",
        Part::Loads => "loads",
        Part::Refusals => "refusals",
        Part::Answers => "answers",
        Part::CleanUp => "clean-up",
    }
}

fn as_word<S: serde::Serializer>(part: &Part, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(word(*part))
}

/// What a probe says unless it fails.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdict {
    outcome: Option<Outcome>,
    seen: String,
    expected: Option<String>,
    source: Option<String>,
}

/// Why a probe failed, and what helps.
#[derive(Debug)]
pub(super) struct Ailment {
    pub(super) error: Error,
    pub(super) remedy: String,
}

/// The end of a probe.
pub(super) type Probed = Result<Verdict, Ailment>;

impl Verdict {
    pub(super) fn passed(seen: impl Into<String>) -> Verdict {
        Verdict { outcome: Some(Outcome::Passed), seen: seen.into(), ..Verdict::default() }
    }

    pub(super) fn told(seen: impl Into<String>) -> Verdict {
        Verdict { outcome: Some(Outcome::Told), seen: seen.into(), ..Verdict::default() }
    }

    pub(super) fn skipped(why: impl Into<String>) -> Verdict {
        Verdict { outcome: Some(Outcome::Skipped), seen: why.into(), ..Verdict::default() }
    }

    /// Adds what was expected, and the page that says so.
    pub(super) fn instead_of(self, expected: &str, source: &str) -> Verdict {
        let (expected, source) = (Some(expected.to_owned()), Some(source.to_owned()));
        Verdict { expected, source, ..self }
    }
}

impl Ailment {
    pub(super) fn new(kind: Kind, fact: impl Into<String>, remedy: impl Into<String>) -> Ailment {
        Ailment { error: Error::new(kind, fact), remedy: remedy.into() }
    }
}

impl From<Error> for Ailment {
    fn from(error: Error) -> Ailment {
        let remedy = match error.kind() {
            Kind::Transient | Kind::OutcomeUnknown | Kind::Interrupted(_) => "run again",
            Kind::Config | Kind::Plugin | Kind::Data | Kind::SchemaConflict => {
                "correct what the message names"
            }
            Kind::Internal => "report it to the project, with the file of --save",
        };
        Ailment { error, remedy: remedy.to_owned() }
    }
}

/// Adds what helps to an error of the program.
pub(super) trait Remedy<T> {
    fn or_do(self, remedy: impl Into<String>) -> Result<T, Ailment>;
}

impl<T> Remedy<T> for Result<T, Error> {
    // Where nothing has to be corrected, trying again helps and nothing else.
    fn or_do(self, remedy: impl Into<String>) -> Result<T, Ailment> {
        self.map_err(|error| match error.kind() {
            Kind::Config => Ailment { error, remedy: remedy.into() },
            _ => Ailment::from(error),
        })
    }
}

impl Finding {
    pub(super) fn new(part: Part, probe: &str, probed: Probed, seconds: f64) -> Finding {
        let (verdict, ailment) = match probed {
            Ok(verdict) => (verdict, None),
            Err(ailment) => (Verdict::default(), Some(ailment)),
        };
        let seen = ailment.as_ref().map_or(verdict.seen, |ailment| ailment.error.to_string());
        Finding {
            part,
            probe: probe.to_owned(),
            outcome: verdict.outcome.unwrap_or(Outcome::Failed),
            seen,
            expected: verdict.expected,
            source: verdict.source,
            seconds,
            kind: ailment.as_ref().map(|ailment| ailment.error.kind()),
            remedy: ailment.map(|ailment| ailment.remedy),
        }
    }
}
