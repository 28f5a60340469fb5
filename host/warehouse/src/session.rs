//! What a session of the warehouse is told before other statements, so that the user's own defaults
//! do not change what these mean.

use std::time::Duration;

/// GETDATE() and texts without a zone follow the time zone of the session, which a user may have
/// changed by ALTER USER. The loader promises UTC.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_timezone_config.html>
pub const UTC: &str = "SET timezone TO 'UTC'";

/// A guard is asked and not remembered, and a query that holds a table reads it.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_enable_result_cache_for_session.html>
pub(crate) const NO_CACHED_RESULTS: &str = "SET enable_result_cache_for_session TO off";

/// The settings of a transaction that writes. `statement_timeout`: the longest that a statement may
/// take.
// None of them takes a snapshot. They stand behind the LOCK all the same, which must be the first
// statement whatever a setting does.
pub fn settings(statement_timeout: Option<Duration>) -> Vec<String> {
    let timeout = statement_timeout
        .map(|timeout| format!("SET statement_timeout TO {}", timeout.as_millis()));
    let always = [UTC, NO_CACHED_RESULTS].map(str::to_owned);
    always.into_iter().chain(timeout).collect()
}
