//! What Redshift keeps of a table beside its columns: distribution, sort order, encodings, and keys
//! that are declared and not enforced. In: their clauses in CREATE TABLE and ALTER TABLE. Out: a
//! JSON text for the functions of `data_api/helpers/keys.sql`, which record it, show it in the
//! catalog views, and know the columns: unknown ones are refused there.
//!
//! BACKUP is read and forgotten. Not done: that a table cannot be dropped while a foreign key
//! refers to it; DISTSTYLE and SORTKEY AUTO never become anything else. The engine's words are
//! known for few of the refusals here; the others are marked.

use std::collections::BTreeMap;

use serde::Serialize;

use super::cursor::Cursor;
use super::{Action, HELPER_SCHEMA, Prepared, SqlError, literal};

/// Which types each is for is known to the database.
const ENCODINGS: [&str; 13] = [
    "raw",
    "zstd",
    "az64",
    "bytedict",
    "delta",
    "delta32k",
    "lzo",
    "mostly8",
    "mostly16",
    "mostly32",
    "runlength",
    "text255",
    "text32k",
];
const MAX_COMPOUND_COLUMNS: usize = 400;
const MAX_INTERLEAVED_COLUMNS: usize = 8;

/// What a statement declares; the members are read by `loader_local.declare_keys`.
#[derive(Debug, Default, Serialize)]
pub(super) struct Declared {
    /// The table of LIKE, quoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    like: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dist_style: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dist_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort_style: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort_key: Option<Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    encodings: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    constraints: Vec<Constraint>,
}

/// A key; p, u or f as in `pg_constraint`.
#[derive(Debug, Serialize)]
pub(super) struct Constraint {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    kind: &'static str,
    columns: Vec<String>,
    /// The table of REFERENCES, quoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    references: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reference_columns: Vec<String>,
}

impl Declared {
    pub(super) fn is_empty(&self) -> bool {
        self.like.is_none()
            && self.dist_style.is_none()
            && self.sort_style.is_none()
            && self.encodings.is_empty()
            && self.constraints.is_empty()
    }

    pub(super) fn has_constraints(&self) -> bool {
        !self.constraints.is_empty()
    }

    /// Whether it says where rows lie.
    pub(super) fn has_keys(&self) -> bool {
        self.dist_key.is_some() || self.sort_style.is_some()
    }

    fn json(&self) -> String {
        // A struct of strings can always be written.
        literal(&serde_json::to_string(self).unwrap_or_default())
    }

    pub(super) fn set_like(&mut self, parent: String) {
        self.like = Some(parent);
    }

    pub(super) fn add(&mut self, constraint: Constraint) {
        self.constraints.push(constraint);
    }

    fn set_dist_key(&mut self, column: String) -> Result<(), SqlError> {
        if self.dist_key.is_some() {
            // Not the engine's words.
            return Err(SqlError::new("a table can have only one DISTKEY"));
        }
        self.dist_key = Some(column);
        Ok(())
    }

    fn set_sort_key(
        &mut self,
        style: &'static str,
        columns: Option<Vec<String>>,
    ) -> Result<(), SqlError> {
        if self.sort_style.is_some() {
            // Not the engine's words.
            return Err(SqlError::new("a table can have only one SORTKEY"));
        }
        let most =
            if style == "INTERLEAVED" { MAX_INTERLEAVED_COLUMNS } else { MAX_COMPOUND_COLUMNS };
        if columns.as_ref().is_some_and(|columns| columns.len() > most) {
            // Not the engine's words.
            return Err(SqlError::new(format!("{style} SORTKEY can have at most {most} columns")));
        }
        self.sort_style = Some(style);
        self.sort_key = columns;
        Ok(())
    }

    /// Reads a key's clause at a column (`DISTKEY`, `SORTKEY`, `ENCODE e`, `UNIQUE`, `PRIMARY KEY`,
    /// `REFERENCES t (c)`), if one comes next.
    pub(super) fn column_clause(
        &mut self,
        cursor: &mut Cursor<'_>,
        name: &str,
    ) -> Result<bool, SqlError> {
        let columns = || vec![name.to_owned()];
        let key = |kind| Constraint {
            name: None,
            kind,
            columns: columns(),
            references: None,
            reference_columns: vec![],
        };
        if cursor.eat("distkey") {
            self.set_dist_key(name.to_owned())?;
        } else if cursor.eat("sortkey") {
            self.set_sort_key("COMPOUND", Some(columns()))?;
        } else if cursor.eat("encode") {
            if let Some(encoding) = encoding(cursor)? {
                self.encodings.insert(name.to_owned(), encoding);
            }
        } else if cursor.eat("primary key") {
            self.add(key("p"));
        } else if cursor.eat("unique") {
            self.add(key("u"));
        } else if cursor.eat("references") {
            let (table, reference_columns) = references(cursor)?;
            self.add(Constraint { references: Some(table), reference_columns, ..key("f") });
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Reads what stands behind the columns of CREATE TABLE.
    pub(super) fn table_attributes(&mut self, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
        let mut style = None;
        loop {
            if cursor.eat("backup") {
                if !cursor.eat("yes") {
                    cursor.expect("no")?;
                }
            } else if cursor.eat("diststyle") {
                style = Some(dist_style(cursor)?);
            } else if cursor.eat("distkey") {
                cursor.expect("(")?;
                self.set_dist_key(cursor.identifier()?)?;
                cursor.expect(")")?;
            } else if !cursor.eat("encode auto") && !self.sort_clause(cursor)? {
                break;
            }
        }
        self.dist_style = match (style, &self.dist_key) {
            (None | Some("KEY"), Some(_)) => Some("KEY"),
            // Not the engine's words.
            (Some("KEY"), None) => return Err(SqlError::new("DISTSTYLE KEY needs a DISTKEY")),
            (Some(style), Some(_)) => {
                return Err(SqlError::new(format!(
                    "cannot specify DISTKEY when DISTSTYLE is {style}"
                )));
            }
            (style, None) => style,
        };
        if self.like.is_some() && (self.dist_style.is_some() || self.sort_style.is_some()) {
            // Not the engine's words.
            return Err(SqlError::new(
                "DISTSTYLE, DISTKEY and SORTKEY cannot be set in CREATE TABLE LIKE; they come from \
                 the parent",
            ));
        }
        Ok(())
    }

    fn sort_clause(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, SqlError> {
        if cursor.eat("sortkey auto") {
            self.set_sort_key("AUTO", None)?;
            return Ok(true);
        }
        let style = if cursor.eat("interleaved") {
            "INTERLEAVED"
        } else if cursor.eat("compound") || cursor.peeks("sortkey") {
            "COMPOUND"
        } else {
            return Ok(false);
        };
        cursor.expect("sortkey")?;
        let columns = names(cursor)?;
        self.set_sort_key(style, Some(columns))?;
        Ok(true)
    }

    /// A CREATE TABLE that is told of its keys.
    ///
    /// The event trigger that sees the new table reads them and forgets them.
    pub(super) fn with_create(&self, create: String) -> Action {
        if self.is_empty() {
            return Action::Command(create);
        }
        let keys =
            format!("SELECT set_config('{HELPER_SCHEMA}.declared_keys', {}, true)", self.json());
        Action::CreateWithKeys { keys, create }
    }

    /// The call that changes an existing table's keys.
    pub(super) fn alter(&self, table: &str) -> String {
        format!(
            "CALL {HELPER_SCHEMA}.alter_keys({}::regclass, {HELPER_SCHEMA}.resolved({}))",
            literal(table),
            self.json()
        )
    }
}

fn dist_style(cursor: &mut Cursor<'_>) -> Result<&'static str, SqlError> {
    let style = ["AUTO", "EVEN", "KEY", "ALL"].into_iter().find(|style| cursor.eat(style));
    style.ok_or_else(|| cursor.syntax_error())
}

/// `(a, b)`.
fn names(cursor: &mut Cursor<'_>) -> Result<Vec<String>, SqlError> {
    cursor.expect("(")?;
    let mut names = vec![cursor.identifier()?];
    while cursor.eat(",") {
        names.push(cursor.identifier()?);
    }
    cursor.expect(")")?;
    Ok(names)
}

/// An encoding's name; `None` for AUTO.
fn encoding(cursor: &mut Cursor<'_>) -> Result<Option<String>, SqlError> {
    let error = cursor.syntax_error();
    let name = cursor.identifier()?;
    match name.as_str() {
        "auto" => Ok(None),
        "none" => Ok(Some("raw".to_owned())),
        name if ENCODINGS.contains(&name) => Ok(Some(name.to_owned())),
        _ => Err(error),
    }
}

fn references(cursor: &mut Cursor<'_>) -> Result<(String, Vec<String>), SqlError> {
    let table = cursor.qualified_name()?.to_string();
    let columns = if cursor.peeks("(") { names(cursor)? } else { Vec::new() };
    Ok((table, columns))
}

/// Reads a table's key, if one comes next.
pub(super) fn table_constraint(cursor: &mut Cursor<'_>) -> Result<Option<Constraint>, SqlError> {
    let start = cursor.clone();
    let name = if cursor.eat("constraint") { Some(cursor.identifier()?) } else { None };
    if cursor.peeks("check (") {
        return Err(SqlError::new("CHECK constraints are not supported"));
    }
    let kind = if cursor.eat("primary key") {
        "p"
    } else if cursor.peeks("unique (") && cursor.eat("unique") {
        "u"
    } else if cursor.eat("foreign key") {
        "f"
    } else {
        *cursor = start;
        return Ok(None);
    };
    let columns = names(cursor)?;
    let mut constraint =
        Constraint { name, kind, columns, references: None, reference_columns: Vec::new() };
    if kind == "f" {
        cursor.expect("references")?;
        let (table, columns) = references(cursor)?;
        constraint.references = Some(table);
        constraint.reference_columns = columns;
    }
    Ok(Some(constraint))
}

/// `ALTER TABLE t ALTER [DISTKEY|DISTSTYLE|SORTKEY|ENCODE AUTO] …`, after the second ALTER, if one
/// of these comes next.
pub(super) fn alter_layout(
    cursor: &mut Cursor<'_>,
    table: &str,
) -> Result<Option<Prepared>, SqlError> {
    let mut declared = Declared::default();
    if cursor.eat("encode auto") {
        return Ok(Some(Prepared::of(Action::Nothing)));
    } else if cursor.eat("distkey") {
        declared.dist_key = Some(cursor.identifier()?);
        declared.dist_style = Some("KEY");
    } else if cursor.eat("diststyle") {
        let style = dist_style(cursor)?;
        if style == "KEY" {
            cursor.expect("distkey")?;
            declared.dist_key = Some(cursor.identifier()?);
        }
        declared.dist_style = Some(style);
    } else if cursor.eat("sortkey none") {
        declared.set_sort_key("COMPOUND", Some(Vec::new()))?;
    } else if cursor.peeks("interleaved") || !declared.sort_clause(cursor)? {
        return Ok(None);
    }
    Ok(Some(Prepared::of(Action::Command(declared.alter(table)))))
}

/// `ALTER TABLE t ADD PRIMARY KEY …`.
pub(super) fn add_constraint(constraint: Constraint, table: &str) -> Prepared {
    let declared = Declared { constraints: vec![constraint], ..Declared::default() };
    Prepared::of(Action::Command(declared.alter(table)))
}

/// `ALTER TABLE t DROP CONSTRAINT name`, after CONSTRAINT.
pub(super) fn drop_constraint(cursor: &mut Cursor<'_>, table: &str) -> Result<Prepared, SqlError> {
    let name = cursor.identifier()?;
    if !cursor.eat("cascade") {
        cursor.eat("restrict");
    }
    let call =
        format!("CALL {HELPER_SCHEMA}.drop_key({}::regclass, {})", literal(table), literal(&name));
    Ok(Prepared::of(Action::Command(call)))
}

/// `ALTER TABLE t ALTER COLUMN c ENCODE e, …`, after the first ENCODE.
pub(super) fn alter_encodings(
    cursor: &mut Cursor<'_>,
    table: &str,
    first: String,
) -> Result<String, SqlError> {
    let mut declared = Declared::default();
    let mut name = first;
    loop {
        declared.encodings.insert(name, encoding(cursor)?.unwrap_or_else(|| "auto".to_owned()));
        if !cursor.eat(",") {
            return Ok(declared.alter(table));
        }
        cursor.expect("alter")?;
        cursor.eat("column");
        name = cursor.identifier()?;
        cursor.expect("encode")?;
    }
}
