//! ListDatabases, ListSchemas, ListTables and DescribeTable. They are answered at once from
//! PostgreSQL's catalog, without the stand-in's own objects. Patterns are LIKE patterns, for
//! example `ord%`. Pages are as small as those of results.

use serde::Deserialize;
use serde_json::{Value, json};

use super::members::Members;
use super::protocol::{ApiError, Target, in_range};
use super::result::{PAGE_ROWS, column_metadata};
use super::warehouse::Warehouse;
use crate::session::{ColumnInfo, ResultSet, Row};
use crate::sql::HELPER_SCHEMA;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CatalogRequest {
    #[serde(flatten)]
    target: Target,
    connected_database: Option<String>,
    schema: Option<String>,
    schema_pattern: Option<String>,
    table: Option<String>,
    table_pattern: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

/// SQL for the full name behind a name of PostgreSQL's catalog, which may be an alias.
fn full(column: &str) -> String {
    format!("{HELPER_SCHEMA}.full_name({column})")
}

fn like(column: &str, pattern: Option<&String>) -> String {
    pattern.map_or_else(String::new, |pattern| {
        format!(" AND {column} LIKE '{}'", pattern.replace('\'', "''"))
    })
}

async fn query(
    warehouse: &Warehouse,
    request: &CatalogRequest,
    sql: &str,
) -> Result<ResultSet, ApiError> {
    // ConnectedDatabase, where it is given, is the database to ask; Database must be named anyway.
    let named = request.target.check()?;
    let database = request.connected_database.clone().unwrap_or(named);
    let session =
        warehouse.connect(&database, request.target.user()).await.map_err(ApiError::connection)?;
    let outcome = session.query(sql).await.map_err(ApiError::validation)?;
    outcome.result.ok_or_else(|| ApiError::validation("the catalog answered nothing"))
}

/// Cuts a page out of `rows` and adds it to the answer as `member`.
// The token is the index of the next row. Each page asks the catalog anew, so a table that is made
// or dropped between two pages shifts the rows: the client may see one twice or miss one.
fn page(request: &CatalogRequest, member: &str, rows: Vec<Value>) -> Result<Members, ApiError> {
    let limit = in_range("maxResults", request.max_results, 0..=1000)?
        .filter(|limit| *limit > 0)
        .map_or(PAGE_ROWS, |limit| usize::try_from(limit).unwrap_or(PAGE_ROWS));
    let start = match &request.next_token {
        None => 0,
        Some(token) => {
            token.parse::<usize>().map_err(|_| ApiError::validation("Invalid NextToken."))?
        }
    };
    let next = start + limit;
    let next = (next < rows.len()).then(|| next.to_string());
    let rows: Vec<Value> = rows.into_iter().skip(start).take(limit).collect();
    Ok(Members::default().with_some("NextToken", next).with(member, rows))
}

fn first_column(set: &ResultSet) -> Vec<Value> {
    set.rows.iter().map(|row| json!(row[0])).collect()
}

/// ListDatabases.
pub(crate) async fn databases(
    warehouse: &Warehouse,
    request: CatalogRequest,
) -> Result<Value, ApiError> {
    let sql = "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' \
               ORDER BY 1";
    let set = query(warehouse, &request, sql).await?;
    page(&request, "Databases", first_column(&set)).map(Value::from)
}

/// ListSchemas.
pub(crate) async fn schemas(
    warehouse: &Warehouse,
    request: CatalogRequest,
) -> Result<Value, ApiError> {
    let pattern = like(&full("nspname"), request.schema_pattern.as_ref());
    let sql = format!(
        "SELECT {} FROM pg_namespace WHERE nspname <> '{HELPER_SCHEMA}' AND nspname !~ \
         '^pg_(toast|temp_|toast_temp_)'{pattern} ORDER BY 1",
        full("nspname")
    );
    let set = query(warehouse, &request, &sql).await?;
    page(&request, "Schemas", first_column(&set)).map(Value::from)
}

/// ListTables.
pub(crate) async fn tables(
    warehouse: &Warehouse,
    request: CatalogRequest,
) -> Result<Value, ApiError> {
    let set = query(warehouse, &request, &tables_sql(&request)).await?;
    let members = set
        .rows
        .iter()
        .map(|row| json!({"name": row[0], "type": row[1], "schema": row[2]}))
        .collect();
    page(&request, "Tables", members).map(Value::from)
}

fn tables_sql(request: &CatalogRequest) -> String {
    let (schema_name, table_name) = (full("n.nspname"), full("c.relname"));
    let schema = like(&schema_name, request.schema_pattern.as_ref());
    let table = like(&table_name, request.table_pattern.as_ref());
    format!(
        "SELECT {table_name}, CASE WHEN n.nspname IN ('pg_catalog', 'information_schema') THEN \
         'SYSTEM ' ELSE '' END || CASE c.relkind WHEN 'r' THEN 'TABLE' ELSE 'VIEW' END, \
         {schema_name} FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE \
         c.relkind IN ('r', 'v', 'm') AND n.nspname <> '{HELPER_SCHEMA}' AND n.nspname !~ \
         '^pg_(toast|temp_)'{schema}{table} ORDER BY 3, 1"
    )
}

/// DescribeTable. A table that does not exist gives an empty list of columns, not an error.
pub(crate) async fn describe_table(
    warehouse: &Warehouse,
    request: CatalogRequest,
) -> Result<Value, ApiError> {
    let table = request.table.as_deref().ok_or_else(|| ApiError::missing("table"))?;
    let schema = request.schema.as_deref().map_or_else(|| "public".to_owned(), quoted);
    let set = query(warehouse, &request, &columns_sql(&schema, &quoted(table))).await?;
    let columns = set.rows.iter().map(|row| described_column(row, &schema, table)).collect();
    let answer = page(&request, "ColumnList", columns)?;
    Ok(answer.with("TableName", table).into())
}

/// A name as the catalog has it, to stand inside a literal: `Orders` becomes `orders`.
fn quoted(name: &str) -> String {
    name.to_ascii_lowercase().replace('\'', "''")
}

fn columns_sql(schema: &str, table: &str) -> String {
    format!(
        "SELECT {}, t.typname, a.atttypmod, a.attnotnull, pg_get_expr(d.adbin, d.adrelid) FROM \
         pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = \
         c.relnamespace JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = \
         a.attrelid AND d.adnum = a.attnum WHERE a.attnum > 0 AND NOT a.attisdropped AND {} = \
         '{schema}' AND {} = '{table}' ORDER BY a.attnum",
        full("a.attname"),
        full("n.nspname"),
        full("c.relname")
    )
}

fn described_column(row: &Row, schema: &str, table: &str) -> Value {
    let text = |index: usize| row[index].as_deref().unwrap_or_default();
    // PostgreSQL's type modifier; -1 means that the type has none.
    let modifier = text(2).parse().unwrap_or(-1);
    let column = ColumnInfo::new(text(0), described_type(text(1)), modifier);
    let mut member = column_metadata(&column);
    member["schemaName"] = json!(schema);
    member["tableName"] = json!(table.to_ascii_lowercase());
    member["nullable"] = json!(i32::from(text(3) != "t"));
    member["length"] = member["precision"].clone();
    if let Some(default) = &row[4] {
        member["columnDefault"] = json!(default);
    }
    member
}

// The results of queries map types by their OIDs (`session::type_name`). Here the query reads
// `pg_type.typname`, so the same table is spelt by name. A type must be added to both.
fn described_type(postgres: &str) -> &'static str {
    match postgres {
        "int2" => "int2",
        "int4" => "int4",
        "int8" => "int8",
        "float4" => "float4",
        "float8" => "float8",
        "numeric" => "numeric",
        "bool" => "bool",
        "bpchar" => "bpchar",
        "char" => "char",
        "name" => "name",
        "oid" => "oid",
        "date" => "date",
        "time" => "time",
        "timetz" => "timetz",
        "timestamp" => "timestamp",
        "timestamptz" => "timestamptz",
        "jsonb" => "super",
        "bytea" => "varbyte",
        _ => "varchar",
    }
}
