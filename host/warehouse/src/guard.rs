//! How a batch stops itself. A batch has no IF, so a guard is a query that divides by zero unless its
//! condition holds; the error rolls back the whole transaction.

/// The guard of `condition` over the rows of `from`, such as `COUNT(*) = 0`. `name`: what it says
/// when it holds.
pub(crate) fn guard(condition: &str, name: &str, from: &str) -> String {
    format!("SELECT 1 / (CASE WHEN {condition} THEN 1 ELSE 0 END) AS {name} FROM {from}")
}
