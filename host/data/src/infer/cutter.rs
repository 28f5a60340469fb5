//! Cuts a file into chunks while it is copied.
//!
//! In: its bytes, piece by piece. Out: chunks, and the header with what the user says of columns.

use loader_csv::{Chunk, CsvError, Dialect, Header, LearntRange, LearntRun, Splitter};
use loader_model::error::{Error, Kind, Result};

use super::footer::Tail;
use super::reading::{CHUNK_BYTES, Reading};
use super::specs::{self, Placed};
use crate::content::{Columns, Source};
use crate::failures::csv_failure;

/// Cuts the file, and reads its columns as the user says.
pub(super) struct Cutter<'a> {
    reading: &'a Reading<'a>,
    pub(super) source: &'a Source,
    splitter: Splitter,
    /// With the rules of its columns; `None`: it has not been asked for yet.
    header: Option<Header>,
    pub(super) placed: Placed,
    /// The file is cut no further, but copied to its end.
    has_ended: bool,
    /// The mistake that ended the cutting.
    pub(super) mistake: Option<CsvError>,
    /// Keeps the footer from being cut.
    pub(super) tail: Tail,
}

impl<'a> Cutter<'a> {
    /// `columns`: those of a file that has rows alone.
    pub(super) fn new(
        reading: &'a Reading<'a>,
        source: &'a Source,
        columns: Option<&Columns>,
    ) -> Cutter<'a> {
        let splitter = match columns {
            None => Splitter::new(reading.dialect, CHUNK_BYTES),
            Some(Columns { header, .. }) => {
                Splitter::of_records(reading.dialect, header, CHUNK_BYTES)
            }
        };
        let footer = reading.footer.filter(|_| columns.is_none()).cloned();
        Cutter {
            reading,
            source,
            splitter,
            header: None,
            placed: Placed::default(),
            has_ended: false,
            mistake: None,
            tail: Tail::new(footer),
        }
    }

    /// The chunks that are complete with the file's next bytes; none are its end.
    ///
    /// Errors: `Data` for a mistake in the header, and for any other where no row may be rejected.
    pub(super) fn cut(&mut self, bytes: &[u8]) -> Result<Vec<Chunk>> {
        let body = self.tail.pass(bytes)?;
        self.cut_body(&body, bytes.is_empty())
    }

    /// The same for bytes that are known not to be in the footer. `is_end`: they are the last.
    pub(super) fn cut_body(&mut self, body: &[u8], is_end: bool) -> Result<Vec<Chunk>> {
        if self.has_ended {
            return Ok(Vec::new());
        }
        let splitter = &mut self.splitter;
        let mut cut = splitter.push(body);
        if let (Ok(chunks), true) = (&mut cut, is_end) {
            cut = splitter.finish().map(|last| [std::mem::take(chunks), last].concat());
        }
        if self.reading.dialect.is_sequential() && splitter.header().is_some() {
            self.has_ended = true;
            return Ok(Vec::new());
        }
        match cut {
            Ok(chunks) => Ok(chunks),
            Err(mistake)
                if splitter.header().is_none() || !self.reading.max_rejects.allows_any() =>
            {
                Err(csv_failure(mistake, self.source))
            }
            Err(mistake) => {
                (self.has_ended, self.mistake) = (true, Some(mistake));
                Ok(Vec::new())
            }
        }
    }

    /// Takes over a range that was learnt elsewhere; `None`: its bytes have to be cut.
    pub(super) fn take(&mut self, range: &LearntRange) -> Option<(Vec<Chunk>, Vec<LearntRun>)> {
        self.splitter.take_learnt(range).filter(|_| !self.has_ended)
    }

    /// Goes back to where the first record begins, and gives that place. The header must be known.
    pub(super) fn begin_at_records(&mut self, grid_bytes: u64) -> Result<u64> {
        let header = self.header("the rows come before the header")?;
        self.splitter = Splitter::at_records(self.reading.dialect, &header, grid_bytes);
        Ok(self.splitter.offset())
    }

    pub(super) fn has_header(&self) -> bool {
        self.splitter.header().is_some()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    pub(super) fn dialect(&self) -> &Dialect {
        self.reading.dialect
    }

    /// Cuts the file no further, since a chunk has a mistake.
    pub(super) fn end(&mut self) -> Result<()> {
        self.has_ended = true;
        match self.reading.max_rejects.allows_any() {
            true => Ok(()),
            false => Err(Error::new(Kind::Internal, "the profiling threads ended early")),
        }
    }

    /// The header, which the splitter has read by now. `otherwise`: the text of the error if it has
    /// not, which only a mistake in the splitter can cause.
    ///
    /// Errors: as of `specs::place`.
    pub(super) fn header(&mut self, otherwise: &str) -> Result<Header> {
        if let Some(header) = &self.header {
            return Ok(header.clone());
        }
        let found = self.splitter.header();
        let found = found.ok_or_else(|| Error::new(Kind::Internal, otherwise))?;
        let Reading { dialect, columns, column_names, .. } = self.reading;
        let given = column_names.filter(|names| names.len() == found.names.len());
        let are_known = dialect.header || given.is_some();
        self.placed = specs::place(columns, given.unwrap_or(&found.names), are_known)?;
        Ok(self.header.insert(specs::ruled(found, &self.placed.by_place)).clone())
    }
}
