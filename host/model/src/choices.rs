//! What the user chooses about a load. Each choice is an enum, and each of its options has the name
//! that the command line and the settings file use, and a sentence for help.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A choice between named options.
pub trait Choice: Copy + Send + Sync + 'static {
    /// Every option, in the order in which help lists them.
    const OPTIONS: &'static [Named<Self>];

    /// The name of the option.
    fn name(self) -> &'static str
    where
        Self: PartialEq,
    {
        Self::OPTIONS.iter().find(|option| option.value == self).map_or("", |option| option.name)
    }
}

/// An option with its name.
#[derive(Clone, Copy, Debug)]
pub struct Named<T> {
    /// The option.
    pub value: T,
    /// The name that the user writes, such as `discard-columns`.
    pub name: &'static str,
    /// What the option does; empty where the name says it all.
    pub help: &'static str,
}

// One list makes the enum, the names that serde reads from the settings file, and `OPTIONS`, from
// which the command line makes its parser and its help. So an option has the same name everywhere.
// Without a help text `concat!()` has no arguments and gives "".
macro_rules! choice {
    ($(#[$doc:meta])+ $choice:ident { $($option:ident = $name:literal $(, $help:literal)?;)+ }) => {
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
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
    /// What a file is. Compression is not part of it.
    FileFormat {
        Auto = "auto", "What its first bytes say: Parquet, a JSON object in the first line, or CSV";
        Csv = "csv";
        Json = "json", "JSON Lines: an object in each line";
        Parquet = "parquet";
    }
}

choice! {
    /// Who works on a large file.
    EngineChoice {
        Auto = "auto", "The cluster of the Spark driver that runs the load, for files of 256 MiB or more; \
                        without one, this machine";
        Local = "local", "This machine";
        Spark = "spark", "The cluster, for files of any size";
    }
}

choice! {
    /// How digits with a leading zero are read.
    LeadingZeros {
        Text = "text";
        Number = "number";
    }
}

choice! {
    /// What a percent sign behind a number says.
    Percent {
        Fraction = "fraction", "12.5% is 0.125";
        Number = "number", "12.5% is 12.5";
    }
}

choice! {
    /// How negative numbers are written; a minus in front is read in any case.
    Negative {
        Minus = "minus", "-5.00";
        TrailingMinus = "trailing-minus", "5.00-";
        Brackets = "brackets", "(5.00)";
    }
}

choice! {
    /// What becomes of a header or a byte order mark that comes again within a file.
    RepeatedHeader {
        Skip = "skip", "It is left out and counted: files were put together to one";
        Keep = "keep", "It is data";
    }
}

choice! {
    /// What a quote is in a field that does not begin with one.
    Quotes {
        Strict = "strict", "The row is rejected: mostly a delimiter or another quote is missing";
        Lenient = "lenient", "It is text";
    }
}

choice! {
    /// What becomes of a row with fewer fields than the header.
    ShortRows {
        Reject = "reject", "It is rejected";
        Fill = "fill", "The fields that it lacks are NULL";
    }
}

choice! {
    /// What becomes of a row with more fields than the header, when those are empty.
    TrailingDelimiter {
        Reject = "reject", "It is rejected";
        Allow = "allow", "They are dropped, also those of the header";
    }
}

choice! {
    /// What says how a file is read.
    DialectSource {
        Given = "given", "The settings alone";
        Auto = "auto", "The settings, and where they say nothing, what a sample of the file looks like";
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
    /// Which row is loaded of a key that a file has more than once.
    Duplicates {
        Last = "last";
        First = "first";
        Error = "error", "The file is refused";
        Keep = "keep", "All of its rows are loaded";
    }
}

choice! {
    /// What may become of a table that does not fit the file.
    SchemaPolicy {
        Evolve = "evolve", "The table is made, or gets new columns and wider ones";
        Freeze = "freeze", "The table stays as it is; a file that does not fit is refused";
        DiscardColumns = "discard-columns",
            "The table stays as it is; columns that it lacks are left out";
    }
}

choice! {
    /// What the table's columns get that the file lacks.
    MissingColumns {
        Default = "default",
            "The DEFAULT; without one '', 0 or false by type, and NULL for dates and times";
        Null = "null", "NULL";
        Keep = "keep", "Rows whose key is known keep their values; new rows get the DEFAULT or NULL";
    }
}

choice! {
    /// What becomes of a file that lacks more than half of the table's columns and brings new ones.
    AnotherFeed {
        Refuse = "refuse", "It is taken for a file of another table, and refused";
        Allow = "allow", "It is loaded; the table gets its new columns";
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
    /// How the pages of Parquet files are compressed.
    ParquetCompression {
        Snappy = "snappy", "COPY is known to read it";
        Zstd = "zstd", "Smaller; no public source says that COPY reads it";
        Gzip = "gzip", "Smaller and slow";
    }
}

choice! {
    /// In which order the files of a table are loaded.
    FileOrder {
        Arrival = "arrival", "As they came, by the clock of S3; those of one second by their names";
        Name = "name", "By their names";
    }
}

choice! {
    /// What becomes of a table's further files when one was refused.
    OnRefusal {
        Continue = "continue", "They are loaded, also before a file that stays in data/in/";
        Stop = "stop", "They wait until that file is loaded or taken away";
    }
}

choice! {
    /// How the progress of loads is shown, on stderr.
    ProgressMode {
        Auto = "auto", "A line for each file where stderr is a terminal, nothing elsewhere";
        Lines = "lines", "A line of text now and then";
        Json = "json", "A line of JSON now and then";
        None = "none", "Nothing";
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

// Three choices have no default here, because it depends on others. `Strategy` is merge when there
// are keys, and append when there are none. `MissingColumns` is keep for a merge, and default
// otherwise. `OnRefusal` depends on whether the file stays, and whether it must go first.
default! {
    FileFormat: Auto,
    EngineChoice: Auto,
    LeadingZeros: Text,
    Negative: Minus,
    RepeatedHeader: Skip,
    Quotes: Strict,
    ShortRows: Reject,
    TrailingDelimiter: Reject,
    DialectSource: Given,
    Duplicates: Last,
    SchemaPolicy: Evolve,
    AnotherFeed: Refuse,
    StagingFormat: Parquet,
    ParquetCompression: Snappy,
    FileOrder: Arrival,
    ProgressMode: Auto,
    ReportFormat: Human,
}
