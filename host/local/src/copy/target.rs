//! The table that COPY fills, from PostgreSQL's catalog. In: a name and the statement's column
//! list. Out: the columns that fields map to, in order, with all that conversion needs; or
//! Redshift's error for a table or column that does not exist.

use crate::session::{Row, Session};
use crate::sql::{CopyStatement, literal, quote};

/// A column's type, as far as loading tells types apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoadedType {
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Bool,
    Numeric {
        precision: u8,
        scale: u8,
    },
    /// Length in bytes.
    Varchar(usize),
    Char(usize),
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Super,
    Varbyte,
}

impl LoadedType {
    // PostgreSQL's modifier is 4 more than the length, and -1 where a type has none. For example,
    // VARCHAR(20) has 24. NUMERIC(12,2) has ((12 << 16) | 2) + 4, precision above scale.
    fn new(type_name: &str, modifier: i32) -> Option<LoadedType> {
        let length = usize::try_from(modifier - 4).ok();
        Some(match type_name {
            "int2" => LoadedType::Int2,
            "int4" => LoadedType::Int4,
            "int8" => LoadedType::Int8,
            "float4" => LoadedType::Float4,
            "float8" => LoadedType::Float8,
            "bool" => LoadedType::Bool,
            "numeric" if modifier < 4 => LoadedType::Numeric { precision: 38, scale: 0 },
            "numeric" => LoadedType::Numeric {
                precision: u8::try_from((modifier - 4) >> 16).ok()?,
                scale: u8::try_from((modifier - 4) & 0xffff).ok()?,
            },
            "varchar" | "text" => LoadedType::Varchar(length.unwrap_or(65_535)),
            "bpchar" => LoadedType::Char(length.unwrap_or(1)),
            "date" => LoadedType::Date,
            "time" => LoadedType::Time,
            "timestamp" => LoadedType::Timestamp,
            "timestamptz" => LoadedType::TimestampTz,
            "jsonb" => LoadedType::Super,
            "bytea" => LoadedType::Varbyte,
            _ => return None,
        })
    }

    pub(crate) fn is_text(self) -> bool {
        matches!(self, LoadedType::Varchar(_) | LoadedType::Char(_))
    }

    /// The type's name in STL_LOAD_ERRORS and in texts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            LoadedType::Int2 => "int2",
            LoadedType::Int4 => "int4",
            LoadedType::Int8 => "int8",
            LoadedType::Float4 => "float4",
            LoadedType::Float8 => "float8",
            LoadedType::Bool => "bool",
            LoadedType::Numeric { .. } => "numeric",
            LoadedType::Varchar(_) => "varchar",
            LoadedType::Char(_) => "char",
            LoadedType::Date => "date",
            LoadedType::Time => "time",
            LoadedType::Timestamp => "timestamp",
            LoadedType::TimestampTz => "timestamptz",
            LoadedType::Super => "super",
            LoadedType::Varbyte => "varbyte",
        }
    }

    /// The type as in DDL, for errors about Parquet.
    pub(crate) fn ddl(self) -> String {
        match self {
            LoadedType::Int2 => "SMALLINT".to_owned(),
            LoadedType::Int4 => "INT".to_owned(),
            LoadedType::Int8 => "BIGINT".to_owned(),
            LoadedType::Float4 => "REAL".to_owned(),
            LoadedType::Float8 => "DOUBLE".to_owned(),
            LoadedType::Bool => "BOOLEAN".to_owned(),
            LoadedType::Numeric { precision, scale } => format!("DECIMAL({precision}, {scale})"),
            LoadedType::Varchar(bytes) => format!("VARCHAR({bytes})"),
            LoadedType::Char(bytes) => format!("CHAR({bytes})"),
            LoadedType::Date => "DATE".to_owned(),
            LoadedType::Time => "TIME".to_owned(),
            LoadedType::Timestamp => "TIMESTAMP".to_owned(),
            LoadedType::TimestampTz => "TIMESTAMPTZ".to_owned(),
            LoadedType::Super => "SUPER".to_owned(),
            LoadedType::Varbyte => "VARBYTE".to_owned(),
        }
    }
}

/// A column that a field goes to.
#[derive(Debug, Clone)]
pub(crate) struct LoadedColumn {
    pub(crate) name: String,
    pub(crate) kind: LoadedType,
    pub(crate) not_null: bool,
    /// The default that a NOT NULL column takes in place of a null, as text.
    pub(crate) default: Option<String>,
}

impl LoadedColumn {
    /// The length that STL_LOAD_ERRORS shows.
    pub(crate) fn length_text(&self) -> String {
        match self.kind {
            LoadedType::Varchar(bytes) | LoadedType::Char(bytes) => bytes.to_string(),
            LoadedType::Numeric { precision, scale } => format!("{precision},{scale}"),
            _ => "0".to_owned(),
        }
    }
}

/// The table with the columns that are loaded.
#[derive(Debug, Clone)]
pub(crate) struct TargetTable {
    pub(crate) oid: u32,
    pub(crate) name: String,
    pub(crate) columns: Vec<LoadedColumn>,
}

struct Found {
    column: LoadedColumn,
    is_identity: bool,
    must_be_explicit: bool,
    default: Option<String>,
}

/// Lets this transaction alone write to the table.
pub(crate) async fn lock(session: &Session, statement: &CopyStatement) -> Result<(), String> {
    let lock = session.write_lock(&statement.table.to_string());
    let name = &statement.table.table;
    session.command(&lock).await.map(drop).map_err(|error| {
        if error.contains("does not exist") {
            nonexistent(name)
        } else if error.contains("cannot lock relation") {
            // PostgreSQL locks tables and views, and no materialized views.
            no_table(name)
        } else {
            error
        }
    })
}

fn nonexistent(name: &str) -> String {
    format!("ERROR: Cannot COPY into nonexistent table {name}")
}

fn no_table(name: &str) -> String {
    format!("ERROR: cannot copy to view \"{name}\"")
}

/// Finds the table and maps the fields.
pub(crate) async fn find(
    session: &Session,
    statement: &CopyStatement,
) -> Result<TargetTable, String> {
    let name = &statement.table.table;
    let rows = session.rows(&catalog_sql(statement)).await?;
    let Some(first) = rows.first() else {
        return Err(nonexistent(name));
    };
    check_relation(first, name)?;
    let oid = first[OID].as_deref().and_then(|oid| oid.parse().ok()).unwrap_or(0);
    let found = rows.iter().map(Found::of).collect::<Result<Vec<Found>, String>>()?;
    let mut columns = Vec::with_capacity(found.len());
    for found in choose(statement, found)? {
        columns.push(found.with_default(session).await?);
    }
    Ok(TargetTable { oid, name: name.clone(), columns })
}

fn check_relation(row: &Row, name: &str) -> Result<(), String> {
    if row[RELATION_KIND].as_deref() != Some("r") {
        return Err(no_table(name));
    }
    if row[MAY_INSERT].as_deref() != Some("t") {
        return Err(format!("ERROR: permission denied for relation {name}"));
    }
    Ok(())
}

/// The columns of [`catalog_sql`] that say the same in every row.
const OID: usize = 0;
const RELATION_KIND: usize = 1;
const MAY_INSERT: usize = 8;

fn catalog_sql(statement: &CopyStatement) -> String {
    let relation = literal(&statement.table.to_string());
    format!(
        "SELECT c.oid, c.relkind, a.attname, t.typname, a.atttypmod, a.attnotnull, a.attidentity, \
         pg_get_expr(d.adbin, d.adrelid), has_table_privilege(c.oid, 'INSERT') FROM pg_class c \
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped JOIN \
         pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = \
         a.attnum WHERE c.oid = to_regclass({relation}) ORDER BY a.attnum"
    )
}

impl Found {
    /// A column from its row of [`catalog_sql`].
    fn of(row: &Row) -> Result<Found, String> {
        let text = |index: usize| row[index].as_deref().unwrap_or_default();
        let (name, type_name, identity) = (text(2), text(3), text(6));
        let Some(kind) = LoadedType::new(type_name, text(4).parse().unwrap_or(-1)) else {
            return Err(format!("ERROR: COPY cannot load column \"{name}\" of type {type_name}"));
        };
        Ok(Found {
            column: LoadedColumn {
                name: name.to_owned(),
                kind,
                not_null: text(5) == "t",
                default: None,
            },
            is_identity: !identity.is_empty(),
            must_be_explicit: identity == "a",
            default: row[7].as_deref().map(str::to_owned),
        })
    }

    /// The column, with the value of its default if it is NOT NULL.
    async fn with_default(self, session: &Session) -> Result<LoadedColumn, String> {
        // The default is computed once for a COPY: `DEFAULT getdate()` is one moment in all rows.
        let mut column = self.column;
        if column.not_null
            && let Some(default) = &self.default
        {
            let rows = session.rows(&format!("SELECT ({default})::varchar")).await?;
            column.default = rows.first().and_then(|row| row[0].as_deref().map(str::to_owned));
        }
        Ok(column)
    }
}

fn choose(statement: &CopyStatement, mut table: Vec<Found>) -> Result<Vec<Found>, String> {
    let Some(names) = &statement.columns else {
        // Without a list, COPY fills all columns; `IDENTITY(1,1)` only with EXPLICIT_IDS.
        table.retain(|found| !found.must_be_explicit || statement.explicit_ids);
        return Ok(table);
    };
    let mut chosen = Vec::with_capacity(names.len());
    for name in names {
        chosen.push(take(statement, &mut table, name)?);
    }
    if statement.explicit_ids && !chosen.iter().any(|found| found.is_identity) {
        return Err("ERROR: EXPLICIT_IDS needs the identity column in the column list".to_owned());
    }
    Ok(chosen)
}

/// The column that the statement lists under this name.
fn take(statement: &CopyStatement, table: &mut Vec<Found>, name: &str) -> Result<Found, String> {
    let Some(index) = table.iter().position(|found| found.column.name == name) else {
        return Err(format!(
            "ERROR: column \"{name}\" of relation \"{}\" does not exist",
            statement.table.table
        ));
    };
    // The order of the rest may change, as the statement's list decides the order.
    let found = table.swap_remove(index);
    if found.must_be_explicit && !statement.explicit_ids {
        return Err(format!(
            "ERROR: cannot set an identity column to a value; column \"{name}\" needs EXPLICIT_IDS"
        ));
    }
    Ok(found)
}

/// The PostgreSQL statement that takes the rows.
pub(crate) fn copy_in(statement: &CopyStatement, table: &TargetTable) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| quote(&column.name)).collect();
    format!("COPY {} ({}) FROM STDIN (FORMAT binary)", statement.table, columns.join(", "))
}
