//! The settings that say how a file is read: for all tables at the top of the settings file, for
//! one in `[tables.NAME.dialect]`.

use loader_model::choices::{
    FileFormat, LeadingZeros, Quotes, RepeatedHeader, ShortRows, TrailingDelimiter,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

// One list makes the keys of `[tables.NAME.dialect]`, what goes before what, and (in `dialect_of`)
// the way from and to all settings. A new setting of this kind is a flag in `Settings` and a line
// here.
macro_rules! dialect_keys {
    ($then:ident) => {
        $then! {
            file_format: FileFormat,
            encoding: String,
            delimiter: String,
            quote: String,
            escape: String,
            comment: String,
            no_header: bool,
            skip_rows: u64,
            skip_footer: u64,
            footer: String,
            header_rows: u64,
            trim: bool,
            null_value: Vec<String>,
            null_quoted: bool,
            leading_zeros: LeadingZeros,
            repeated_header: RepeatedHeader,
            quotes: Quotes,
            short_rows: ShortRows,
            trailing_delimiter: TrailingDelimiter,
        }
    };
}

pub(crate) use dialect_keys;

macro_rules! dialect_settings {
    ($($key:ident: $value:ty,)+) => {
        /// How a file is read, as it is written in settings. Keys are named as the flags.
        #[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct DialectSettings {
            $(pub $key: Option<$value>,)+
        }

        impl DialectSettings {
            /// Takes from weaker settings what is not said here.
            #[must_use]
            pub fn or(self, weaker: DialectSettings) -> DialectSettings {
                DialectSettings { $($key: self.$key.or(weaker.$key),)+ }
            }

            /// The names of the settings that are given, as flags have them.
            pub fn said(&self) -> Vec<String> {
                let said = [$((stringify!($key), self.$key.is_some()),)+];
                let said = said.iter().filter(|(_, is_given)| *is_given);
                said.map(|(name, _)| name.replace('_', "-")).collect()
            }
        }
    };
}

dialect_keys!(dialect_settings);
