//! Whether all values of a column have a type: asked of a column's profile, without reading the
//! file again.

use crate::error::Position;
use crate::facts::Candidate;
use crate::logical::LogicalType;
use crate::profile::ColumnProfile;

impl ColumnProfile {
    /// Whether every row has NULL in the column.
    pub fn is_empty(&self) -> bool {
        self.values == 0 && self.quoted_empty == 0
    }

    /// Says whether all values have the type; the error is the place of the first value that has
    /// not. Text accepts every value.
    ///
    /// Columns without values accept every type. Integers are decimals, and both are doubles.
    pub fn accepts(&self, logical: LogicalType) -> Result<(), &Position> {
        match logical {
            LogicalType::Boolean => self.accepts_candidate(Candidate::Boolean),
            LogicalType::Int16 => self.accepts_candidate(Candidate::Int16),
            LogicalType::Int32 => self.accepts_candidate(Candidate::Int32),
            LogicalType::Int64 => self.accepts_candidate(Candidate::Int64),
            LogicalType::Decimal => self.accepts_candidate(Candidate::Decimal),
            LogicalType::Double => self.accepts_candidate(Candidate::Double),
            LogicalType::Date => self.accepts_candidate(Candidate::Date),
            LogicalType::Timestamp => self.accepts_candidate(Candidate::Timestamp),
            LogicalType::Text => Ok(()),
        }
    }

    /// As [`Self::accepts`], for the literals that Redshift takes for a BOOLEAN column: `t true y
    /// yes 1 f false n no 0`, in any case.
    pub fn accepts_boolean_literals(&self) -> Result<(), &Position> {
        self.accepts_candidate(Candidate::BooleanLiteral)
    }

    /// As [`Self::accepts`], for a column of whole numbers in a table: `1.0` and `1e3` are whole.
    pub fn accepts_whole(&self) -> Result<(), &Position> {
        self.accepts(LogicalType::Double)?;
        match self.min_int {
            Some(_) => Ok(()),
            None if self.values == 0 => Ok(()),
            None => {
                let fraction = self.finest_at.as_ref();
                let odd = self.not_finite_at.as_ref().or(fraction).or(self.widest_at.as_ref());
                odd.map_or(Ok(()), Err)
            }
        }
    }

    /// As [`Self::accepts`], for a column of days in a table, in all forms that are read there.
    pub fn accepts_days(&self) -> Result<(), &Position> {
        self.accepts_candidate(Candidate::LooseDate)
    }

    /// As [`Self::accepts`], for a column of moments in a table, in all forms that are read there.
    pub fn accepts_moments(&self) -> Result<(), &Position> {
        self.accepts_candidate(Candidate::LooseTimestamp)
    }

    /// As [`Self::accepts`], for a DECIMAL with so many digits before the point; digits after it
    /// are rounded. Exponents are fine.
    ///
    /// Rounding up may still add a digit to a value that just fits: for example, DECIMAL(3,2) has
    /// one digit before the point, and `9.996` becomes 10.00, which does not fit.
    pub fn accepts_integer_digits(&self, integer_digits: u32) -> Result<(), &Position> {
        self.accepts(LogicalType::Double)?;
        let too_wide = self.widest_at.as_ref().filter(|_| self.max_integer_digits > integer_digits);
        self.not_finite_at.as_ref().or(too_wide).map_or(Ok(()), Err)
    }

    pub(crate) fn accepts_candidate(&self, candidate: Candidate) -> Result<(), &Position> {
        self.violations[candidate as usize].as_ref().map_or(Ok(()), Err)
    }
}
