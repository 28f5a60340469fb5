//! How headers become names of columns, and which column of a table a name means.
//!
//! In: texts. Out: names and places. The default plugin names a file's columns by these rules, and
//! the host finds the table's columns by them, so that both mean the same column.

use std::collections::HashMap;

/// The clean name of a header: lower case, each run of characters outside `[a-z0-9]` replaced by
/// one underscore, and none at the ends. `Email Address!` becomes `email_address`, `ÄÖÜ` becomes
/// empty.
pub fn clean(header: &str) -> String {
    let mut name = String::with_capacity(header.len());
    // By Unicode's lower case, and before the match: the Kelvin sign (U+212A) becomes a plain k.
    for character in header.to_lowercase().chars() {
        match character {
            'a'..='z' | '0'..='9' => name.push(character),
            // The second character of a run, and a run at the start, add nothing.
            _ if name.ends_with('_') || name.is_empty() => {}
            _ => name.push('_'),
        }
    }
    name.truncate(name.trim_end_matches('_').len());
    name
}

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
    Nowhere,
    /// The columns at these places are all equal to the name once they are cleaned, and none of
    /// them is spelt like the name or the header.
    Several(Vec<usize>),
}

impl Found {
    /// The place of the one column that was found.
    pub fn place(&self) -> Option<usize> {
        match self {
            Found::At(place) => Some(*place),
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
    /// equal to it once both are cleaned. For example, `order_id` means a column `order id`, unless
    /// the table has a column `order_id` too. `header` is what the name was made of: of several
    /// columns that are equal to the name once cleaned, the one that is spelt like it is meant.
    // ASCII letters alone are folded, as Redshift folds them.
    pub fn find(&self, name: &str, header: &str) -> Found {
        if let Some(place) = self.spelt_like(name) {
            return Found::At(place);
        }
        match self.cleaned.get(&clean(name)).map(Vec::as_slice) {
            None => Found::Nowhere,
            Some([place]) => Found::At(*place),
            Some(places) => match self.spelt_like(header).filter(|place| places.contains(place)) {
                Some(place) => Found::At(place),
                None => Found::Several(places.to_vec()),
            },
        }
    }

    fn spelt_like(&self, name: &str) -> Option<usize> {
        self.spelt.get(&name.to_ascii_lowercase()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule() {
        let check =
            |header: &str, expected: &str| assert_eq!(clean(header), expected, "{header:?}");
        check("First Name", "first_name");
        check("Email Address!", "email_address");
        check("  TOTAL__AMOUNT -- (EUR)  ", "total_amount_eur");
        check("_x_", "x");
        check("2024", "2024");
        check("Größe", "gr_e");
        check("ÄÖÜ", "");
        check("\u{212a}elvin", "kelvin");
        check("", "");
    }

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
}
