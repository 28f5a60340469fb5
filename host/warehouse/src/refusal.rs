//! What the warehouse's error texts mean. The Data API exposes no SQLSTATE, so text is all there
//! is.

use loader_model::error::{Error, Kind};

/// An execution that the warehouse refused; all of it was rolled back.
#[derive(Clone, Debug)]
pub struct StatementFailure {
    pub id: String,
    /// Index of the statement that failed.
    pub statement: usize,
    /// The warehouse's own words.
    pub message: String,
    /// `query_id` in the system views, 0 when unknown.
    pub query_id: i64,
}

/// Turns a refused statement into our error. `doing` says what was tried.
pub fn explain(doing: &str, failure: &StatementFailure) -> Error {
    let message = headline(&failure.message);
    Error::new(kind_of(message), format!("{doing} failed: {message}{}", remedy(message)))
        .with("statement_id", format!("{}:{}", failure.id, failure.statement + 1))
}

/// Whether staged parts do not have the types or columns of their table (any more).
pub fn is_type_mismatch(message: &str) -> bool {
    message.contains("incompatible Parquet schema")
        || message.contains("Unmatched number of columns")
        || (message.contains("column") && message.contains("does not exist"))
}

/// Whether a concurrent transaction was in the way, so that the same batch may simply run again.
pub fn is_conflict(message: &str) -> bool {
    let coded = ["1023", "1018"].iter().any(|code| headline(message).starts_with(code));
    let signs = [
        "Serializable isolation violation",
        "conflict with concurrent transaction",
        "deadlock detected",
        "could not open relation with OID",
        "could not serialize access",
    ];
    coded || signs.iter().any(|sign| message.contains(sign))
}

/// Whether a guard of ours stopped the batch.
pub fn is_guard(message: &str) -> bool {
    message.to_lowercase().contains("division by zero")
        || message.to_lowercase().contains("divide by zero")
}

fn kind_of(message: &str) -> Kind {
    let config = [
        "permission denied",
        "does not exist",
        "not authorized",
        "must be owner",
        "password authentication failed",
        "Access Denied",
    ];
    if is_conflict(message)
        || message.contains("canceled on user")
        || message.contains("Session is not available")
    {
        Kind::Transient
    } else if config.iter().any(|sign| message.contains(sign)) {
        Kind::Config
    } else {
        Kind::Internal
    }
}

fn remedy(message: &str) -> &'static str {
    if message.contains("permission denied") || message.contains("must be owner") {
        "; grant this to the database user that runs the load"
    } else if message.contains("schema") && message.contains("does not exist") {
        "; create the schema or check --schema-name"
    } else if message.contains("not authorized") || message.contains("Access Denied") {
        "; let the role of --iam-role read the bucket"
    } else {
        ""
    }
}

/// The sentence, without Redshift's block of internal details.
pub fn headline(message: &str) -> &str {
    let message = message.trim();
    let message = message.strip_prefix("ERROR:").unwrap_or(message).trim_start();
    message.split("\n  Detail:").next().unwrap_or(message).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(message: &str) -> StatementFailure {
        StatementFailure { id: "id".into(), statement: 2, message: message.into(), query_id: 0 }
    }

    #[test]
    fn a_missing_schema_is_the_users_to_mend() {
        let error = explain("loading", &failure("ERROR: schema \"x\" does not exist"));
        assert_eq!(error.kind(), Kind::Config);
        insta::assert_snapshot!(error, @r#"loading failed: schema "x" does not exist; create the schema or check --schema-name (statement_id id:3)"#);
    }

    #[test]
    fn conflicts_may_be_tried_again() {
        let message = "ERROR: 1023 DETAIL: Serializable isolation violation on table - 1";
        assert_eq!(explain("loading", &failure(message)).kind(), Kind::Transient);
        assert!(is_guard("ERROR: division by zero"));
    }

    #[test]
    fn internal_details_are_left_out() {
        let message = "ERROR: boom\n  Detail: \n  -----\n  code: 15007";
        assert_eq!(headline(message), "boom");
    }
}
