//! ALTER TABLE by Redshift's grammar, and the choice among the other ALTERs. In: a statement's
//! tokens. Out: PostgreSQL text, or Redshift's refusal. An ALTER TABLE has one action; a column's
//! type changes only from VARCHAR to VARCHAR and only outside transactions. (For example, INTEGER
//! to BIGINT is refused.)

use super::column::{ColumnDefinition, column};
use crate::sql::cursor::{Cursor, Name};
use crate::sql::error::SqlError;
use crate::sql::identities::{self, kind::IdentityKind};
use crate::sql::keys::{self, Declared, table_constraint};
use crate::sql::prepared::Prepared;
use crate::sql::quoting::{literal, quote};
use crate::sql::types::column_type;
use crate::sql::{database, grants, helper};

const ALTER_TYPE_IN_BLOCK: &str = "ALTER TABLE ALTER COLUMN cannot run inside a transaction block";

/// The changes that ALTER COLUMN refuses, and Redshift's words for them.
const REFUSED_COLUMN_CHANGES: [(&str, &str); 4] = [
    ("set not null", "SET NOT NULL"),
    ("drop not null", "DROP NOT NULL"),
    ("set default", "SET/DROP DEFAULT"),
    ("drop default", "SET/DROP DEFAULT"),
];

/// `ALTER …`.
pub(in crate::sql) fn alter(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let text = cursor.rest();
    cursor.expect("alter")?;
    if let Some(kind) = IdentityKind::eat(&mut cursor) {
        return identities::alter(kind, cursor);
    }
    if cursor.eat("default privileges") {
        return grants::alter_default(cursor);
    }
    if cursor.eat("table") {
        return alter_table(cursor);
    }
    match cursor.text().to_ascii_lowercase().as_str() {
        "schema" => Ok(Prepared::command(text)),
        "database" => {
            cursor.skip();
            database::alter(cursor)
        }
        "materialized" | "external" | "function" | "procedure" | "datashare" => {
            Err(SqlError::unsupported(&format!("ALTER {}", cursor.text().to_ascii_uppercase())))
        }
        _ => Err(cursor.syntax_error()),
    }
}

fn alter_table(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    if cursor.peeks("if exists") || cursor.peeks("only") {
        return Err(cursor.syntax_error());
    }
    let table = cursor.qualified_name()?;
    let prepared = action(&mut cursor, &table)?;
    if cursor.peeks(",") {
        return Err(cursor
            .syntax_error()
            .with_hint("Amazon Redshift takes one action in an ALTER TABLE"));
    }
    cursor.expect_end()?;
    Ok(prepared)
}

fn action(cursor: &mut Cursor<'_>, table: &Name) -> Result<Prepared, SqlError> {
    if cursor.eat("add") {
        return add(cursor, table);
    }
    if cursor.eat("drop") {
        return drop(cursor, table);
    }
    if cursor.eat("alter") {
        return match keys::alter_layout(cursor, &table.to_string())? {
            Some(prepared) => Ok(prepared),
            None => alter_column(cursor, table),
        };
    }
    if cursor.eat("append") {
        return Err(SqlError::unsupported("ALTER TABLE APPEND"));
    }
    if cursor.eat("owner to") {
        let (table, user) = (helper::regclass(&table.to_string()), cursor.identifier()?);
        return Ok(Prepared::command(helper::call("change_owner", &[&table, &literal(&user)])));
    }
    Ok(Prepared::command(format!("ALTER TABLE {table} {}", rename(cursor)?)))
}

/// `RENAME TO t`, `RENAME [COLUMN] c TO d`.
fn rename(cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    if cursor.eat("rename to") {
        return Ok(format!("RENAME TO {}", quote(&cursor.identifier()?)));
    }
    cursor.expect("rename")?;
    cursor.eat("column");
    let from = quote(&cursor.identifier()?);
    cursor.expect("to")?;
    Ok(format!("RENAME COLUMN {from} TO {}", quote(&cursor.identifier()?)))
}

/// `ADD [COLUMN] c type …`, or `ADD` of a key.
// The column and the record of its encoding are two statements in one text. PostgreSQL runs such a
// text as one transaction, so an encoding that is refused takes the column back too.
fn add(cursor: &mut Cursor<'_>, table: &Name) -> Result<Prepared, SqlError> {
    if let Some(constraint) = table_constraint(cursor)? {
        return Ok(keys::add_constraint(constraint, &table.to_string()));
    }
    cursor.eat("column");
    if cursor.peeks("if not exists") {
        return Err(cursor.syntax_error());
    }
    let name = cursor.identifier()?;
    let mut declared = Declared::default();
    let column = column(cursor, &name, &mut declared)?;
    check_added(&column, &declared)?;
    let record = if declared.is_empty() {
        String::new()
    } else {
        format!("; {}", declared.alter(&table.to_string()))
    };
    Ok(Prepared::command(format!("ALTER TABLE {table} ADD COLUMN {column}{record}")))
}

/// Refuses the clauses that only the columns of a CREATE TABLE can have.
// DEFAULT NULL is no default here: the rows that exist already need a value for a NOT NULL column.
fn check_added(column: &ColumnDefinition, declared: &Declared) -> Result<(), SqlError> {
    let is_null =
        column.default.as_ref().is_none_or(|default| default.eq_ignore_ascii_case("null"));
    let refusal = if column.identity.is_some() {
        "does not support columns with IDENTITY"
    } else if declared.has_constraints() {
        "does not support columns defined with UNIQUE or PRIMARY KEY constraints"
    } else if declared.has_keys() {
        // Not the engine's words.
        "does not support columns defined with DISTKEY or SORTKEY"
    } else if column.not_null && is_null {
        "defined as NOT NULL must have a non-null default expression"
    } else {
        return Ok(());
    };
    Err(SqlError::new(format!("ALTER TABLE ADD COLUMN {refusal}")))
}

/// `DROP [COLUMN] c`, or `DROP CONSTRAINT k`.
fn drop(cursor: &mut Cursor<'_>, table: &Name) -> Result<Prepared, SqlError> {
    if cursor.eat("constraint") {
        return keys::drop_constraint(cursor, &table.to_string());
    }
    cursor.eat("column");
    if cursor.peeks("if exists") {
        return Err(cursor.syntax_error());
    }
    let column = quote(&cursor.identifier()?);
    let behaviour = if cursor.eat_cascade() { " CASCADE" } else { "" };
    Ok(Prepared::command(format!("ALTER TABLE {table} DROP COLUMN {column}{behaviour}")))
}

/// `ALTER [COLUMN] c ENCODE e` or `ALTER [COLUMN] c TYPE t`, after the second ALTER.
fn alter_column(cursor: &mut Cursor<'_>, table: &Name) -> Result<Prepared, SqlError> {
    cursor.eat("column");
    let column = cursor.identifier()?;
    let call = if cursor.eat("encode") {
        keys::alter_encodings(cursor, &table.to_string(), column)?
    } else {
        expect_type_change(cursor)?;
        let length = new_length(cursor)?;
        // The procedure looks at the column first: only a VARCHAR becomes another VARCHAR.
        let table = helper::regclass(&table.to_string());
        helper::call("alter_varchar", &[&table, &literal(&column), &length])
    };
    Ok(Prepared::command(call).outside_transactions(ALTER_TYPE_IN_BLOCK))
}

/// Takes TYPE, and refuses the changes of a column that only PostgreSQL has. (Its SET DATA TYPE is
/// a syntax error in Redshift.)
fn expect_type_change(cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    match REFUSED_COLUMN_CHANGES.iter().find(|(words, _)| cursor.peeks(words)) {
        Some((_, words)) => Err(SqlError::new(format!("ALTER COLUMN {words} is not supported"))),
        None => cursor.expect("type"),
    }
}

/// `VARCHAR(n)`: the length.
fn new_length(cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    let data_type = column_type(cursor)?;
    if cursor.peeks("using") {
        return Err(SqlError::new("ALTER TABLE ALTER COLUMN does not support USING expression"));
    }
    if !data_type.is_varchar {
        return Err(SqlError::new(
            "target data type is not supported. ALTER TABLE ALTER COLUMN supports only VARCHAR \
             data type",
        ));
    }
    // The type is written as `varchar(20)`, and the procedure takes the 20.
    Ok(data_type.postgres.trim_start_matches("varchar(").trim_end_matches(')').to_owned())
}
