//! ListDatabases, ListSchemas, ListTables and DescribeTable: answered at once from PostgreSQL's
//! catalog, the stand-in's own objects left out. Patterns are LIKE patterns. Pages are small like
//! those of results.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Warehouse;
use super::protocol::{ApiError, Target, in_range};
use super::result::{ColumnInfo, PAGE_ROWS, ResultSet};
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

/// The name that stands for a name of PostgreSQL's catalog.
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
    let named = request.target.check()?;
    let database = request.connected_database.clone().unwrap_or(named);
    let session =
        warehouse.connect(&database, request.target.user()).await.map_err(ApiError::connection)?;
    let outcome = session.query(sql).await.map_err(ApiError::validation)?;
    outcome.result.ok_or_else(|| ApiError::validation("the catalog answered nothing"))
}

/// Cuts a page out of `rows` and names it in the answer.
fn page(
    request: &CatalogRequest,
    member: &str,
    rows: Vec<Value>,
) -> Result<Map<String, Value>, ApiError> {
    let limit = in_range("maxResults", request.max_results, 0..=1000)?
        .filter(|limit| *limit > 0)
        .map_or(PAGE_ROWS, |limit| usize::try_from(limit).unwrap_or(PAGE_ROWS));
    let start = match &request.next_token {
        None => 0,
        Some(token) => {
            token.parse::<usize>().map_err(|_| ApiError::validation("Invalid NextToken."))?
        }
    };
    let mut answer = Map::new();
    if start + limit < rows.len() {
        answer.insert("NextToken".to_owned(), json!((start + limit).to_string()));
    }
    answer.insert(member.to_owned(), rows.into_iter().skip(start).take(limit).collect());
    Ok(answer)
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
    page(&request, "Databases", first_column(&set)).map(Value::Object)
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
    page(&request, "Schemas", first_column(&set)).map(Value::Object)
}

/// ListTables.
pub(crate) async fn tables(
    warehouse: &Warehouse,
    request: CatalogRequest,
) -> Result<Value, ApiError> {
    let (schema_name, table_name) = (full("n.nspname"), full("c.relname"));
    let schema = like(&schema_name, request.schema_pattern.as_ref());
    let table = like(&table_name, request.table_pattern.as_ref());
    let sql = format!(
        "SELECT {table_name}, CASE WHEN n.nspname IN ('pg_catalog', 'information_schema') THEN \
         'SYSTEM ' ELSE '' END || CASE c.relkind WHEN 'r' THEN 'TABLE' ELSE 'VIEW' END, \
         {schema_name} FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE \
         c.relkind IN ('r', 'v', 'm') AND n.nspname <> '{HELPER_SCHEMA}' AND n.nspname !~ \
         '^pg_(toast|temp_)'{schema}{table} ORDER BY 3, 1"
    );
    let set = query(warehouse, &request, &sql).await?;
    let members = set
        .rows
        .iter()
        .map(|row| json!({"name": row[0], "type": row[1], "schema": row[2]}))
        .collect();
    page(&request, "Tables", members).map(Value::Object)
}

/// DescribeTable; a table that does not exist has no columns.
pub(crate) async fn describe_table(
    warehouse: &Warehouse,
    request: CatalogRequest,
) -> Result<Value, ApiError> {
    let quoted = |name: &str| name.to_lowercase().replace('\'', "''");
    let table = request.table.as_deref().ok_or_else(|| ApiError::missing("table"))?;
    let schema = request.schema.as_deref().map_or_else(|| "public".to_owned(), quoted);
    let sql = format!(
        "SELECT {}, t.typname, a.atttypmod, a.attnotnull, pg_get_expr(d.adbin, d.adrelid) FROM \
         pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = \
         c.relnamespace JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = \
         a.attrelid AND d.adnum = a.attnum WHERE a.attnum > 0 AND NOT a.attisdropped AND {} = \
         '{schema}' AND {} = '{}' ORDER BY a.attnum",
        full("a.attname"),
        full("n.nspname"),
        full("c.relname"),
        quoted(table)
    );
    let set = query(warehouse, &request, &sql).await?;
    let columns = set.rows.iter().map(|row| {
        let text = |index: usize| row[index].as_deref().unwrap_or_default();
        let mut member =
            ColumnInfo::new(text(0), described_type(text(1)), text(2).parse().unwrap_or(-1))
                .to_json();
        member["schemaName"] = json!(schema);
        member["tableName"] = json!(table.to_lowercase());
        member["nullable"] = json!(i32::from(text(3) != "t"));
        member["length"] = member["precision"].clone();
        if let Some(default) = &row[4] {
            member["columnDefault"] = json!(default);
        }
        member
    });
    let columns = columns.collect();
    let mut answer = page(&request, "ColumnList", columns)?;
    answer.insert("TableName".to_owned(), json!(table));
    Ok(Value::Object(answer))
}

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
