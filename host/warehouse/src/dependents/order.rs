//! Relations that read others, to any depth, in an order in which they can be created.
//!
//! In: edges as the catalog has them, by object id. The loader follows the edges itself, since
//! Redshift runs no recursive query on its leader node.

use std::collections::{BTreeMap, BTreeSet};

/// A relation that reads another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    /// Object id of the view.
    pub(super) reader: i64,
    /// Object id of what it reads.
    pub(super) read: i64,
}

/// Everything that reads one of `from`, directly or through other relations; `from` itself is not
/// part of it.
pub(super) fn readers(edges: &[Edge], from: &[i64]) -> BTreeSet<i64> {
    let mut by_read: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for edge in edges.iter().filter(|edge| edge.reader != edge.read) {
        by_read.entry(edge.read).or_default().push(edge.reader);
    }
    let (mut found, mut open) = (BTreeSet::new(), from.to_vec());
    while let Some(read) = open.pop() {
        // Only a relation that was not found before is followed, so a circle ends.
        for reader in by_read.get(&read).into_iter().flatten() {
            if found.insert(*reader) {
                open.push(*reader);
            }
        }
    }
    found
}

/// The members in an order in which each stands behind the members that it reads. Where that leaves
/// a choice, the order of `members` counts. (For example, view 9 reads the table, 2 reads 9, and 5
/// reads 9 and 2: then the order is 9, 2, 5.) Relations that read each other in a circle, which the
/// warehouse does not allow, come last.
// Each round places the members that read only placed members. Relations outside of `members`, such
// as the table itself, are there already and hold up none. A round that places no member has found
// a circle; without that check the loop would never end.
pub(super) fn in_order(edges: &[Edge], members: &[i64]) -> Vec<i64> {
    let known: BTreeSet<i64> = members.iter().copied().collect();
    let mut reads: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for edge in edges.iter().filter(|edge| edge.reader != edge.read && known.contains(&edge.read)) {
        reads.entry(edge.reader).or_default().insert(edge.read);
    }
    let (mut ordered, mut placed, mut open) = (Vec::new(), BTreeSet::new(), members.to_vec());
    loop {
        let ready = |member: &i64| reads.get(member).is_none_or(|reads| reads.is_subset(&placed));
        let (now, later): (Vec<i64>, Vec<i64>) = open.iter().partition(|member| ready(member));
        if now.is_empty() {
            ordered.extend(later);
            return ordered;
        }
        placed.extend(&now);
        ordered.extend(now);
        open = later;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edges(pairs: &[(i64, i64)]) -> Vec<Edge> {
        pairs.iter().map(|(reader, read)| Edge { reader: *reader, read: *read }).collect()
    }

    #[test]
    fn views_on_views_follow_what_they_read() {
        // 1 is the table. 9 reads it twice, 5 reads 9 and 2, 2 reads 9 and another table; 7 reads
        // that table alone.
        let edges = edges(&[(9, 1), (9, 1), (5, 9), (5, 2), (2, 9), (2, 100), (7, 100)]);
        assert_eq!(readers(&edges, &[1]), BTreeSet::from([2, 5, 9]));
        assert_eq!(in_order(&edges, &[2, 5, 9]), [9, 2, 5]);
    }

    #[test]
    fn a_circle_ends() {
        let edges = edges(&[(2, 1), (2, 3), (3, 2), (4, 1), (4, 4)]);
        assert_eq!(readers(&edges, &[1]), BTreeSet::from([2, 3, 4]));
        assert_eq!(in_order(&edges, &[2, 3, 4]), [4, 2, 3]);
    }

    proptest! {
        #[test]
        fn nothing_stands_before_what_it_reads(pairs in prop::collection::vec((0i64..12, 0i64..12), 0..40)) {
            // Readers are newer than what they read, so there is no circle; names are shuffled by
            // the multiplication.
            let shuffled = |n: i64| n * 7 % 13;
            let pairs = pairs.into_iter().filter(|(a, b)| a > b).map(|(a, b)| (shuffled(a), shuffled(b)));
            let edges = edges(&pairs.collect::<Vec<_>>());
            let members: Vec<i64> = readers(&edges, &[0]).into_iter().collect();
            let ordered = in_order(&edges, &members);
            let mut sorted = ordered.clone();
            sorted.sort_unstable();
            prop_assert_eq!(&sorted, &members);
            let place = |id: i64| ordered.iter().position(|member| *member == id);
            for edge in &edges {
                prop_assert!(edge.read != 0 || place(edge.reader).is_some());
                if let (Some(reader), Some(read)) = (place(edge.reader), place(edge.read)) {
                    prop_assert!(read < reader);
                    prop_assert!(members.contains(&edge.reader));
                }
            }
        }
    }
}
