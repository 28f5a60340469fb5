//! A column of every type that a load fills, with values at the ends of what it takes: what a file
//! has, and what the table must have afterwards.

use loader_model::names::TableName;

use crate::sql::table;

/// A type and two values of it.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The type as DDL has it.
    pub sql_type: &'static str,
    column: &'static str,
    /// The values as a CSV file has them, without quotes.
    pub values: [&'static str; 2],
    /// The values as a query shows them.
    pub shown: [&'static str; 2],
    show: Show,
}

/// How a value is asked for, so that its text is the same everywhere.
#[derive(Clone, Copy, Debug)]
enum Show {
    AsItIs,
    /// By a function.
    By(&'static str),
    /// Whether it is this value.
    Is(&'static str),
}

const fn sample(
    sql_type: &'static str,
    column: &'static str,
    values: [&'static str; 2],
    shown: [&'static str; 2],
) -> Sample {
    Sample { sql_type, column, values, shown, show: Show::AsItIs }
}

const fn plain(sql_type: &'static str, column: &'static str, values: [&'static str; 2]) -> Sample {
    sample(sql_type, column, values, values)
}

/// Every type that a load fills. The precisions of decimals are those at which their form in a
/// Parquet file changes.
pub const SAMPLES: [Sample; 20] = [
    plain("SMALLINT", "c_smallint", ["-32768", "32767"]),
    plain("INTEGER", "c_integer", ["-2147483648", "2147483647"]),
    plain("BIGINT", "c_bigint", ["-9223372036854775808", "9223372036854775807"]),
    plain("DECIMAL(1,0)", "c_decimal_1", ["-9", "9"]),
    plain("DECIMAL(9,2)", "c_decimal_9", ["-1234567.89", "0.01"]),
    plain("DECIMAL(10,0)", "c_decimal_10", ["-1234567890", "1"]),
    plain("DECIMAL(18,6)", "c_decimal_18", ["-123456789012.345678", "0.000001"]),
    plain("DECIMAL(19,4)", "c_decimal_19", ["-123456789012345.6789", "0.0001"]),
    plain(
        "DECIMAL(38,18)",
        "c_decimal_38",
        ["-12345678901234567890.123456789012345678", "0.000000000000000001"],
    ),
    plain("REAL", "c_real", ["-0.25", "1.5"]),
    plain("DOUBLE PRECISION", "c_double", ["0.1", "-1250.5"]),
    plain("BOOLEAN", "c_boolean", ["true", "false"]),
    plain("VARCHAR(20)", "c_varchar", ["ä€𝄞", ""]),
    plain("CHAR(3)", "c_char", ["abc", "xyz"]),
    plain("DATE", "c_date", ["0001-01-01", "2024-02-29"]),
    plain("TIMESTAMP", "c_timestamp", ["1999-12-31 23:59:59.123456", "2024-02-29 00:00:00.5"]),
    sample(
        "TIMESTAMPTZ",
        "c_timestamptz",
        ["2024-02-29 12:00:00.5+02", "2024-02-29 12:00:00.5Z"],
        ["2024-02-29 10:00:00.5+00", "2024-02-29 12:00:00.5+00"],
    ),
    Sample {
        sql_type: "TIME",
        column: "c_time",
        values: ["12:34:56.789", "12:34:56.789"],
        shown: ["true", "true"],
        show: Show::Is("12:34:56.789"),
    },
    Sample {
        sql_type: "SUPER",
        column: "c_super",
        values: ["[7]", "true"],
        shown: ["[7]", "true"],
        show: Show::By("JSON_SERIALIZE"),
    },
    Sample {
        sql_type: "VARBYTE(8)",
        column: "c_varbyte",
        values: ["00ff", "6162"],
        shown: ["00ff", "6162"],
        show: Show::By("TO_HEX"),
    },
];

impl Sample {
    /// The name of its column.
    pub fn column(&self) -> &'static str {
        self.column
    }

    fn shown_as(&self) -> String {
        let (column, sql_type) = (self.column, self.sql_type);
        match self.show {
            Show::AsItIs => column.to_owned(),
            Show::By(function) => format!("{function}({column}) AS {column}"),
            Show::Is(value) => format!("{column} = CAST('{value}' AS {sql_type}) AS {column}"),
        }
    }
}

/// Makes a table with a column for each sample, and a number for each row.
pub fn create_table(name: &TableName, samples: &[Sample]) -> String {
    let columns: Vec<String> =
        samples.iter().map(|sample| format!("{} {}", sample.column, sample.sql_type)).collect();
    format!("CREATE TABLE {} (row_number INTEGER, {})", table(name), columns.join(", "))
}

/// The query for what the table has, in the order of its rows.
pub fn select(name: &TableName, samples: &[Sample]) -> String {
    let columns: Vec<String> = samples.iter().map(Sample::shown_as).collect();
    format!("SELECT {} FROM {} ORDER BY row_number", columns.join(", "), table(name))
}
