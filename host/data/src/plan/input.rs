//! The input of a plan: facts about the file, the target and the plugins, and the policies that the
//! user chose. Every part of `plan` gets it.

use loader_csv::{ColumnProfile, Dialect, FieldForm, FileProfile, Header};
use loader_model::catalog_column::CatalogColumn;
use loader_model::choices::{AnotherFeed, MissingColumns, SchemaPolicy, StagingFormat};
use loader_model::column_type::ColumnType;
use loader_model::names::TableName;
use loader_sandbox::{ChainPlan, Plugin};
use serde_json::Value;

use crate::column_spec::ColumnSpec;

/// A plugin with its config.
pub type ConfiguredPlugin = (Plugin, Value);

/// The input of a plan.
pub struct PlanInput<'a> {
    /// How the file was read.
    pub dialect: &'a Dialect,
    /// The header as it stands in the file; after [`super::run`] has begun, as it is planned with.
    pub header: &'a Header,
    /// The names that take the place of the header's.
    pub column_names: Option<&'a [String]>,
    /// What the user says of columns, by their places in the header; past its end, nothing.
    pub columns: &'a [Option<ColumnSpec>],
    /// What the user says of columns of all tables that the file's header does not name.
    pub unplaced: &'a [ColumnSpec],
    /// The types that the file gives its columns, by their places in the header.
    pub types: &'a [Option<ColumnType>],
    /// Where the file has values of different kinds in a column, in words; by the same places.
    pub mixed: &'a [Option<String>],
    pub profile: &'a FileProfile,
    pub plugins: &'a [ConfiguredPlugin],
    pub target: &'a TableName,
    /// The target's columns. `None`: the table does not exist.
    pub existing: Option<&'a [CatalogColumn]>,
    /// The target's columns that were made without a type, and are taken to have no value yet.
    pub without_values: &'a [String],
    /// What the parts are written as.
    pub staging_format: StagingFormat,
    /// The merge keys in lower case, as the user spells them.
    pub keys: &'a [String],
    pub schema_policy: SchemaPolicy,
    pub missing_columns: MissingColumns,
    /// Whether rows whose key is known keep what they have in columns that the file lacks.
    pub keeps_known: bool,
    pub another_feed: AnotherFeed,
}

impl PlanInput<'_> {
    /// What the user says of a column of the file.
    pub(super) fn spec(&self, file_column: usize) -> Option<&ColumnSpec> {
        self.columns.get(file_column)?.as_ref()
    }

    /// The type that a column of the file has in a table which does not have it yet: by the user, or
    /// by the file where the user says nothing of its values. `None`: it follows from them.
    pub(super) fn given_type(&self, file_column: usize) -> Option<&ColumnType> {
        let says = |spec: &&ColumnSpec| spec.column_type.is_some() || spec.rule.form.is_some();
        match self.spec(file_column).filter(says) {
            Some(spec) => spec.column_type.as_ref(),
            None => self.types.get(file_column)?.as_ref(),
        }
    }

    /// What gives the file's columns other names, for advice.
    pub(super) fn naming(&self) -> &'static str {
        match self.dialect.field_form {
            FieldForm::Csv => "--column-names",
            FieldForm::Json => "`rename` in [columns]",
        }
    }

    pub(super) fn is_key(&self, column: &str) -> bool {
        self.keys.iter().any(|key| key == column)
    }

    /// Whether the target's column of this name has no value yet, and so no type of its own.
    pub(super) fn lacks_values(&self, column: &str) -> bool {
        self.without_values.iter().any(|name| name == column)
    }

    /// The target's column of this name.
    pub(super) fn column(&self, name: &str) -> Option<&CatalogColumn> {
        self.existing.and_then(|columns| columns.iter().find(|column| column.name == name))
    }

    /// The profile of the file's column that passes through to this column of the chain's output.
    /// `None` where a plugin computes the column.
    pub(super) fn values(&self, chain: &ChainPlan, output_column: usize) -> Option<&ColumnProfile> {
        chain.origin(output_column).map(|origin| &self.profile.columns[origin])
    }
}
