//! What the warehouse's error texts mean. The Data API exposes no SQLSTATE, so the loader has only
//! the text.
//!
//! In: the text, read once, when a [`StatementFailure`] is made. Out: its [`Refusal`], which
//! decides what is tried again, and the error that a person reads. Every sign that the loader
//! looks for stands in `Refusal::parse`.

use std::fmt;

use loader_model::error::{Error, Kind};

/// An execution that the warehouse refused; all of it was rolled back.
#[derive(Clone, Debug)]
pub struct StatementFailure {
    pub id: String,
    /// Index of the statement that failed.
    pub statement: usize,
    /// The warehouse's own words.
    pub message: String,
    /// What the message means.
    pub refusal: Refusal,
    /// `query_id` in the system views, 0 when unknown.
    pub query_id: i64,
}

/// Why the warehouse refused a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A concurrent transaction was in the way. The same batch may simply run again.
    Conflict,
    /// The statement was cancelled in the database (by a user, a rule of the workload manager, a
    /// timeout), or its session ended.
    Cancelled,
    /// The database user lacks a privilege, or does not own what the statement would change.
    Denied,
    /// The IAM role that COPY uses may not read the bucket.
    BucketDenied,
    /// The cluster may not assume the IAM role that COPY uses.
    RoleRefused,
    /// S3 or the cluster cannot serve the statement for now, or a connection was lost.
    Unavailable,
    /// The database does not accept the user's password.
    WrongPassword,
    /// Something that the statement names does not exist.
    Missing(Missing),
    /// What the statement would make exists already.
    AlreadyExists,
    /// The staged parts do not have the types or columns that the table has now.
    TypeMismatch,
    /// A guard of the load's transaction fired. (A guard divides by zero when its condition does
    /// not hold.)
    Guard,
    /// The column is as wide as the statement would make it, or wider.
    WideAlready,
    /// Views read what the statement would change.
    HeldByViews,
    /// A text without a sign that the loader knows.
    Other,
}

/// What does not exist, as far as the message's words tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    Schema,
    Column,
    /// Both words occur, as in `column "schema_id" of relation "t" does not exist`.
    SchemaOrColumn,
    /// Such as a table, a user or an object in S3.
    Other,
}

impl StatementFailure {
    /// Reads the message. `statement`: the index of the statement that failed.
    pub fn new(id: String, statement: usize, message: String, query_id: i64) -> StatementFailure {
        let refusal = Refusal::parse(&message);
        StatementFailure { id, statement, message, refusal, query_id }
    }
}

/// Signs in the headline that the statement was ended from outside. Redshift writes both
/// `canceled` and `cancelled`, and the second also for `statement_timeout`.
const CANCELLED: [&str; 5] = [
    "canceled on user",
    "cancelled on user",
    "by WLM abort action",
    "canceling statement",
    "Session is not available",
];

/// Signs, anywhere and in any case, of what passes: S3 that is busy or far, a cluster that is full,
/// restarts or is resized, and connections that were lost on the way.
// Sources: <https://github.com/harrystech/arthur-redshift-etl/pull/134> (S3 Query Exceptions),
// <https://github.com/segmentio/segment-docs> (warehouse-errors.md: resize mode),
// <https://github.com/dbt-labs/dbt-core/issues/2543> (server closed the connection),
// <https://github.com/awslabs/mcp> (a prior query failed: what a batch says of a lost connection).
const UNAVAILABLE: [&str; 18] = [
    "SlowDown",
    "retries exceeded",
    "No more data to read",
    "Resource temporarily unavailable",
    "disk full",
    "in resize mode",
    "database system is",
    "terminating connection",
    "closed the connection",
    "connection closed",
    "connection failed",
    "connection lost",
    "connection to the database was lost",
    "connection reset",
    "connection refused",
    "connection timed out",
    "could not connect",
    "Connection or an prior query failed",
];

impl Refusal {
    /// Reads an error text of Redshift. The first sign that the text has decides.
    ///
    /// Some signs count anywhere in the text, others only in the [`headline`], since the block of
    /// details quotes what other services answered. (For example, COPY of a missing part ends with
    /// `Spectrum Scan Error` and quotes S3's `The specified key does not exist`. No relation is
    /// missing then. But `Access Denied` of S3 means the same in both places.)
    // The order of the arms matters. Conflicts come first because their texts have signs of other
    // arms: `ERROR: 1018 DETAIL: Relation does not exist` is a conflict and no missing table. The
    // arm for types looks for a missing column in the details only, because the arm for missing
    // things has taken every headline with these words.
    fn parse(message: &str) -> Refusal {
        let headline = headline(message);
        let lower_case = message.to_lowercase();
        let says = |sign: &str| headline.contains(sign);
        let has = |sign: &str| message.contains(sign);
        let has_in_any_case = |sign: &str| lower_case.contains(&sign.to_lowercase());
        if ["1023", "1018"].iter().any(|code| headline.starts_with(code))
            || has("Serializable isolation violation")
            || has("conflict with concurrent transaction")
            || has("deadlock detected")
            || has_in_any_case("relation with OID")
            || has("could not serialize access")
        {
            Refusal::Conflict
        } else if CANCELLED.iter().any(|sign| says(sign)) {
            Refusal::Cancelled
        } else if has("ASSUMEROLE permission")
            || has("not authorized to assume IAM Role")
            || has("is not associated to")
        {
            Refusal::RoleRefused
        } else if UNAVAILABLE.iter().any(|sign| has_in_any_case(sign)) {
            Refusal::Unavailable
        } else if says("permission denied") || says("must be owner") {
            Refusal::Denied
        } else if says("does not exist") {
            Refusal::Missing(match (says("schema"), has("column")) {
                (true, false) => Missing::Schema,
                (false, true) => Missing::Column,
                (true, true) => Missing::SchemaOrColumn,
                (false, false) => Missing::Other,
            })
        } else if says("not authorized") || has_in_any_case("access denied") || has("AccessDenied")
        {
            Refusal::BucketDenied
        } else if says("password authentication failed") {
            Refusal::WrongPassword
        } else if has("incompatible Parquet schema")
            || has("Unmatched number of columns")
            || (has("column") && has("does not exist"))
        {
            Refusal::TypeMismatch
        } else if has_in_any_case("division by zero") || has_in_any_case("divide by zero") {
            Refusal::Guard
        } else if has_in_any_case("already exists") {
            Refusal::AlreadyExists
        } else if has_in_any_case("should be different") || has_in_any_case("cannot decrease") {
            Refusal::WideAlready
        } else if has_in_any_case("depend on it") || has_in_any_case("used by a view or rule") {
            Refusal::HeldByViews
        } else {
            Refusal::Other
        }
    }

    /// The kind of the error that a person reads.
    fn kind(self) -> Kind {
        match self {
            Refusal::Conflict | Refusal::Cancelled | Refusal::Unavailable => Kind::Transient,
            Refusal::Denied
            | Refusal::BucketDenied
            | Refusal::RoleRefused
            | Refusal::WrongPassword
            | Refusal::Missing(_) => Kind::Config,
            Refusal::AlreadyExists
            | Refusal::TypeMismatch
            | Refusal::Guard
            | Refusal::WideAlready
            | Refusal::HeldByViews
            | Refusal::Other => Kind::Internal,
        }
    }

    /// The end of the message: the remedy, or nothing where the loader knows none.
    fn remedy(self) -> &'static str {
        match self {
            Refusal::Denied => "; grant this to the database user that runs the load",
            Refusal::BucketDenied => "; let the role of --iam-role read the bucket",
            Refusal::RoleRefused => {
                "; attach the role of --iam-role to the cluster, and let Redshift assume it"
            }
            Refusal::Missing(Missing::Schema | Missing::SchemaOrColumn) => {
                "; create the schema or check --schema-name"
            }
            Refusal::Missing(Missing::Column | Missing::Other)
            | Refusal::Conflict
            | Refusal::Cancelled
            | Refusal::Unavailable
            | Refusal::WrongPassword
            | Refusal::AlreadyExists
            | Refusal::TypeMismatch
            | Refusal::Guard
            | Refusal::WideAlready
            | Refusal::HeldByViews
            | Refusal::Other => "",
        }
    }
}

/// The reason in plain words, such as `a missing column`.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Conflict => "a conflict with another transaction",
            Refusal::Cancelled => "a cancelled statement",
            Refusal::Denied => "a missing privilege",
            Refusal::BucketDenied => "a bucket that the role may not read",
            Refusal::RoleRefused => "a role that may not be assumed",
            Refusal::Unavailable => "a service that is not available",
            Refusal::WrongPassword => "a wrong password",
            Refusal::Missing(Missing::Schema) => "a missing schema",
            Refusal::Missing(Missing::Column) => "a missing column",
            Refusal::Missing(Missing::SchemaOrColumn) => "a missing schema or column",
            Refusal::Missing(Missing::Other) => "a missing object",
            Refusal::AlreadyExists => "an object that exists already",
            Refusal::TypeMismatch => "parts that do not fit the table",
            Refusal::Guard => "a guard of the load",
            Refusal::WideAlready => "a column that is wide already",
            Refusal::HeldByViews => "a column that views read",
            Refusal::Other => "no known reason",
        })
    }
}

/// Turns a refused statement into the loader's error. `doing`: what was tried, such as
/// `reading the catalog`.
pub fn explain(doing: &str, failure: &StatementFailure) -> Error {
    explain_with(doing, failure, "")
}

/// The same with what else is known of the failure, which ends the sentence.
pub fn explain_with(doing: &str, failure: &StatementFailure, more: &str) -> Error {
    let (reason, refusal) = (reason(&failure.message), failure.refusal);
    // More may follow, and no message of the program ends with a stop.
    let message = reason.trim_end_matches('.');
    // The Data API counts the statements of a batch from 1, as in `<id>:1`.
    Error::new(refusal.kind(), format!("{doing} failed: {message}{}{more}", refusal.remedy()))
        .with("statement_id", format!("{}:{}", failure.id, failure.statement + 1))
}

/// The sentence of a message, without `ERROR:` and without Redshift's block of internal details.
/// (For example, `ERROR: Spectrum Scan Error` with a block of details is `Spectrum Scan Error`.)
pub fn headline(message: &str) -> &str {
    let message = message.trim();
    let message = message.strip_prefix("ERROR:").unwrap_or(message).trim_start();
    message.split("\n  Detail:").next().unwrap_or(message).trim_end()
}

/// Headlines that say nothing: the reason stands in the block of details.
const BLANK_HEADLINES: [&str; 3] =
    ["Spectrum Scan Error", "S3 Query Exception", "S3Query Exception"];

/// The sentence of a message, and for a scan of Parquet the reason, which Redshift writes into the
/// block of details only. (For example, `Spectrum Scan Error: Access Denied`.)
pub fn reason(message: &str) -> String {
    let headline = headline(message);
    let is_blank = BLANK_HEADLINES.iter().any(|blank| headline.starts_with(blank));
    match context(message) {
        Some(context) if is_blank && !headline.contains(&context) => {
            format!("{headline}: {context}")
        }
        _ => headline.to_owned(),
    }
}

/// What stands behind `context:` in the block of details, on one line.
fn context(message: &str) -> Option<String> {
    let (_, from) = message.split_once("\n  context:")?;
    // The next entry of the block is `query:`, and the text itself may go over several lines.
    let text = from.split("\n  query:").next().unwrap_or(from);
    let words: Vec<&str> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests;
