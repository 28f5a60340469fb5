//! Which files are of one feed, told by their names: those that differ in numbers alone.
//!
//! For example, `orders_2025-01-31.csv` and `orders_2025-02-28.csv.gz` are files of `orders`, with
//! the patterns `orders_*.csv` and `orders_*.csv.gz`.

use std::collections::{BTreeMap, BTreeSet};

use glob::Pattern;

use crate::feeds::MATCHING;

/// The files of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The name of its table.
    pub(super) table: String,
    pub(super) patterns: Vec<String>,
    /// In the order of their names.
    pub(super) files: Vec<String>,
}

/// A name in its parts.
struct Parts<'a> {
    /// With its slash; empty at the top.
    folder: &'a str,
    /// The words of the stem that do not change.
    words: Vec<&'a str>,
    pattern: String,
}

/// What files of one feed have in common: their folder, and the words that do not change.
type Words<'a> = (&'a str, Vec<&'a str>);

/// The feeds, in the order of their tables.
pub(super) fn groups(names: &[String]) -> Vec<Group> {
    let mut groups: BTreeMap<Words<'_>, (BTreeSet<String>, Vec<String>)> = BTreeMap::new();
    for name in names {
        let Parts { folder, words, pattern } = parts(name);
        let (patterns, files) = groups.entry((folder, words)).or_default();
        patterns.insert(pattern);
        files.push(name.clone());
    }
    let mut found: Vec<Group> = Vec::new();
    for ((folder, words), (patterns, mut files)) in groups {
        files.sort();
        let table = free_name(folder, &words, &found);
        found.push(Group { table, patterns: patterns.into_iter().collect(), files });
    }
    found.sort_by(|one, other| one.table.cmp(&other.table));
    (0..found.len()).for_each(|place| narrow(&mut found, place));
    found
}

/// Takes only numbers for the stars of a feed's patterns where they take files of other feeds: of
/// `orders_1.csv` and `orders_eu_1.csv`, the latter is one of `orders_*.csv`, too.
fn narrow(groups: &mut [Group], place: usize) {
    let files = |of_this: bool| {
        let groups = groups.iter().enumerate().filter(move |(at, _)| (*at == place) == of_this);
        groups.flat_map(|(_, group)| &group.files)
    };
    let narrower = |pattern: &String| {
        let narrower = pattern.replacen('*', "[0-9]*", 1);
        let takes_others = files(false).any(|file| takes(pattern, file));
        let keeps = files(true).all(|file| !takes(pattern, file) || takes(&narrower, file));
        if takes_others && keeps { narrower } else { pattern.clone() }
    };
    let patterns = groups[place].patterns.iter().map(narrower).collect();
    groups[place].patterns = patterns;
}

fn takes(pattern: &str, file: &str) -> bool {
    Pattern::new(pattern).is_ok_and(|pattern| pattern.matches_with(file, MATCHING))
}

/// A table's name from the words, with its folder where two tables would have one name.
fn free_name(folder: &str, words: &[&str], taken: &[Group]) -> String {
    let is_free = |name: &str| !name.is_empty() && taken.iter().all(|group| group.table != name);
    let of_words = loader_names::clean(&words.join("_"));
    let of_folder = loader_names::clean(&format!("{folder}{}", words.join("_")));
    let numbered =
        (2..).map(|n| format!("{}_{n}", if of_words.is_empty() { "files" } else { &of_words }));
    let mut names = [of_words.clone(), of_folder, "files".to_owned()].into_iter().chain(numbered);
    names.find(|name| is_free(name)).unwrap_or_default()
}

fn parts(name: &str) -> Parts<'_> {
    let (folder, file) = name.split_at(name.rfind('/').map_or(0, |slash| slash + 1));
    let (stem, ending) = file.split_at(file.find('.').unwrap_or(file.len()));
    let is_separator = |c: char| matches!(c, '_' | '-' | ' ');
    let changes = |word: &&str| word.contains(|c: char| c.is_ascii_digit());
    let all: Vec<&str> = stem.split(is_separator).collect();
    let words: Vec<&str> =
        all.iter().copied().filter(|word| !changes(word) && !word.is_empty()).collect();
    if words.is_empty() {
        // `20250131.csv`, or `covid19.csv`: the letters before the first digit.
        let letters = stem.find(|c: char| c.is_ascii_digit()).unwrap_or(stem.len());
        let letters = stem[..letters].trim_end_matches(is_separator);
        let words = if letters.is_empty() { Vec::new() } else { vec![letters] };
        let (before, behind) = (format!("{folder}{letters}"), ending);
        let pattern = format!("{}*{}", Pattern::escape(&before), Pattern::escape(behind));
        return Parts { folder, words, pattern };
    }
    // What stands between the first and the last word that changes is a star.
    let first = all.iter().position(&changes);
    let last = all.iter().rposition(changes);
    let pattern = match (first, last) {
        (Some(first), Some(last)) => {
            let start = all[..first].iter().map(|word| word.len() + 1).sum::<usize>();
            let end = all[last + 1..].iter().map(|word| word.len() + 1).sum::<usize>();
            let behind = Pattern::escape(&stem[stem.len() - end..]);
            format!("{}*{behind}", Pattern::escape(&stem[..start]))
        }
        _ => Pattern::escape(stem),
    };
    let (folder_, ending) = (Pattern::escape(folder), Pattern::escape(ending));
    Parts { folder, words, pattern: format!("{folder_}{pattern}{ending}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let groups = groups(&names);
        let line = |group: &Group| {
            format!("{}: {} ({})", group.table, group.patterns.join(" "), group.files.len())
        };
        groups.iter().map(line).collect()
    }

    #[test]
    fn files_that_differ_in_numbers_are_of_one_feed() {
        let found = found(&[
            "orders_2025-01-31.csv",
            "orders_2025-02-28.csv.gz",
            "orders_20250301_v2.csv",
            "Order Lines.csv",
            "eu/export 1 status.csv",
            "eu/export 22 status.csv",
            "eu/orders_1.csv",
            "orders_eu_1.csv",
            "20250131.csv",
            "covid19.csv",
            "part-0000-9f3c01ab.parquet",
        ]);
        let expected = [
            "covid: covid*.csv (1)",
            "eu_orders: eu/orders_*.csv (1)",
            "export_status: eu/export * status.csv (2)",
            "files: [0-9]*.csv (1)",
            "order_lines: Order Lines.csv (1)",
            "orders: orders_[0-9]*.csv orders_*.csv.gz (3)",
            "orders_eu: orders_eu_*.csv (1)",
            "part: part-*.parquet (1)",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_pattern_of_a_feed_takes_its_files() {
        for name in [
            "a_1.csv",
            "a-1-b-2 c.csv.gz",
            "x/y/2025.csv",
            "no digits.csv",
            "a1b2_c.csv",
            "a[1]_*_2.csv",
        ] {
            let pattern = glob::Pattern::new(&parts(name).pattern).expect("a pattern");
            assert!(pattern.matches(name), "{pattern} {name}");
        }
    }
}
