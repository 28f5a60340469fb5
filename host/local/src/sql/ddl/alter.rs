//! ALTER TABLE by Redshift's grammar: one action, types only from VARCHAR to VARCHAR and only
//! outside transactions.

use super::super::cursor::{Cursor, Name, quote};
use super::super::keys::{self, Declared, table_constraint};
use super::super::types::column_type;
use super::super::{Action, HELPER_SCHEMA, Prepared, SqlError, grants, identities};
use super::{Column, column, literal};

const ALTER_TYPE_IN_BLOCK: &str = "ALTER TABLE ALTER COLUMN cannot run inside a transaction block";

/// `ALTER …`.
pub(crate) fn alter(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let text = cursor.rest();
    cursor.expect("alter")?;
    if let Some(kind) = identities::kind(&mut cursor) {
        return identities::alter(kind, cursor);
    }
    if cursor.eat("default privileges") {
        return grants::alter_default(cursor);
    }
    if !cursor.eat("table") {
        return match cursor.text().to_ascii_lowercase().as_str() {
            "schema" => Ok(Prepared::of(Action::Command(text.to_owned()))),
            "database" | "materialized" | "external" | "function" | "procedure" | "datashare" => {
                Err(SqlError::unsupported(&format!("ALTER {}", cursor.text().to_ascii_uppercase())))
            }
            _ => Err(cursor.syntax_error()),
        };
    }
    if cursor.peeks("if exists") || cursor.peeks("only") {
        return Err(cursor.syntax_error());
    }
    let table = cursor.qualified_name()?;
    let prepared = alter_table(&mut cursor, &table)?;
    if cursor.peeks(",") {
        return Err(cursor
            .syntax_error()
            .with_hint("Amazon Redshift takes one action in an ALTER TABLE"));
    }
    cursor.expect_end()?;
    Ok(prepared)
}

fn alter_table(cursor: &mut Cursor<'_>, table: &Name) -> Result<Prepared, SqlError> {
    let command =
        |rest: String| Ok(Prepared::of(Action::Command(format!("ALTER TABLE {table} {rest}"))));
    if cursor.eat("add") {
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
        let added = added_column(&column, &declared)?;
        let record = if declared.is_empty() {
            String::new()
        } else {
            format!("; {}", declared.alter(&table.to_string()))
        };
        return command(format!("{added}{record}"));
    }
    if cursor.eat("drop") {
        if cursor.eat("constraint") {
            return keys::drop_constraint(cursor, &table.to_string());
        }
        cursor.eat("column");
        if cursor.peeks("if exists") {
            return Err(cursor.syntax_error());
        }
        let name = quote(&cursor.identifier()?);
        let behaviour = if cursor.eat("cascade") { " CASCADE" } else { "" };
        if behaviour.is_empty() {
            cursor.eat("restrict");
        }
        return command(format!("DROP COLUMN {name}{behaviour}"));
    }
    if cursor.eat("rename to") {
        return command(format!("RENAME TO {}", quote(&cursor.identifier()?)));
    }
    if cursor.eat("rename") {
        cursor.eat("column");
        let from = quote(&cursor.identifier()?);
        cursor.expect("to")?;
        return command(format!("RENAME COLUMN {from} TO {}", quote(&cursor.identifier()?)));
    }
    if cursor.eat("owner to") {
        return command(format!("OWNER TO {}", quote(&cursor.identifier()?)));
    }
    if cursor.eat("append") {
        return Err(SqlError::unsupported("ALTER TABLE APPEND"));
    }
    if cursor.eat("alter") {
        if let Some(prepared) = keys::alter_layout(cursor, &table.to_string())? {
            return Ok(prepared);
        }
        return alter_column(cursor, table);
    }
    Err(cursor.syntax_error())
}

fn added_column(column: &Column, declared: &Declared) -> Result<String, SqlError> {
    if column.identity.is_some() {
        return Err(SqlError::new("ALTER TABLE ADD COLUMN does not support columns with IDENTITY"));
    }
    if declared.has_constraints() {
        return Err(SqlError::new(
            "ALTER TABLE ADD COLUMN does not support columns defined with UNIQUE or PRIMARY KEY \
             constraints",
        ));
    }
    if declared.has_keys() {
        // Not the engine's words.
        return Err(SqlError::new(
            "ALTER TABLE ADD COLUMN does not support columns defined with DISTKEY or SORTKEY",
        ));
    }
    let is_null =
        column.default.as_ref().is_none_or(|default| default.eq_ignore_ascii_case("null"));
    if column.not_null && is_null {
        return Err(SqlError::new(
            "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression",
        ));
    }
    Ok(format!("ADD COLUMN {column}"))
}

fn alter_column(cursor: &mut Cursor<'_>, table: &Name) -> Result<Prepared, SqlError> {
    cursor.eat("column");
    let name = cursor.identifier()?;
    if cursor.eat("encode") {
        let call = keys::alter_encodings(cursor, &table.to_string(), name)?;
        return Ok(Prepared {
            action: Action::Command(call),
            outside_transactions: Some(ALTER_TYPE_IN_BLOCK),
        });
    }
    for (refused, words) in [
        ("set not null", "SET NOT NULL"),
        ("drop not null", "DROP NOT NULL"),
        ("set default", "SET/DROP DEFAULT"),
        ("drop default", "SET/DROP DEFAULT"),
    ] {
        if cursor.peeks(refused) {
            return Err(SqlError::new(format!("ALTER COLUMN {words} is not supported")));
        }
    }
    if cursor.peeks("set data type") {
        return Err(cursor.syntax_error());
    }
    cursor.expect("type")?;
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
    // A function of ours looks at the column first: only VARCHAR to another size of VARCHAR.
    let length = data_type.postgres.trim_start_matches("varchar(").trim_end_matches(')');
    let call = format!(
        "CALL {}.alter_varchar({}::regclass, {}, {length})",
        HELPER_SCHEMA,
        literal(&table.to_string()),
        literal(&name)
    );
    Ok(Prepared { action: Action::Command(call), outside_transactions: Some(ALTER_TYPE_IN_BLOCK) })
}
