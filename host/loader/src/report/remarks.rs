//! What a person should look at in a load that may well have succeeded.

use crate::report::Report;
use crate::words::count;

impl Report {
    /// Sentences: values that were rounded, columns that were left out, and all notices.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let rounded = match usize::try_from(self.values_rounded).unwrap_or(usize::MAX) {
            0 => None,
            n => Some(format!("{} rounded to the digits of the columns", count(n, "value"))),
        };
        let left_out = match self.columns_discarded.as_slice() {
            [] => None,
            columns => Some(format!("left out: {}", columns.join(", "))),
        };
        left_out.into_iter().chain(rounded).chain(self.notices.iter().cloned()).collect()
    }
}
