//! The places that a profile names, to be changed by a caller who has transcoded the file: to the
//! user they are places in the source.

use crate::error::Position;
use crate::profile::{ColumnProfile, FileProfile};

impl FileProfile {
    /// All places in the file that the profile names.
    pub fn positions(&mut self) -> impl Iterator<Item = &mut Position> {
        self.columns.iter_mut().flat_map(ColumnProfile::positions)
    }
}

impl ColumnProfile {
    /// All places in the file that the profile names.
    fn positions(&mut self) -> impl Iterator<Item = &mut Position> {
        // The pattern has no `..`, so a new place that is forgotten here is seen.
        let ColumnProfile {
            name: _,
            values: _,
            nulls: _,
            quoted_empty: _,
            max_bytes: _,
            longest_at,
            min_int: _,
            max_int: _,
            max_integer_digits: _,
            widest_at,
            max_fraction_digits: _,
            finest_at,
            not_finite_at,
            imprecise_at,
            leading_zeros_at,
            respelt,
            exponents,
            is_scientific: _,
            pointed: _,
            written: _,
            written_at,
            kept_scale: _,
            kept_at,
            measured: _,
            padded: _,
            cut: _,
            violations,
            given: _,
            meant: _,
        } = self;
        let counted = [&mut respelt.first, &mut exponents.first];
        [longest_at, widest_at, finest_at, not_finite_at, imprecise_at, leading_zeros_at]
            .into_iter()
            .chain([written_at, kept_at])
            .chain(counted)
            .chain(violations)
            .flatten()
    }
}
