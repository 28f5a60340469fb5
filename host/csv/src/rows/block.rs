//! The places of the fields of a block of rows.

/// The most rows of a block, and the bytes after which a block takes no further row. Both keep a
/// block in the processor's cache. (The last row may go past the bytes: one row may have 4 MiB.)
const BLOCK_ROWS: usize = 512;
pub(super) const BLOCK_BYTES: usize = 256 * 1024;
/// The most entries of a block's index. This bounds the rows of wide files: for example, a block of
/// 999 columns has at most 65 rows.
const BLOCK_FIELDS: usize = 64 * 1024;

/// The places of the fields of some rows. The index has `columns + 1` entries per row, relative to
/// `base`: where a delimiter would stand before the row, then the place after each field. A field lies between two
/// entries, delimiter excluded. For example, the row `7,ab` at 10 has the entries 9, 11 and 14. The
/// fields that a short row lacks all end where the row does: of three columns, `7,ab` has the
/// entries 9, 11, 14 and 14.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) base: usize,
    pub(crate) rows: usize,
    /// The 0-based number of the first row within the chunk.
    pub(crate) first_row: u64,
    /// At least one field is quoted or has an escape, and so is longer than its value.
    pub(crate) quoted: bool,
    pub(super) stride: usize,
    /// The length of a delimiter.
    gap: u32,
    pub(super) index: Vec<u32>,
}

impl Block {
    /// Makes room for rows of so many columns, with delimiters of the length `gap`; returns the most rows that the block takes.
    pub(super) fn clear(&mut self, columns: usize, gap: usize) -> usize {
        let stride = columns + 1;
        let max_rows = (BLOCK_FIELDS / stride).clamp(1, BLOCK_ROWS);
        self.index.resize(max_rows * stride, 0);
        (self.stride, self.rows, self.quoted, self.gap) = (stride, 0, false, gap as u32);
        max_rows
    }

    /// The fields of one column, as ranges relative to `base`, in row order.
    #[inline]
    pub(crate) fn column(&self, column: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let (entries, gap) = (&self.index[..self.rows * self.stride], self.gap);
        entries
            .chunks_exact(self.stride.max(1))
            .map(move |row| field(row[column], row[column + 1], gap))
    }

    /// The rows as they stand in the file, without their line ends: places in the chunk.
    pub(crate) fn records(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let last = self.stride.saturating_sub(2);
        let ends = self.column(0).zip(self.column(last));
        ends.map(|((start, _), (_, end))| (self.base + start, self.base + end))
    }

    /// The field of a row that holds the byte at `at`, a place in the chunk.
    pub(crate) fn column_at(&self, row: usize, at: usize) -> usize {
        let ends = self.index.get(row * self.stride + 1..).unwrap_or_default();
        let is_before = |end: &&u32| self.base + (**end as usize) < at;
        ends.iter().take(self.stride.saturating_sub(2)).take_while(is_before).count()
    }

    /// Roughly the bytes that these rows take in the file: comments between them count too.
    pub(crate) fn bytes_of(&self, rows: std::ops::Range<usize>) -> usize {
        let place = |row: usize| {
            self.index
                .get(row * self.stride)
                .map_or(0, |entry| entry.wrapping_add(self.gap) as usize)
        };
        let last = (rows.end * self.stride).checked_sub(1).and_then(|at| self.index.get(at));
        last.map_or(0, |end| *end as usize).saturating_sub(place(rows.start))
    }
}

/// The field between two entries: empty, where both are the same.
#[inline(always)]
fn field(before: u32, end: u32, gap: u32) -> (usize, usize) {
    (before.wrapping_add(gap).min(end) as usize, end as usize)
}

/// The index's entry for the place before a row, where a delimiter of the length `gap` would stand.
/// For a row at `base` that is below 0 and wraps; `Block::column` adds `gap` again and wraps back to 0.
///
/// The cast cannot lose bits in a row that is accepted: a block ends after 256 KiB, and longer rows
/// than 4 MiB are refused. A chunk without line ends fits as well, since the splitter bounds it.
#[inline(always)]
pub(super) fn entry_before(row_start: usize, base: usize, gap: usize) -> u32 {
    ((row_start - base) as u32).wrapping_sub(gap as u32)
}
