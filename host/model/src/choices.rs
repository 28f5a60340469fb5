//! What the user chooses about a load: each choice an enum, whose options carry the names by which
//! they are written on the command line and in the settings file, and a sentence for help.

use serde::Deserialize;

/// A choice between named options.
pub trait Choice: Copy + Send + Sync + 'static {
    /// Every option, in the order in which help lists them.
    const OPTIONS: &'static [Named<Self>];
}

/// An option with its name.
#[derive(Clone, Copy, Debug)]
pub struct Named<T> {
    /// The option.
    pub value: T,
    /// As it is written, such as `discard-columns`.
    pub name: &'static str,
    /// What it does; empty where the name says it all.
    pub help: &'static str,
}

macro_rules! choice {
    ($(#[$doc:meta])+ $choice:ident { $($option:ident = $name:literal $(, $help:literal)?;)+ }) => {
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
        pub enum $choice {
            $($(#[doc = $help])? #[serde(rename = $name)] $option,)+
        }

        impl Choice for $choice {
            const OPTIONS: &'static [Named<$choice>] = &[
                $(Named { value: $choice::$option, name: $name, help: concat!($($help)?) },)+
            ];
        }
    };
}

choice! {
    /// How digits with a leading zero are read.
    LeadingZeros {
        Text = "text";
        Number = "number";
    }
}

choice! {
    /// How rows get into the target.
    Strategy {
        Merge = "merge", "Rows with a known key replace the old ones; needs keys";
        Append = "append", "Rows are added";
        Replace = "replace", "The table's rows are replaced by the file's";
    }
}

choice! {
    /// Which row of a key that a file holds more than once is loaded.
    Duplicates {
        Last = "last";
        First = "first";
        Error = "error", "The file is refused";
        Keep = "keep", "All of them";
    }
}

choice! {
    /// What may become of a table that does not fit the file.
    SchemaPolicy {
        Evolve = "evolve", "It is made, gets new columns, and wider ones";
        Freeze = "freeze", "It stays as it is; a file that does not fit is refused";
        DiscardColumns = "discard-columns",
            "It stays as it is; columns that it has not are left out";
    }
}

choice! {
    /// What columns get that the table has and the file has not.
    MissingColumns {
        Default = "default",
            "Their DEFAULT; without one '', 0 or false by type, and NULL for dates and times";
        Null = "null", "NULL";
        Keep = "keep", "In updated rows what they have, in new rows as with `default`";
    }
}

choice! {
    /// Format of the staged parts.
    StagingFormat {
        Parquet = "parquet";
        Csv = "csv", r"Gzip, header, `\N` for NULL";
    }
}

choice! {
    /// How the report is printed.
    ReportFormat {
        Human = "human";
        Json = "json";
    }
}

macro_rules! default {
    ($($choice:ident: $option:ident,)+) => {
        $(impl Default for $choice {
            fn default() -> $choice {
                $choice::$option
            }
        })+
    };
}

// `Strategy` has none: it follows from whether there are keys.
default! {
    LeadingZeros: Text,
    Duplicates: Last,
    SchemaPolicy: Evolve,
    MissingColumns: Default,
    StagingFormat: Parquet,
    ReportFormat: Human,
}
