//! The shape of a batch: whether a header describes exactly the columns that the schema asks for,
//! and whether every buffer lies inside the body. Arrow's reader asserts some of these facts and
//! panics when they do not hold, so they are checked before.

use arrow_ipc::{Buffer, RecordBatch};
use arrow_schema::{DataType, Field, Fields, TimeUnit};

use crate::violation::Violation;

/// The bytes of one value, for the types of the contract that have a fixed width.
pub(crate) fn fixed_width(data_type: &DataType) -> Option<usize> {
    match data_type {
        DataType::Int8 => Some(1),
        DataType::Int16 => Some(2),
        DataType::Int32 | DataType::Float32 | DataType::Date32 => Some(4),
        DataType::Int64 | DataType::Float64 | DataType::Timestamp(TimeUnit::Microsecond, None) => {
            Some(8)
        }
        DataType::Decimal128(_, _) => Some(16),
        _ => None,
    }
}

/// The number of buffers of one column: validity and values, with offsets between them where values
/// vary in length. `None`: the type does not cross the sandbox. For example, an `Int64` column has
/// two buffers, and a `Utf8` column three.
fn buffer_count(data_type: &DataType) -> Option<usize> {
    match data_type {
        DataType::Boolean => Some(2),
        DataType::Utf8 | DataType::Binary => Some(3),
        other => fixed_width(other).map(|_| 2),
    }
}

/// Checks nodes and buffers against `fields`, which come from the host and not from the message.
pub(crate) fn check(
    header: &RecordBatch<'_>,
    fields: &Fields,
    rows: usize,
    body: usize,
) -> Result<(), Violation> {
    if header.compression().is_some() {
        return Err(Violation::Compressed);
    }
    if let Some(counts) = header.variadicBufferCounts()
        && !counts.is_empty()
    {
        return Err(Violation::Variadic { count: counts.len() });
    }
    if header.length() != rows as i64 {
        return Err(Violation::RowCount { found: header.length(), expected: rows });
    }
    check_nodes(header, fields, rows)?;
    check_buffers(header, fields, body)
}

fn check_nodes(header: &RecordBatch<'_>, fields: &Fields, rows: usize) -> Result<(), Violation> {
    let found = header.nodes().map_or(0, |nodes| nodes.len());
    if found != fields.len() {
        return Err(Violation::NodeCount { found, expected: fields.len() });
    }
    for (field, node) in fields.iter().zip(header.nodes().into_iter().flatten()) {
        let column = || field.name().clone();
        if node.length() != rows as i64 {
            return Err(Violation::NodeLength {
                column: column(),
                found: node.length(),
                expected: rows,
            });
        }
        if !(0..=rows as i64).contains(&node.null_count()) {
            return Err(Violation::NullCount { column: column(), found: node.null_count(), rows });
        }
    }
    Ok(())
}

// The numbers are compared first, because `zip` ends with the shorter list: a missing buffer would
// otherwise go unseen. `check_range` comes before the sum of offset and length, which cannot
// overflow once both lie in the body.
fn check_buffers(header: &RecordBatch<'_>, fields: &Fields, body: usize) -> Result<(), Violation> {
    let owners = owners(fields)?;
    let found = header.buffers().map_or(0, |buffers| buffers.len());
    if found != owners.len() {
        return Err(Violation::BufferCount { found, expected: owners.len() });
    }
    let mut previous_end = 0;
    for (owner, range) in owners.into_iter().zip(header.buffers().into_iter().flatten()) {
        owner.check_range(range, body)?;
        // An empty buffer has no bytes to share, so it may stand anywhere in the body.
        if range.length() > 0 {
            owner.check_overlap(range, previous_end)?;
            previous_end = range.offset() + range.length();
        }
    }
    Ok(())
}

/// The owner of a buffer: the column, and the buffer's place among the column's buffers.
struct Owner<'a> {
    field: &'a Field,
    buffer: usize,
}

/// The owners of all buffers, in their order.
fn owners(fields: &Fields) -> Result<Vec<Owner<'_>>, Violation> {
    let mut owners = Vec::with_capacity(3 * fields.len());
    for field in fields {
        let Some(count) = buffer_count(field.data_type()) else {
            let (column, data_type) = (field.name().clone(), field.data_type().clone());
            return Err(Violation::Type { column, data_type });
        };
        owners.extend((0..count).map(|buffer| Owner { field, buffer }));
    }
    Ok(owners)
}

impl Owner<'_> {
    fn column(&self) -> String {
        self.field.name().clone()
    }

    fn has_offsets(&self) -> bool {
        self.buffer == 1 && matches!(self.field.data_type(), DataType::Utf8 | DataType::Binary)
    }

    fn check_range(&self, range: &Buffer, body: usize) -> Result<(), Violation> {
        let (buffer, offset, length) = (self.buffer, range.offset(), range.length());
        if offset < 0 || length < 0 {
            return Err(Violation::BufferNegative {
                column: self.column(),
                buffer,
                offset,
                length,
            });
        }
        let end = i128::from(offset) + i128::from(length);
        if end > body as i128 {
            return Err(Violation::BufferRange { column: self.column(), buffer, end, body });
        }
        if self.has_offsets() && length % 4 != 0 {
            return Err(Violation::OffsetsLength { column: self.column(), length });
        }
        Ok(())
    }

    fn check_overlap(&self, range: &Buffer, previous_end: i64) -> Result<(), Violation> {
        let (buffer, offset) = (self.buffer, range.offset());
        if offset < previous_end {
            let column = self.column();
            return Err(Violation::BufferOverlap { column, buffer, offset, previous_end });
        }
        Ok(())
    }
}
