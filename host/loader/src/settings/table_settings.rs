//! What the settings file says of one table, in `[tables.NAME]`: which files are its own, how they
//! are read, and how they get in.

use std::collections::BTreeMap;

use loader_model::choices::{
    AnotherFeed, Duplicates, FileOrder, MissingColumns, OnRefusal, SchemaPolicy, StagingFormat,
    Strategy,
};
use loader_model::max_rejects::MaxRejects;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::settings::column_settings::{ColumnSettings, Texts, column_schema};
use crate::settings::dialect_settings::DialectSettings;
use crate::settings::place::Place;
use crate::settings::plugin_entry::PluginEntry;
use crate::settings::{Names, Settings};

// One list makes the keys that a table has in common with all tables, and the way to all settings.
// A new setting that single tables may have is a flag in `Settings` and a line here.
macro_rules! table_settings {
    ($($(#[doc = $doc:literal])+ $key:ident: $value:ty,)+) => {
        /// The settings of one table. Keys that the top of the file has, too, are named as there,
        /// and go before those.
        #[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct TableSettings {
            /// The table's files below data/in/: patterns such as `orders_*.csv`, and folders such
            /// as `eu/orders/`.
            pub files: Option<Texts>,
            /// The table's plugins, in place of those of all tables; an empty list means none.
            pub plugins: Option<Vec<PluginEntry>>,
            /// What is said of the table's columns.
            #[schemars(schema_with = "column_schema")]
            pub columns: Option<BTreeMap<String, ColumnSettings>>,
            /// How the table's files are read, in place of what is said for all tables.
            pub dialect: Option<DialectSettings>,
            $($(#[doc = $doc])+ pub $key: Option<$value>,)+
            /// Where the table stands in the file.
            #[serde(skip)]
            pub(super) place: Option<Place>,
        }

        impl TableSettings {
            /// Without what says nothing of how the table's files are read and loaded.
            pub(crate) fn of_its_files(&self) -> TableSettings {
                TableSettings { job_id: None, job_name: None, on_refusal: None, ..self.clone() }
            }

            /// What is said of the table, as settings of a load. Plugins and columns are looked for
            /// in the table's entry itself.
            pub fn as_settings(&self) -> Settings {
                let dialect = self.dialect.clone().unwrap_or_default();
                dialect.put_into(Settings {
                    $($key: self.$key.clone(),)+
                    ..Settings::default()
                })
            }
        }
    };
}

table_settings! {
    /// Id of the job, for the audit row.
    job_id: String,
    /// Name of the job.
    job_name: String,
    /// Names of the files' columns, in place of the header's.
    column_names: Names,
    /// Merge keys.
    upsert_keys: Names,
    /// How rows get in.
    strategy: Strategy,
    /// Load the table by other keys than before.
    change_keys: bool,
    /// Match text keys as the Glue job spelt them.
    keys_as_glue: bool,
    /// Which row of a key that a file holds twice is loaded.
    duplicates: Duplicates,
    /// What may become of the table when it does not fit a file.
    schema_policy: SchemaPolicy,
    /// What columns get that the table has and a file has not.
    missing_columns: MissingColumns,
    /// A file that lacks most of the table's columns and brings new ones.
    another_feed: AnotherFeed,
    /// Rows that may be rejected before a whole file is.
    max_rejects: MaxRejects,
    /// Column by which a new table is distributed.
    distkey: String,
    /// Columns by which a new table is sorted.
    sortkey: Names,
    /// Days after which ledger and fence forget a load of the table.
    ledger_days: u32,
    /// Lock the table itself while its rows are merged.
    lock_target: bool,
    /// Format of the staged parts.
    staging_format: StagingFormat,
    /// In which order the table's files are loaded.
    file_order: FileOrder,
    /// What becomes of the table's further files when one was refused.
    on_refusal: OnRefusal,
}
