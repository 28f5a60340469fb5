//! Which types the columns of a whole file could have: learnt per chunk in parallel, then put
//! together in order.
//!
//! A profile keeps the facts for every type, not only the narrowest, so that a target's type can be
//! checked without reading the file again. The profile never depends on where the file was split.

use crate::chunk_profile::{ChunkProfile, append};
use crate::counted::Counted;
use crate::dialect::LeadingZeros;
use crate::error::{CsvError, Position};
use crate::facts::{CANDIDATES, Candidate, ColumnFacts};
use crate::header::Header;
use crate::mark::Mark;
use crate::meant::Meant;
use crate::new_type::NewType;
use crate::number_facts::{NumberFacts, Seen};
use crate::oddities::Oddities;

/// The facts about one column of a file.
///
/// A quoted empty field (`""`) is the empty string in a text column and NULL in any other, as in
/// Redshift's COPY. So it speaks against no type and has a count of its own: `values + nulls +
/// quoted_empty` is the number of records, without those whose field the column's rule refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnProfile {
    pub name: String,
    /// The number of fields with a text in them.
    pub values: u64,
    /// The number of bare empty fields and null tokens.
    pub nulls: u64,
    pub quoted_empty: u64,
    /// The longest value in bytes of UTF-8, without quotes and escapes. VARCHAR counts bytes too:
    /// for example, `Zürich` has 6 characters and needs VARCHAR(7).
    pub max_bytes: u32,
    /// The first value of that length; `None` without values.
    pub longest_at: Option<Position>,
    /// The smallest value, when all values are whole numbers of 64 bits, also as `1.0` and `1e3`.
    pub min_int: Option<i64>,
    /// The largest value, likewise.
    pub max_int: Option<i64>,
    /// The most digits before the point, when all values are numbers. Exponents are applied and
    /// leading zeros not counted: for example, `1.5e3` has 4 digits and `0.5` has none.
    pub max_integer_digits: u32,
    /// The first value with that many digits before the point.
    pub widest_at: Option<Position>,
    /// The most digits after the point, without the zeros at their end.
    pub max_fraction_digits: u32,
    /// The first value with that many digits after the point.
    pub finest_at: Option<Position>,
    /// The first `NaN` or infinity, when all values are numbers.
    pub not_finite_at: Option<Position>,
    /// The first number that a float does not give back as it is, when all values are numbers.
    pub imprecise_at: Option<Position>,
    /// The first number with leading zeros (`007`), looked for up to the first value that is no
    /// number. With [`LeadingZeros::Text`](crate::LeadingZeros::Text) this value made the column
    /// text.
    pub leading_zeros_at: Option<Position>,
    // How the values are spelt, for `new_type`. See `NumberFacts` and `ColumnFacts`.
    pub(crate) respelt: Counted,
    pub(crate) exponents: Counted,
    pub(crate) is_scientific: bool,
    pub(crate) pointed: u64,
    pub(crate) written: (u32, u32),
    pub(crate) written_at: Option<Position>,
    pub(crate) kept_scale: u32,
    pub(crate) kept_at: Option<Position>,
    pub(crate) measured: u64,
    pub(crate) padded: u64,
    /// How many moments have digits past the microsecond, when all values are moments.
    pub cut: u64,
    pub(crate) violations: [Option<Position>; CANDIDATES],
    /// The type that the user has given.
    pub(crate) given: Option<NewType>,
    /// What the file says of the values.
    pub(crate) meant: Option<Meant>,
}

impl ColumnProfile {
    /// Makes the profile of the column at `place`.
    fn new(header: &Header, place: usize, facts: &ColumnFacts) -> ColumnProfile {
        let (name, rule) = (header.names[place].as_str(), header.rule(place));
        let at = |mark: Option<Mark>| mark.map(|mark| position(mark, name));
        let violations = ALL_CANDIDATES.map(|candidate| at(facts.violation(candidate)));
        let is = |candidate: Candidate| facts.values > 0 && facts.violation(candidate).is_none();
        let none = NumberFacts::default();
        let numbers = if is(Candidate::Double) { &facts.numbers } else { &none };
        let is_whole = is(Candidate::Int64)
            || is(Candidate::Double)
                && numbers.not_finite_at.is_none()
                && numbers.max_fraction_digits == 0
                && numbers.max_integer_digits <= DIGITS_OF_64_BITS;
        let counted = |seen: Seen| Counted { count: seen.count, first: at(seen.first) };
        ColumnProfile {
            name: name.to_owned(),
            values: facts.values,
            nulls: facts.nulls,
            quoted_empty: facts.quoted_empty,
            max_bytes: facts.max_bytes,
            longest_at: at(facts.longest_at),
            min_int: is_whole.then_some(numbers.min_int),
            max_int: is_whole.then_some(numbers.max_int),
            max_integer_digits: numbers.max_integer_digits,
            widest_at: at(numbers.widest_at),
            max_fraction_digits: numbers.max_fraction_digits,
            finest_at: at(numbers.finest_at),
            not_finite_at: at(numbers.not_finite_at),
            imprecise_at: at(numbers.imprecise_at),
            leading_zeros_at: at(facts.numbers.leading_zeros_at),
            respelt: counted(numbers.respelt),
            exponents: counted(numbers.exponents),
            is_scientific: numbers.is_scientific,
            pointed: numbers.pointed,
            written: numbers.written,
            written_at: at(numbers.written_at),
            kept_scale: numbers.kept_scale,
            kept_at: at(numbers.kept_at),
            measured: facts.measured,
            padded: facts.padded,
            cut: if is(Candidate::LooseTimestamp) { facts.cut } else { 0 },
            violations,
            given: rule.and_then(|rule| rule.form.as_ref()).map(NewType::given),
            meant: header.meant(place),
        }
    }
}

/// The position of a value in this column, from its mark in the file.
fn position(mark: Mark, column: &str) -> Position {
    Position {
        record: mark.record + 1,
        line: mark.line,
        byte: mark.byte,
        column: Some(column.to_owned()),
    }
}

/// All candidates, in the order of their numbers: `accepts_candidate` finds a violation by number.
const ALL_CANDIDATES: [Candidate; CANDIDATES] = [
    Candidate::Boolean,
    Candidate::BooleanLiteral,
    Candidate::Int16,
    Candidate::Int32,
    Candidate::Int64,
    Candidate::Whole,
    Candidate::Decimal,
    Candidate::Double,
    Candidate::Date,
    Candidate::Timestamp,
    Candidate::LooseDate,
    Candidate::LooseTimestamp,
];

/// Numbers of so many digits always fit 64 bits.
const DIGITS_OF_64_BITS: u32 = 18;

/// The facts about a whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProfile {
    /// One per column of the header.
    pub columns: Vec<ColumnProfile>,
    pub records: u64,
    /// The number of each chunk's first record, counted from 1, as
    /// [`Decoder::decode_chunk`](crate::Decoder) takes it. For example, chunks of 100, 80 and 90
    /// records give 1, 101 and 181.
    pub first_records: Vec<u64>,
    pub oddities: Oddities,
}

impl FileProfile {
    /// Puts the chunks' profiles together. They must come in the order of the chunks.
    ///
    /// Errors: the first error among the chunks, with its record counted from the start of the
    /// file.
    pub fn merge(
        header: &Header,
        chunks: impl IntoIterator<Item = Result<ChunkProfile, CsvError>>,
    ) -> Result<FileProfile, CsvError> {
        let mut merge = ProfileMerge::new(header);
        for chunk in chunks {
            merge.push(chunk.map_err(|error| error.after_records(merge.records))?);
        }
        Ok(merge.finish())
    }
}

/// A [`FileProfile`] in the making. It takes one chunk's profile at a time, so that its memory
/// grows with the columns and not with the chunks' profiles.
#[derive(Clone, Debug)]
pub struct ProfileMerge {
    header: Header,
    columns: Vec<ColumnFacts>,
    records: u64,
    first_records: Vec<u64>,
    oddities: Oddities,
}

impl ProfileMerge {
    /// Starts the profile of a file with this header.
    pub fn new(header: &Header) -> ProfileMerge {
        ProfileMerge {
            header: header.clone(),
            // These facts only take on those of the chunks, so how zeros are read does not matter.
            columns: vec![ColumnFacts::new(LeadingZeros::default()); header.names.len()],
            records: 0,
            first_records: Vec::new(),
            oddities: Oddities::default(),
        }
    }

    /// The records so far.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Takes the next chunk's profile.
    pub fn push(&mut self, chunk: ChunkProfile) {
        let records = chunk.records();
        self.push_run(chunk, [records]);
    }

    /// Takes the profile that the next chunks have together. `records`: of each of them.
    pub fn push_run(&mut self, mut run: ChunkProfile, records: impl IntoIterator<Item = u64>) {
        append(&mut self.columns, &mut run.columns, self.records);
        for records in records {
            self.first_records.push(self.records + 1);
            self.records += records;
        }
        self.oddities.append(&run.oddities);
    }

    /// Takes the profile of a further file with the same header. Positions stay those of their own
    /// files.
    pub fn append(&mut self, other: &ProfileMerge) {
        for (column, next) in self.columns.iter_mut().zip(&other.columns) {
            column.append(next);
        }
        self.records += other.records;
        self.oddities.append(&other.oddities);
    }

    /// The profile of all chunks that were pushed.
    pub fn finish(self) -> FileProfile {
        let header = &self.header;
        let facts = self.columns.iter().take(header.names.len()).enumerate();
        let columns =
            facts.map(|(place, facts)| ColumnProfile::new(header, place, facts)).collect();
        let ProfileMerge { records, first_records, oddities, .. } = self;
        FileProfile { columns, records, first_records, oddities }
    }
}
