//! What a plan is made of.

use loader_csv::{FileProfile, Header};
use loader_model::catalog_column::CatalogColumn;
use loader_model::choices::{MissingColumns, SchemaPolicy};
use loader_model::names::TableName;
use loader_sandbox::Plugin;
use serde_json::Value;

/// The most columns of a load: one less than a Redshift table holds, since the staging table has
/// the row number too.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_usage.html>
pub const MAX_COLUMNS: usize = 1599;

/// A plugin with its config.
pub type Configured = (Plugin, Value);

/// What a plan is made of.
pub struct PlanInput<'a> {
    pub header: &'a Header,
    pub profile: &'a FileProfile,
    pub target: &'a TableName,
    pub existing: Option<&'a [CatalogColumn]>,
    pub keys: &'a [String],
    pub plugins: &'a [Configured],
    pub schema_policy: SchemaPolicy,
    pub missing_columns: MissingColumns,
}
