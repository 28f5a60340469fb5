//! SET, RESET and SHOW of settings. In: a statement's text and tokens. Out: PostgreSQL text,
//! nothing to run for a setting that only Redshift has (`SET query_group TO 'x'`), or a refusal.

use super::cursor::Cursor;
use super::error::SqlError;
use super::helper;
use super::identities::kind::IdentityKind;
use super::names::LongName;
use super::prepared::{Action, Prepared};
use super::quoting::literal;

/// Settings of Redshift that PostgreSQL does not know; accepted without effect.
const IGNORED_SETTINGS: [&str; 9] = [
    "query_group",
    "wlm_query_slot_count",
    "enable_result_cache_for_session",
    "analyze_threshold_percent",
    "mv_enable_aqmv_for_session",
    "describe_field_name_in_uppercase",
    "downcase_delimited_identifier",
    "error_on_nondeterministic_update",
    "max_cursor_result_set_size",
];

/// Always off here: names are folded to lower case, so ignoring a SET would give wrong names.
const CASE_SENSITIVE: &str = "enable_case_sensitive_identifier";

/// The objects that SHOW lists in Redshift when one of these words comes first. (`SHOW search_path`
/// shows a setting and runs as it is.)
const SHOWN_OBJECTS: [&str; 11] = [
    "table",
    "view",
    "columns",
    "tables",
    "schemas",
    "databases",
    "grants",
    "datashares",
    "procedure",
    "external",
    "model",
];

/// Whether a setting comes next that is accepted without effect.
pub(super) fn is_ignored(cursor: &Cursor<'_>) -> bool {
    IGNORED_SETTINGS.contains(&cursor.text().to_ascii_lowercase().as_str())
}

/// `SET …` and `RESET …`.
pub(super) fn set(text: &str, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.skip();
    if cursor.peeks("session authorization") {
        return authorization(cursor);
    }
    if !cursor.eat("session") {
        cursor.eat("local");
    }
    if cursor.peeks("role") {
        return Err(SqlError::absent("role", "no SET ROLE; roles are always in effect"));
    }
    if is_ignored(&cursor) {
        return Ok(Prepared::of(Action::Nothing));
    }
    if cursor.text().eq_ignore_ascii_case(CASE_SENSITIVE) {
        return Err(SqlError::unsupported(CASE_SENSITIVE));
    }
    Ok(Prepared::command(text))
}

/// `SET SESSION AUTHORIZATION 'u'|u|DEFAULT`: the procedure checks that the session is a
/// superuser's.
fn authorization(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.expect("session authorization")?;
    let user = if cursor.is_at_end() || cursor.eat("default") {
        "NULL".to_owned()
    } else if let Ok(user) = cursor.literal() {
        // `names` shortens identifiers only; a long name in a literal is still whole here.
        literal(&LongName::kept(user))
    } else {
        literal(&IdentityKind::User.identity(&mut cursor)?)
    };
    cursor.expect_end()?;
    let call = helper::call("set_session_authorization", &[&user]);
    Ok(Prepared::of(Action::Authorization(call)))
}

/// `SHOW …`.
pub(super) fn show(text: &str, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.skip();
    match SHOWN_OBJECTS.iter().find(|object| cursor.peeks(object)) {
        Some(object) => {
            Err(SqlError::unsupported(&format!("SHOW {}", object.to_ascii_uppercase())))
        }
        None if cursor.peeks(CASE_SENSITIVE) => {
            Ok(Prepared::of(Action::Query(format!("SELECT 'off' AS {CASE_SENSITIVE}"))))
        }
        None => Ok(Prepared::of(Action::Query(text.to_owned()))),
    }
}
