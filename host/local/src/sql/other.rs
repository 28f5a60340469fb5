//! Everything that is neither a query nor CREATE, ALTER or COPY: locks, transaction control,
//! settings, maintenance, grants, drops. In: a statement's tokens. Out: PostgreSQL text, nothing at
//! all, or a refusal.

use super::cursor::{Cursor, quote};
use super::{Action, LongName, Prepared, SqlError, comment, ddl, grants, identities, query};

/// Settings of Redshift that PostgreSQL does not know; accepted without effect.
pub(super) const IGNORED_SETTINGS: [&str; 9] = [
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

/// Reads the statement by its first word.
pub(super) fn prepare(text: &str, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let verb = cursor.text().to_ascii_lowercase();
    match verb.as_str() {
        "lock" => lock(cursor),
        "begin" | "start" | "commit" | "end" | "rollback" | "abort" => transaction_control(cursor),
        "vacuum" => Ok(Prepared {
            action: Action::Nothing,
            outside_transactions: Some("VACUUM cannot run inside a transaction block"),
        }),
        "analyze" | "analyse" => Ok(Prepared::of(Action::Nothing)),
        "set" | "reset" => setting(text, cursor),
        "show" => show(text, cursor),
        "drop" => drop_object(text, cursor),
        "explain" => {
            cursor.skip();
            let inner = query::translate_part(cursor.rest())?;
            Ok(Prepared::of(Action::Query(format!("EXPLAIN {inner}"))))
        }
        "comment" => comment::prepare(cursor),
        "refresh" => ddl::refresh(cursor),
        "grant" => grants::grant(cursor),
        "revoke" => grants::revoke(cursor),
        "unload" | "call" | "prepare" | "execute" | "deallocate" | "declare" | "fetch"
        | "close" | "cancel" | "use" => Err(SqlError::unsupported(&verb.to_ascii_uppercase())),
        "savepoint" | "release" => Err(SqlError::new("SQL command \"SAVEPOINT\" not supported.")),
        _ => Err(cursor.syntax_error()),
    }
}

fn lock(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.expect("lock")?;
    cursor.eat("table");
    let mut tables = Vec::new();
    loop {
        tables.push(cursor.qualified_name()?.to_string());
        if !cursor.eat(",") {
            break;
        }
    }
    // Redshift has one mode and no NOWAIT.
    cursor.expect_end()?;
    Ok(Prepared::of(Action::Command(format!(
        "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE",
        tables.join(", ")
    ))))
}

fn transaction_control(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let verb = cursor.text().to_ascii_lowercase();
    cursor.skip();
    if !cursor.eat("work") {
        cursor.eat("transaction");
    }
    let text = match verb.as_str() {
        "begin" | "start" => {
            if cursor.eat("isolation level") {
                while matches!(
                    cursor.text().to_ascii_lowercase().as_str(),
                    "serializable"
                        | "snapshot"
                        | "read"
                        | "committed"
                        | "uncommitted"
                        | "repeatable"
                ) && !cursor.peeks("read only")
                    && !cursor.peeks("read write")
                {
                    cursor.skip();
                }
                cursor.eat(",");
            }
            let read_only = cursor.eat("read only");
            cursor.eat("read write");
            if read_only {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            } else {
                "BEGIN ISOLATION LEVEL REPEATABLE READ"
            }
        }
        "commit" | "end" => "COMMIT",
        _ => {
            if cursor.peeks("to") {
                return Err(SqlError::new("SQL command \"ROLLBACK TO SAVEPOINT\" not supported."));
            }
            "ROLLBACK"
        }
    };
    cursor.expect_end()?;
    Ok(Prepared::of(Action::TransactionControl(text.to_owned())))
}

fn setting(text: &str, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
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
    let name = cursor.text().to_ascii_lowercase();
    if IGNORED_SETTINGS.contains(&name.as_str()) {
        return Ok(Prepared::of(Action::Nothing));
    }
    if name == "enable_case_sensitive_identifier" {
        return Err(SqlError::unsupported("enable_case_sensitive_identifier"));
    }
    Ok(Prepared::of(Action::Command(text.to_owned())))
}

/// `SET SESSION AUTHORIZATION 'u'|u|DEFAULT`: PostgreSQL checks that the session is a superuser's.
fn authorization(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.expect("session authorization")?;
    let user = if cursor.is_at_end() || cursor.eat("default") {
        "DEFAULT".to_owned()
    } else if let Ok(user) = cursor.literal() {
        quote(&LongName::kept(user))
    } else {
        quote(&identities::Kind::User.identity(&mut cursor)?)
    };
    cursor.expect_end()?;
    Ok(Prepared::of(Action::Command(format!("SET SESSION AUTHORIZATION {user}"))))
}

fn show(text: &str, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.skip();
    for object in [
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
    ] {
        if cursor.peeks(object) {
            return Err(SqlError::unsupported(&format!("SHOW {}", object.to_ascii_uppercase())));
        }
    }
    Ok(Prepared::of(Action::Query(text.to_owned())))
}

fn drop_object(text: &str, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.expect("drop")?;
    if let Some(kind) = identities::kind(&mut cursor) {
        return identities::drop(kind, cursor);
    }
    let kind = cursor.text().to_ascii_lowercase();
    match kind.as_str() {
        "table" | "view" | "schema" | "materialized" => {
            cursor.skip();
            if kind == "materialized" {
                cursor.expect("view")?;
            }
            let if_exists = if cursor.eat("if exists") { "IF EXISTS " } else { "" };
            let mut names = Vec::new();
            loop {
                names.push(if kind == "schema" {
                    quote(&cursor.identifier()?)
                } else {
                    cursor.qualified_name()?.to_string()
                });
                if !cursor.eat(",") {
                    break;
                }
            }
            let behaviour = if cursor.eat("cascade") { " CASCADE" } else { "" };
            if behaviour.is_empty() {
                cursor.eat("restrict");
            }
            cursor.expect_end()?;
            let kind = kind.to_ascii_uppercase().replace("MATERIALIZED", "MATERIALIZED VIEW");
            Ok(Prepared::of(Action::Command(format!(
                "DROP {kind} {if_exists}{}{behaviour}",
                names.join(", ")
            ))))
        }
        "database" => Ok(Prepared {
            action: Action::Command(text.to_owned()),
            outside_transactions: Some("DROP DATABASE cannot run inside a transaction block"),
        }),
        "function" | "procedure" | "library" | "model" | "datashare" | "external" => {
            Err(SqlError::unsupported(&format!("DROP {}", kind.to_ascii_uppercase())))
        }
        _ => Err(cursor.syntax_error()),
    }
}
