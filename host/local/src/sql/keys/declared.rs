//! The distribution, sort order, encodings and keys that CREATE TABLE and ALTER TABLE declare. In:
//! their clauses, read where the grammar has them. Out: the PostgreSQL text that records them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::clauses::{Constraint, column_constraint, dist_style, encoding};
use crate::sql::cursor::Cursor;
use crate::sql::error::SqlError;
use crate::sql::helper::{self, HELPER_SCHEMA};
use crate::sql::prepared::Action;
use crate::sql::quoting::literal;

const MAX_COMPOUND_COLUMNS: usize = 400;
const MAX_INTERLEAVED_COLUMNS: usize = 8;

/// The declarations of a statement. `loader_local.declare_keys` reads the members by their names.
#[derive(Debug, Default, Serialize)]
pub(in crate::sql) struct Declared {
    /// The table of LIKE, quoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    like: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dist_style: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dist_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort_style: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort_key: Option<Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) encodings: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    constraints: Vec<Constraint>,
}

/// Setters of the members, and questions about them.
impl Declared {
    pub(in crate::sql) fn is_empty(&self) -> bool {
        // A DISTKEY is not asked for: CREATE TABLE gives it a style, and ADD COLUMN refuses it.
        self.like.is_none()
            && self.dist_style.is_none()
            && self.sort_style.is_none()
            && self.encodings.is_empty()
            && self.constraints.is_empty()
    }

    pub(in crate::sql) fn has_constraints(&self) -> bool {
        !self.constraints.is_empty()
    }

    /// Whether the statement declares a DISTKEY or a SORTKEY.
    pub(in crate::sql) fn has_keys(&self) -> bool {
        self.dist_key.is_some() || self.sort_style.is_some()
    }

    pub(in crate::sql) fn set_like(&mut self, parent: String) {
        self.like = Some(parent);
    }

    pub(in crate::sql) fn add(&mut self, constraint: Constraint) {
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

    pub(super) fn set_sort_key(
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
}

/// Reading from a statement's tokens.
impl Declared {
    /// Reads a key's clause behind a column (`DISTKEY`, `SORTKEY`, `ENCODE e`, `UNIQUE`,
    /// `PRIMARY KEY`, `REFERENCES t (c)`), if one comes next.
    pub(in crate::sql) fn column_clause(
        &mut self,
        cursor: &mut Cursor<'_>,
        column: &str,
    ) -> Result<bool, SqlError> {
        if cursor.eat("distkey") {
            self.set_dist_key(column.to_owned())?;
        } else if cursor.eat("sortkey") {
            self.set_sort_key("COMPOUND", Some(vec![column.to_owned()]))?;
        } else if cursor.eat("encode") {
            if let Some(encoding) = encoding(cursor)? {
                self.encodings.insert(column.to_owned(), encoding);
            }
        } else if let Some(constraint) = column_constraint(cursor, column)? {
            self.add(constraint);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Reads the attributes behind the columns of CREATE TABLE: BACKUP, DISTSTYLE, DISTKEY,
    /// SORTKEY, ENCODE AUTO.
    pub(in crate::sql) fn table_attributes(
        &mut self,
        cursor: &mut Cursor<'_>,
    ) -> Result<(), SqlError> {
        let mut style = None;
        // DISTSTYLE and DISTKEY may come in either order, so they are compared only behind the
        // loop.
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
        self.settle(style)
    }

    /// Brings DISTSTYLE `style`, DISTKEY, SORTKEY and LIKE into agreement.
    fn settle(&mut self, style: Option<&'static str>) -> Result<(), SqlError> {
        self.dist_style = self.settled_dist_style(style)?;
        if self.like.is_some() && (self.dist_style.is_some() || self.sort_style.is_some()) {
            // Not the engine's words.
            return Err(SqlError::new(
                "DISTSTYLE, DISTKEY and SORTKEY cannot be set in CREATE TABLE LIKE; they come from \
                 the parent",
            ));
        }
        Ok(())
    }

    /// The style that DISTSTYLE `style` and the DISTKEY mean together: a DISTKEY alone means KEY.
    fn settled_dist_style(
        &self,
        style: Option<&'static str>,
    ) -> Result<Option<&'static str>, SqlError> {
        match (style, &self.dist_key) {
            (None | Some("KEY"), Some(_)) => Ok(Some("KEY")),
            // Not the engine's words.
            (Some("KEY"), None) => Err(SqlError::new("DISTSTYLE KEY needs a DISTKEY")),
            (Some(style), Some(_)) => {
                Err(SqlError::new(format!("cannot specify DISTKEY when DISTSTYLE is {style}")))
            }
            (style, None) => Ok(style),
        }
    }

    /// Reads `SORTKEY AUTO` or `[COMPOUND|INTERLEAVED] SORTKEY (a, b)`, if one comes next.
    pub(super) fn sort_clause(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, SqlError> {
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
        let columns = cursor.names_in_brackets()?;
        self.set_sort_key(style, Some(columns))?;
        Ok(true)
    }
}

/// Recording in the database.
impl Declared {
    fn json(&self) -> String {
        // A struct of strings can always be written.
        literal(&serde_json::to_string(self).unwrap_or_default())
    }

    /// A CREATE TABLE, and a setting that announces its keys. An event trigger sees the new table,
    /// reads the setting and clears it.
    pub(in crate::sql) fn with_create(&self, create: String) -> Action {
        if self.is_empty() {
            return Action::Command(create);
        }
        // `true` ends the setting with the transaction. So the keys of a CREATE TABLE that fails
        // cannot reach the next one.
        let keys =
            format!("SELECT set_config('{HELPER_SCHEMA}.declared_keys', {}, true)", self.json());
        Action::CreateWithKeys { keys, create }
    }

    /// The call that changes an existing table's keys.
    pub(in crate::sql) fn alter(&self, table: &str) -> String {
        let keys = format!("{HELPER_SCHEMA}.resolved({})", self.json());
        helper::call("alter_keys", &[&helper::regclass(table), &keys])
    }
}
