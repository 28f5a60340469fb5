//! What the warehouse says about the target. Before a load: its columns, and whether the ledger has
//! this load. Right before the target is altered: its columns as they are then, with their keys.
//!
//! The module has the queries and reads their answers. It runs nothing.

pub(crate) mod spelling;
pub mod untyped;

mod ledger;
mod upper_case;

use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::column_type::ColumnType;
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;

use crate::audit_table::{AUDIT, AuditTable};
use crate::bookkeeping::LaterColumn;
use crate::evolution::journal::{self, LeftViews};
use crate::rows::{FromRow, ResultRows, Row};
use crate::sql::text;
use crate::{bookkeeping, session};

use ledger::Loads;

pub use ledger::{LastLoad, keys_column, known_query};

/// The warehouse as a load finds it.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Columns of the target in their order; `None` when the table does not exist.
    pub target: Option<Vec<CatalogColumn>>,
    /// The run that loaded this very file before; `None` when the ledger has none.
    pub loaded_by: Option<String>,
    /// How many loads of the target the ledger has.
    pub loads: u64,
    pub has_fence: bool,
    /// The audit table; `None` when it does not exist.
    pub audit: Option<AuditTable>,
    /// The last load of the target.
    pub last: Option<LastLoad>,
    /// Which later columns the ledger has. A ledger of an earlier version may lack them.
    pub ledger_columns: Vec<LaterColumn>,
    /// Views that earlier runs have dropped and not brought back.
    pub left: LeftViews,
}

/// The target as it is right before it is altered.
#[derive(Clone, Debug)]
pub struct TableState {
    pub columns: Vec<CatalogColumn>,
    pub attributes: Vec<ColumnAttributes>,
}

/// The attributes that keep Redshift from altering a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnAttributes {
    pub name: String,
    pub is_distkey: bool,
    pub is_sortkey: bool,
    /// The compression encoding in lower case, such as `bytedict`.
    pub encoding: String,
    /// Whether the column is part of a declared PRIMARY KEY, UNIQUE or FOREIGN KEY.
    pub is_constrained: bool,
}

impl Catalog {
    /// Reads the answers to [`queries`]. `loads` and `left` are empty when there was no table to
    /// ask. Errors: `Config` for a view, `SchemaConflict` for names with upper-case letters.
    pub fn read([columns, loads, left]: [&ResultRows; 3], target: &TableName) -> Result<Catalog> {
        let columns: Vec<ColumnRow> = columns.decode()?;
        let has = |table: &str| columns.iter().any(|row| row.relation == table);
        let audit = audit_table(&columns);
        let has_fence = has(&bookkeeping::fence(target).table);
        let of_ledger = columns.iter().filter(|row| row.relation == bookkeeping::LEDGER);
        let names = of_ledger.filter_map(|row| Some(row.column.as_ref()?.name.as_str()));
        let ledger_columns = ledger::later_columns(names);
        let Loads { loaded_by, loads, last } =
            loads.decode()?.into_iter().next().unwrap_or_default();
        let left = LeftViews::read(left, &target.schema)?;
        let target = columns_of(columns, target)?;
        Ok(Catalog { target, loaded_by, loads, has_fence, audit, last, ledger_columns, left })
    }
}

fn audit_table(rows: &[ColumnRow]) -> Option<AuditTable> {
    let of_audit = rows.iter().filter(|row| row.relation == AUDIT);
    let columns: Vec<CatalogColumn> = of_audit.filter_map(|row| row.column.clone()).collect();
    (!columns.is_empty()).then(|| AuditTable::new(columns))
}

/// The query for the audit table alone, which a run asks whose row was refused.
pub fn audit_query(target: &TableName) -> String {
    columns_query(target, &[AUDIT])
}

/// Reads the answer to [`audit_query`]; `None` when the table does not exist.
pub fn read_audit(rows: &ResultRows) -> Result<Option<AuditTable>> {
    Ok(audit_table(&rows.decode::<ColumnRow>()?))
}

/// The place of the ledger's query in [`queries`]. What is before it needs no bookkeeping table.
pub const ASKS_LEDGER: usize = 1;
/// The place of the query for the journal. It relies on the SET before it.
pub const ASKS_JOURNAL: usize = 3;

/// The statements before a load: columns of the target and the bookkeeping tables, the ledger, and
/// the journal of dropped views.
pub fn queries(target: &TableName, load_id: &str) -> Vec<String> {
    let fence = bookkeeping::fence(target).table;
    let tables = [target.table.as_str(), AUDIT, bookkeeping::LEDGER, &fence];
    let journal = journal::query(&target.schema, Some(target));
    let (columns, loads) = (columns_query(target, &tables), ledger::query(target, load_id));
    vec![columns, loads, session::UTC.to_owned(), journal]
}

// One query covers several tables. A table that has no row in the answer does not exist. A
// late-binding view has no columns in PG_ATTRIBUTE, and one row because of the outer join.
//
// SVV_COLUMNS would ask every external schema too, and one that is broken would fail every load.
// LOWER may fold more than ASCII letters, so it is applied to both sides, and `columns_of` looks at
// the names again.
fn columns_query(target: &TableName, tables: &[&str]) -> String {
    let names = tables.iter().map(|table| format!("LOWER({})", text(table)));
    format!(
        "SELECT c.relname, CASE c.relkind WHEN 'r' THEN 'table' WHEN 'm' THEN 'materialized view' \
         ELSE 'view' END AS kind, a.attname, format_type(a.atttypid, a.atttypmod) AS type_text, \
         a.attnotnull, a.attnum, pg_get_expr(d.adbin, d.adrelid) AS \
         column_default FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN \
         pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped LEFT JOIN \
         pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE n.nspname = {} AND \
         LOWER(c.relname) IN ({}) AND c.relkind IN ('r', 'v', 'm') ORDER BY c.relname, a.attnum",
        text(&target.schema),
        names.collect::<Vec<_>>().join(", "),
    )
}

/// The kind of relation that a load can fill.
const TABLE: &str = "table";

/// A column of a table or view that may be the target or a bookkeeping table.
struct ColumnRow {
    /// As the catalog spells it, so perhaps with upper-case letters.
    relation: String,
    /// `table`, `view` or `materialized view`.
    kind: String,
    /// `None` in the one row of a view whose columns the catalog does not know.
    column: Option<CatalogColumn>,
}

impl FromRow for ColumnRow {
    fn from_row(row: Row<'_>) -> Result<ColumnRow> {
        let name = row.optional_text("attname")?;
        let column = name.map(|name| column(name, row)).transpose()?;
        Ok(ColumnRow { relation: row.text("relname")?, kind: row.text("kind")?, column })
    }
}

fn column(name: String, row: Row<'_>) -> Result<CatalogColumn> {
    let type_text = row.text("type_text")?;
    let default = row.optional_text("column_default")?;
    Ok(CatalogColumn {
        name,
        column_type: ColumnType::from_catalog(&type_text),
        type_text,
        nullable: !row.boolean("attnotnull")?,
        number: row.integer("attnum")?,
        default: ColumnDefault::from_catalog(default.as_deref()),
    })
}

/// The columns of a table; `None` when the table does not exist. Errors: `Config` when it is a
/// view, `SchemaConflict` when its name or a column's has upper-case letters.
fn columns_of(rows: Vec<ColumnRow>, table: &TableName) -> Result<Option<Vec<CatalogColumn>>> {
    let (of_table, others): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.relation == table.table);
    let Some(first) = of_table.first() else {
        let other = others.iter().find(|row| row.relation.eq_ignore_ascii_case(&table.table));
        return other.map_or(Ok(None), |other| Err(upper_case::table(table, &other.relation)));
    };
    if first.kind != TABLE {
        return Err(no_table(table, first));
    }
    let columns: Vec<CatalogColumn> = of_table.into_iter().filter_map(|row| row.column).collect();
    let is_upper = |column: &&CatalogColumn| column.name.contains(|c: char| c.is_ascii_uppercase());
    columns
        .iter()
        .find(is_upper)
        .map_or(Ok(()), |column| Err(upper_case::column(table, &column.name)))?;
    Ok(Some(columns))
}

fn no_table(name: &TableName, row: &ColumnRow) -> Error {
    // A late-binding view is the one relation without columns in PG_ATTRIBUTE.
    let binding = if row.column.is_none() { "late-binding " } else { "" };
    let fact = format!(
        "{name} is a {binding}{}, and rows are loaded into tables only; name the table that it reads, \
         or another one",
        row.kind
    );
    Error::new(Kind::Config, fact)
}

impl TableState {
    /// Reads the answers to [`table_queries`]; `None` when the table does not exist. Errors: as of
    /// [`Catalog::read`].
    pub fn read(
        columns: &ResultRows,
        attributes: &ResultRows,
        constrained: &ResultRows,
        target: &TableName,
    ) -> Result<Option<TableState>> {
        let Some(columns) = columns_of(columns.decode()?, target)? else { return Ok(None) };
        let mut attributes: Vec<ColumnAttributes> = attributes.decode()?;
        let constrained: Vec<ConstrainedColumn> = constrained.decode()?;
        for column in &mut attributes {
            column.is_constrained = constrained.iter().any(|other| other.name == column.name);
        }
        Ok(Some(TableState { columns, attributes }))
    }
}

/// The three queries before an ALTER TABLE: columns, their keys and encodings, and their declared
/// constraints.
pub fn table_queries(target: &TableName) -> Vec<String> {
    // SVV_TABLE_INFO shows keys too, but only to superusers, and it leaves out empty tables.
    let columns = columns_query(target, &[&target.table]);
    vec![columns, attributes_query(target), constrained_query(target)]
}

/// Joins `pg_attribute a` to the target and keeps the columns that exist: no system columns
/// (`attnum` below 1) and no dropped ones. More conditions may follow.
fn of_target(target: &TableName) -> String {
    format!(
        "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE \
         n.nspname = {} AND c.relname = {} AND a.attnum > 0 AND NOT a.attisdropped",
        text(&target.schema),
        text(&target.table)
    )
}

fn attributes_query(target: &TableName) -> String {
    format!(
        "SELECT a.attname, a.attisdistkey, a.attsortkeyord, \
         format_encoding(a.attencodingtype::integer) AS encoding FROM pg_attribute a {}",
        of_target(target)
    )
}

impl FromRow for ColumnAttributes {
    /// Leaves `is_constrained` false, since a query of its own reads the constraints.
    fn from_row(row: Row<'_>) -> Result<ColumnAttributes> {
        Ok(ColumnAttributes {
            name: row.text("attname")?,
            is_distkey: row.boolean("attisdistkey")?,
            // The column's place in the sort key: 0 for none, and below 0 in an interleaved key.
            is_sortkey: row.optional_integer("attsortkeyord")?.is_some_and(|place| place != 0),
            encoding: row.text("encoding")?.to_lowercase(),
            is_constrained: false,
        })
    }
}

fn constrained_query(target: &TableName) -> String {
    format!(
        "SELECT DISTINCT a.attname FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = \
         k.conrelid AND a.attnum = ANY (k.conkey) {} AND k.contype IN ('p', 'u', 'f')",
        of_target(target)
    )
}

/// A column of a declared key.
struct ConstrainedColumn {
    name: String,
}

impl FromRow for ConstrainedColumn {
    fn from_row(row: Row<'_>) -> Result<ConstrainedColumn> {
        Ok(ConstrainedColumn { name: row.text("attname")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Cell;

    #[test]
    fn one_execution_asks_for_everything() {
        let target = TableName::new("public", "flights").expect("a valid name");
        insta::assert_snapshot!(queries(&target, "abc").join("\n"), @r#"
        SELECT c.relname, CASE c.relkind WHEN 'r' THEN 'table' WHEN 'm' THEN 'materialized view' ELSE 'view' END AS kind, a.attname, format_type(a.atttypid, a.atttypmod) AS type_text, a.attnotnull, a.attnum, pg_get_expr(d.adbin, d.adrelid) AS column_default FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE n.nspname = 'public' AND LOWER(c.relname) IN (LOWER('flights'), LOWER('job_sts'), LOWER('loader_loads'), LOWER('loader_fence_flights')) AND c.relkind IN ('r', 'v', 'm') ORDER BY c.relname, a.attnum
        SELECT l.*, MAX(CASE WHEN l.load_id = 'abc' THEN l.run_id END) OVER () AS loaded_by, COUNT(*) OVER () AS loads FROM "public"."loader_loads" AS l WHERE l.target_table = 'public.flights' ORDER BY l.loaded_at DESC, l.run_id DESC LIMIT 1
        SET timezone TO 'UTC'
        SELECT target_table, run_id, view_schema, view_name, place, part, parts, content, written_at < DATEADD(minute, -15, GETDATE()) AS is_old FROM "public"."loader_dropped_views" WHERE target_table = 'public.flights' OR written_at < DATEADD(minute, -15, GETDATE()) ORDER BY CASE WHEN target_table = 'public.flights' THEN 0 ELSE 1 END, run_id DESC, target_table, place, view_schema, view_name, part LIMIT 1000
        "#);
        insta::assert_snapshot!(table_queries(&target).join("\n"), @"
        SELECT c.relname, CASE c.relkind WHEN 'r' THEN 'table' WHEN 'm' THEN 'materialized view' ELSE 'view' END AS kind, a.attname, format_type(a.atttypid, a.atttypmod) AS type_text, a.attnotnull, a.attnum, pg_get_expr(d.adbin, d.adrelid) AS column_default FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE n.nspname = 'public' AND LOWER(c.relname) IN (LOWER('flights')) AND c.relkind IN ('r', 'v', 'm') ORDER BY c.relname, a.attnum
        SELECT a.attname, a.attisdistkey, a.attsortkeyord, format_encoding(a.attencodingtype::integer) AS encoding FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relname = 'flights' AND a.attnum > 0 AND NOT a.attisdropped
        SELECT DISTINCT a.attname FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relname = 'flights' AND a.attnum > 0 AND NOT a.attisdropped AND k.contype IN ('p', 'u', 'f')
        ");
    }

    /// Rows of the columns query: relation, kind, column.
    fn found(rows: &[(&str, &str, Option<&str>)]) -> ResultRows {
        let columns = "relname kind attname type_text attnotnull attnum column_default";
        let row = |(relation, kind, column): &(&str, &str, Option<&str>)| {
            vec![
                Cell::Text((*relation).into()),
                Cell::Text((*kind).into()),
                column.map_or(Cell::Null, |column| Cell::Text(column.into())),
                column.map_or(Cell::Null, |_| Cell::Text("character varying(20)".into())),
                column.map_or(Cell::Null, |_| Cell::Boolean(true)),
                column.map_or(Cell::Null, |_| Cell::Long(1)),
                Cell::Null,
            ]
        };
        ResultRows {
            columns: columns.split(' ').map(String::from).collect(),
            rows: rows.iter().map(row).collect(),
        }
    }

    fn read(rows: &[(&str, &str, Option<&str>)]) -> Result<Option<Vec<CatalogColumn>>> {
        let target = TableName::new("public", "Flights").expect("a valid name");
        let none = ResultRows::default();
        let catalog = Catalog::read([&found(rows), &none, &none], &target)?;
        Ok(catalog.target)
    }

    #[test]
    fn a_table_is_found_by_its_folded_name() {
        let rows = [("Flights", TABLE, Some("Id")), ("flights", TABLE, Some("id"))];
        let columns = read(&rows).expect("a table").expect("there is one");
        assert_eq!(
            columns,
            [CatalogColumn {
                name: "id".into(),
                column_type: ColumnType::Varchar { bytes: 20 },
                type_text: "character varying(20)".into(),
                nullable: false,
                number: 1,
                default: ColumnDefault::None,
            }]
        );
        let other = [("job_sts", TABLE, Some("id")), ("FLÜGE", TABLE, Some("id"))];
        assert_eq!(read(&other).expect("no table"), None);
    }

    #[test]
    fn names_with_upper_case_letters_are_refused() {
        let refused = |rows: &[_]| {
            let error = read(rows).expect_err("refused");
            format!("{:?}: {error}", error.kind())
        };
        insta::assert_snapshot!(refused(&[("Flights", TABLE, Some("id"))]), @r#"SchemaConflict: the table public."Flights" has upper-case letters in its name, and the loader writes names in lower case only; rename it: SET enable_case_sensitive_identifier TO true; ALTER TABLE "public"."Flights" RENAME TO "flights""#);
        insta::assert_snapshot!(refused(&[("flights", TABLE, Some("id")), ("flights", TABLE, Some("Id"))]), @r#"SchemaConflict: the column "Id" of public.flights has upper-case letters in its name, and the loader writes names in lower case only; rename it: SET enable_case_sensitive_identifier TO true; ALTER TABLE "public"."flights" RENAME COLUMN "Id" TO "id""#);
    }

    #[test]
    fn a_view_is_no_target() {
        let refused = |kind, column| {
            let error = read(&[("flights", kind, column)]).expect_err("a view");
            assert_eq!(error.kind(), Kind::Config);
            error.to_string()
        };
        insta::assert_snapshot!(refused("view", Some("id")), @"public.flights is a view, and rows are loaded into tables only; name the table that it reads, or another one");
        insta::assert_snapshot!(refused("view", None), @"public.flights is a late-binding view, and rows are loaded into tables only; name the table that it reads, or another one");
        insta::assert_snapshot!(refused("materialized view", Some("id")), @"public.flights is a materialized view, and rows are loaded into tables only; name the table that it reads, or another one");
    }

    #[test]
    fn defaults_are_told_apart() {
        let kinds = [
            None,
            Some("0"),
            Some("\"identity\"(1, 0, '1,1'::text)"),
            Some("\"default_identity\"(1, 0, '1,1'::text)"),
        ];
        assert_eq!(
            kinds.map(ColumnDefault::from_catalog),
            [
                ColumnDefault::None,
                ColumnDefault::Expression("0".into()),
                ColumnDefault::Identity { by_default: false },
                ColumnDefault::Identity { by_default: true },
            ]
        );
    }
}
