//! The columns of a table, and which of them a name means.

use std::collections::HashMap;

use crate::{clean, glue};

/// The columns of a table, to be found by name.
pub struct Columns {
    spelt: HashMap<String, usize>,
    cleaned: HashMap<String, Vec<usize>>,
}

/// Which of a table's columns a name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The column at this place.
    At(usize),
    /// The column at this place, whose name is the Glue job's for the header.
    AsGlue(usize),
    Nowhere,
    /// The columns at these places are all equal to the name once they are cleaned, and none of
    /// them is spelt like the name or the header.
    Several(Vec<usize>),
}

impl Found {
    /// The place of the one column that was found.
    pub fn place(&self) -> Option<usize> {
        match self {
            Found::At(place) | Found::AsGlue(place) => Some(*place),
            Found::Nowhere | Found::Several(_) => None,
        }
    }
}

impl Columns {
    /// The columns of these names, in the table's order.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Columns {
        let mut columns = Columns { spelt: HashMap::new(), cleaned: HashMap::new() };
        for (place, name) in names.into_iter().enumerate() {
            columns.spelt.entry(name.to_ascii_lowercase()).or_insert(place);
            columns.cleaned.entry(clean(name)).or_default().push(place);
        }
        // A name of which nothing is left is like no other.
        columns.cleaned.remove("");
        columns
    }

    /// Finds the column that a name means: the one that is spelt like it, else the one that is
    /// equal to it once both are cleaned, else the one that the Glue job would have made of it. For
    /// example, `order_id` means a column `order id`, unless the table has a column `order_id` too;
    /// `größe` means `gr_e`, unless it has `größe` or `Größe`.
    ///
    /// `header` is what the name was made of: of several columns that are equal to the name once
    /// cleaned, the one that is spelt like it is meant.
    pub fn find(&self, name: &str, header: &str) -> Found {
        if let Some(place) = self.spelt_like(name) {
            return Found::At(place);
        }
        match self.cleaned.get(&clean(name)).map(Vec::as_slice) {
            None => self.spelt_like(&glue(name)).map_or(Found::Nowhere, Found::AsGlue),
            Some([place]) => Found::At(*place),
            Some(places) => match self.spelt_like(header).filter(|place| places.contains(place)) {
                Some(place) => Found::At(place),
                None => Found::Several(places.to_vec()),
            },
        }
    }

    /// The column that is spelt like a name, but for the case of ASCII letters: Redshift folds
    /// these and no others.
    pub fn spelt_like(&self, name: &str) -> Option<usize> {
        self.spelt.get(&name.to_ascii_lowercase()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_the_column_that_is_spelt_like_it_or_is_alike_once_clean() {
        let columns = ["order id", "amount", "order_id", "unit price", "unit-price", "!!"];
        let columns = Columns::new(columns);
        let check = |header: &str, expected: Found| {
            assert_eq!(columns.find(&clean(header), header), expected, "{header}");
        };
        check("order_id", Found::At(2));
        check("Order ID", Found::At(2));
        check("Amount ($)", Found::At(1));
        check("unit_price", Found::Several(vec![3, 4]));
        check("UNIT-PRICE", Found::At(4));
        check("??", Found::Nowhere);
        check("orderid", Found::Nowhere);
        assert_eq!(columns.find("Order ID", ""), Found::At(0));
    }

    #[test]
    fn a_column_that_the_glue_job_named_is_found() {
        let check = |columns: &[&str], header: &str, expected: Found| {
            let found = Columns::new(columns.iter().copied()).find(&clean(header), header);
            assert_eq!(found, expected, "{header} in {columns:?}");
        };
        check(&["gr_e"], "Größe", Found::AsGlue(0));
        check(&["gr_e", "Größe"], "Größe", Found::At(1));
        check(&["größe"], "Gr E", Found::Nowhere);
        check(&["größe"], "Grüße", Found::Nowhere);
        check(&["column_1"], "年齢", Found::Nowhere);
    }
}
