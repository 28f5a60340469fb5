//! What a query answered, in memory: text values with Redshift's types. In: PostgreSQL's names and
//! modifiers; out: columns as Redshift describes them. How requests get the rows is `data_api`'s.

/// The service's limits.
const MAX_ROW_BYTES: usize = 64 << 10;
const MAX_RESULT_BYTES: usize = 100 << 20;

/// A value a column; `None` is NULL.
pub(crate) type Row = Box<[Option<Box<str>>]>;

/// What a query answered, in memory.
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

    /// Adds a row, or answers the service's error when it or all together are too large.
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

    /// An expression's numeric has no declared scale: the first value shows it.
    pub(crate) fn learn_scales(&mut self) {
        let Some(first) = self.rows.first() else { return };
        for (column, value) in self.columns.iter_mut().zip(first) {
            column.learn_scale(value.as_deref());
        }
    }
}

/// A column's metadata.
#[derive(Debug, Clone)]
pub(crate) struct ColumnInfo {
    pub(crate) name: String,
    pub(crate) type_name: &'static str,
    pub(crate) precision: i32,
    pub(crate) scale: i32,
    scale_is_known: bool,
}

impl ColumnInfo {
    /// `modifier` is PostgreSQL's type modifier, -1 for none.
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
