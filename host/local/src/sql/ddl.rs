//! CREATE and ALTER by Redshift's grammar. In: a statement's tokens. Out: PostgreSQL text without
//! what PostgreSQL has not (keys that are not enforced, distribution, sort order, encodings: `keys`
//! has them recorded), or Redshift's refusal. The check that a VARCHAR counts bytes is added by an
//! event trigger in the database (`data_api/helpers`), so that CTAS, LIKE and ALTER need no help
//! from here.

mod alter;
mod view;

pub(crate) use alter::alter;
pub(crate) use view::refresh;

use super::cursor::{Cursor, quote};
use super::keys::{Declared, table_constraint};
use super::lexer::TokenKind;
use super::types::{ColumnType, column_type};
use super::{Prepared, SqlError, identities, query};

/// `CREATE …`.
pub(crate) fn create(text: &str, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.expect("create")?;
    let local = cursor.eat("local");
    let temporary = cursor.eat("temporary") || cursor.eat("temp");
    if cursor.eat("table") {
        return create_table(cursor, temporary);
    }
    if local || temporary {
        return Err(cursor.syntax_error());
    }
    if let Some(kind) = identities::kind(&mut cursor) {
        return identities::create(kind, cursor);
    }
    match cursor.text().to_ascii_lowercase().as_str() {
        "view" | "or" => view::create(text, cursor),
        "materialized" => view::create_materialized(text, cursor),
        "schema" => query::prepare(text),
        "database" => {
            let prepared = query::prepare(text)?;
            Ok(Prepared {
                outside_transactions: Some("CREATE DATABASE cannot run inside a transaction block"),
                ..prepared
            })
        }
        "external" | "function" | "procedure" | "library" | "model" | "datashare" | "rls"
        | "masking" | "identity" => {
            Err(SqlError::unsupported(&format!("CREATE {}", cursor.text().to_ascii_uppercase())))
        }
        _ => Err(cursor.syntax_error().with_hint(
            "Amazon Redshift has no such object (no indexes, sequences, triggers, \
                        types, extensions)",
        )),
    }
}

/// What a CREATE TABLE is made of, in PostgreSQL's words.
#[derive(Default)]
struct Table {
    elements: Vec<String>,
    /// Bare names in brackets before AS.
    names: Vec<String>,
    columns: usize,
    declared: Declared,
}

fn create_table(mut cursor: Cursor<'_>, temporary: bool) -> Result<Prepared, SqlError> {
    let if_not_exists = cursor.eat("if not exists");
    let name = cursor.qualified_name()?;
    let temporary = temporary || name.table.starts_with('#');
    if temporary && name.schema.is_some() {
        return Err(SqlError::new("cannot create temporary relation in non-temporary schema"));
    }
    let mut table = Table::default();
    let has_brackets = cursor.eat("(");
    if has_brackets {
        table_elements(&mut cursor, &mut table)?;
    }
    table.declared.table_attributes(&mut cursor)?;
    let head = format!(
        "CREATE {}TABLE {}{name}",
        if temporary { "TEMPORARY " } else { "" },
        if if_not_exists { "IF NOT EXISTS " } else { "" }
    );
    if cursor.eat("as") {
        if !table.elements.is_empty() {
            return Err(cursor.syntax_error());
        }
        let names = if table.names.is_empty() {
            String::new()
        } else {
            format!(" ({})", table.names.join(", "))
        };
        let select = query::translate_part(cursor.rest())?;
        return Ok(Prepared::of(table.declared.with_create(format!("{head}{names} AS {select}"))));
    }
    cursor.expect_end()?;
    if !has_brackets || !table.names.is_empty() {
        return Err(cursor.syntax_error());
    }
    if table.columns > 1600 {
        return Err(SqlError::new("tables can have at most 1600 columns"));
    }
    Ok(Prepared::of(table.declared.with_create(format!("{head} ({})", table.elements.join(", ")))))
}

fn table_elements(cursor: &mut Cursor<'_>, table: &mut Table) -> Result<(), SqlError> {
    loop {
        if cursor.eat("like") {
            let parent = cursor.qualified_name()?;
            let defaults = cursor.eat("including defaults");
            if !defaults {
                cursor.eat("excluding defaults");
            }
            // The only CHECK constraints are our own on the bytes of a VARCHAR.
            let defaults = if defaults { " INCLUDING DEFAULTS" } else { "" };
            table.elements.push(format!("LIKE {parent} INCLUDING CONSTRAINTS{defaults}"));
            table.declared.set_like(parent.to_string());
        } else if let Some(constraint) = table_constraint(cursor)? {
            table.declared.add(constraint);
        } else {
            let name = cursor.identifier()?;
            if cursor.peeks(",") || cursor.peeks(")") {
                table.names.push(quote(&name));
            } else {
                table.columns += 1;
                table.elements.push(column(cursor, &name, &mut table.declared)?.to_string());
            }
        }
        if cursor.eat(")") {
            return Ok(());
        }
        cursor.expect(",")?;
    }
}

struct Column {
    name: String,
    data_type: ColumnType,
    default: Option<String>,
    identity: Option<String>,
    not_null: bool,
}

impl std::fmt::Display for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", quote(&self.name), self.data_type.postgres)?;
        if let Some(default) = &self.default {
            write!(f, " DEFAULT {default}")?;
        }
        if let Some(identity) = &self.identity {
            write!(f, " {identity}")?;
        }
        if self.not_null && self.identity.is_none() {
            write!(f, " NOT NULL")?;
        }
        Ok(())
    }
}

const SYSTEM_COLUMNS: [&str; 7] = ["oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

fn column(
    cursor: &mut Cursor<'_>,
    name: &str,
    declared: &mut Declared,
) -> Result<Column, SqlError> {
    if SYSTEM_COLUMNS.contains(&name) {
        return Err(SqlError::new(format!(
            "column name \"{name}\" conflicts with a system column name"
        )));
    }
    let data_type = column_type(cursor)?;
    let mut column =
        Column { name: name.to_owned(), data_type, default: None, identity: None, not_null: false };
    while !cursor.is_at_end() && !cursor.peeks(",") && !cursor.peeks(")") {
        if cursor.eat("not null") {
            column.not_null = true;
        } else if cursor.eat("null") {
            // The default.
        } else if declared.column_clause(cursor, name)? {
            // Recorded.
        } else if cursor.eat("collate") {
            if !cursor.eat("case_sensitive") {
                return Err(SqlError::unsupported("COLLATE CASE_INSENSITIVE"));
            }
        } else if cursor.eat("default") {
            column.default = Some(default_expression(cursor)?);
        } else if cursor.eat("identity") {
            column.identity = Some(identity(cursor, "ALWAYS")?);
        } else if cursor.eat("generated by default as identity") {
            column.identity = Some(identity(cursor, "BY DEFAULT")?);
        } else if cursor.peeks("check") {
            return Err(SqlError::new("CHECK constraints are not supported"));
        } else {
            return Err(cursor.syntax_error());
        }
    }
    Ok(column)
}

fn identity(cursor: &mut Cursor<'_>, mode: &str) -> Result<String, SqlError> {
    let number = |cursor: &mut Cursor<'_>| {
        let sign = if cursor.eat("-") { "-" } else { "" };
        cursor.number().map(|number| format!("{sign}{number}"))
    };
    cursor.expect("(")?;
    let seed = number(cursor)?;
    cursor.expect(",")?;
    let step = number(cursor)?;
    cursor.expect(")")?;
    // PostgreSQL's own bounds are 1 and -1.
    let bound = if step.starts_with('-') { "MAXVALUE" } else { "MINVALUE" };
    Ok(format!(
        "GENERATED {mode} AS IDENTITY (START WITH {seed} INCREMENT BY {step} {bound} {seed})"
    ))
}

const AFTER_DEFAULT: [&str; 9] =
    ["not", "null", "distkey", "sortkey", "primary", "unique", "encode", "collate", "references"];

fn default_expression(cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    let start = cursor.position();
    let first = cursor.position();
    while !cursor.is_at_end() && !cursor.peeks(",") && !cursor.peeks(")") {
        let is_word = matches!(cursor.kind(), Some(TokenKind::Word));
        if is_word
            && cursor.position() > first
            && AFTER_DEFAULT.contains(&cursor.text().to_ascii_lowercase().as_str())
        {
            break;
        }
        if cursor.peeks("(") {
            cursor.brackets()?;
        } else {
            cursor.skip();
        }
    }
    query::translate_expression(cursor.since(start))
}

/// A PostgreSQL string literal.
pub(crate) fn literal(value: &str) -> String {
    format!("E'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}
