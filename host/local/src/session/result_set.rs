//! The answer of a query, in memory: text values with Redshift's types. In: PostgreSQL's names and
//! modifiers; out: columns as Redshift describes them. `data_api` hands the rows to requests.

/// The Data API's limits.
const MAX_ROW_BYTES: usize = 64 << 10;
const MAX_RESULT_BYTES: usize = 100 << 20;

/// A value for each column; `None` is NULL.
pub(crate) type Row = Box<[Option<Box<str>>]>;

/// The answer of a query.
#[derive(Debug)]
pub(crate) struct ResultSet {
    pub(crate) columns: Vec<ColumnInfo>,
    pub(crate) rows: Vec<Row>,
    pub(crate) size_bytes: usize,
}

impl ResultSet {
    pub(crate) fn new(columns: Vec<ColumnInfo>) -> ResultSet {
        ResultSet { columns, rows: Vec::new(), size_bytes: 0 }
    }

    /// Adds a row. Errors: the row, or all rows together, exceed the Data API's limit.
    pub(crate) fn push(&mut self, row: Row) -> Result<(), String> {
        let row_bytes: usize = row.iter().flatten().map(|value| value.len()).sum();
        if row_bytes > MAX_ROW_BYTES {
            return Err(format!(
                "ERROR: The size of a result row exceeds the limit of {MAX_ROW_BYTES} bytes"
            ));
        }
        self.size_bytes += row_bytes;
        if self.size_bytes > MAX_RESULT_BYTES {
            return Err(format!(
                "ERROR: The query result exceeds the limit of {MAX_RESULT_BYTES} bytes"
            ));
        }
        self.rows.push(row);
        Ok(())
    }

    /// Sets the scales that PostgreSQL does not declare. A column of a table has its scale, but the
    /// numeric of an expression, such as `SELECT amount * 1.5`, has none.
    pub(crate) fn learn_scales(&mut self) {
        // The first row stands for all: a 7.50 there makes the scale 2, and a NULL leaves it at 0.
        let Some(first) = self.rows.first() else { return };
        for (column, value) in self.columns.iter_mut().zip(first) {
            column.learn_scale(value.as_deref());
        }
    }
}

/// A column's metadata, as the Data API shows it.
#[derive(Debug, Clone)]
pub(crate) struct ColumnInfo {
    pub(crate) name: String,
    pub(crate) type_name: &'static str,
    pub(crate) precision: i32,
    pub(crate) scale: i32,
    scale_is_known: bool,
}

impl ColumnInfo {
    /// `modifier` is PostgreSQL's type modifier, or -1 where the type has none.
    pub(crate) fn new(name: &str, type_name: &'static str, modifier: i32) -> ColumnInfo {
        let (precision, scale) = precision_and_scale(type_name, modifier);
        ColumnInfo {
            name: name.to_owned(),
            type_name,
            precision,
            scale,
            scale_is_known: type_name != "numeric" || modifier >= 4,
        }
    }

    fn learn_scale(&mut self, first: Option<&str>) {
        if !self.scale_is_known
            && let Some((_, fraction)) = first.and_then(|value| value.split_once('.'))
        {
            self.scale = i32::try_from(fraction.len()).unwrap_or(0);
        }
    }
}

// PostgreSQL's modifier is 4 more than the length: VARCHAR(20) has 24. A NUMERIC's modifier holds
// the precision above the scale, so NUMERIC(12,2) has ((12 << 16) | 2) + 4.
fn precision_and_scale(type_name: &str, modifier: i32) -> (i32, i32) {
    match type_name {
        "int2" => (5, 0),
        "int4" | "oid" => (10, 0),
        "int8" => (19, 0),
        "float4" => (8, 8),
        "float8" => (17, 17),
        "numeric" if modifier >= 4 => ((modifier - 4) >> 16, (modifier - 4) & 0xffff),
        "numeric" => (38, 0),
        "bool" | "char" => (1, 0),
        "date" => (13, 0),
        "time" => (15, 6),
        "timetz" => (21, 6),
        "timestamp" => (29, 6),
        "timestamptz" => (35, 6),
        "name" => (127, 0),
        "varchar" | "bpchar" if modifier >= 4 => (modifier - 4, 0),
        "varchar" => (65_535, 0),
        _ => (0, 0),
    }
}
