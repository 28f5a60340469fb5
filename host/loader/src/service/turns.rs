//! Whose turn it is: which tables are to be looked at, which are at work, and which messages wait
//! for which table.
//!
//! A table has one turn at a time, since its files are loaded in their order. Tables that want one
//! get it in the order in which they asked, as many at once as the settings say. A message is judged
//! by a listing that was begun after it came, or else a file that came between the two would count
//! as gone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use crate::service::letter::Letter;
use crate::service::listing::Listing;

/// The first pause of a table after a failure that passes by itself; it doubles with each further
/// one.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The tables and their messages.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Tables that want a turn, in the order in which they asked.
    wanted: VecDeque<String>,
    at_work: BTreeSet<String>,
    /// Messages that wait for a table's turn.
    letters: BTreeMap<String, Vec<Letter>>,
    pauses: BTreeMap<String, Pause>,
    /// Whether every table is to be looked at.
    all: bool,
}

#[derive(Clone, Copy, Debug)]
struct Pause {
    until: Instant,
    length: Duration,
}

/// A table that wants a turn, with the messages that wait for it.
pub(super) type Asker = (String, Vec<Letter>);

/// What a listing is made for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) tables: Vec<Asker>,
    /// Whether other tables with pending files get a turn, too.
    pub(super) all: bool,
}

impl Asked {
    /// The messages for which it is made.
    pub(super) fn letters(self) -> Vec<Letter> {
        self.tables.into_iter().flat_map(|(_, letters)| letters).collect()
    }
}

impl Turns {
    /// A message that waits for its next table.
    pub(super) fn add(&mut self, table: &str, letter: Letter) {
        self.letters.entry(table.to_owned()).or_default().push(letter);
        self.want(table);
    }

    /// A table wants a turn.
    pub(super) fn want(&mut self, table: &str) {
        if !self.wanted.iter().any(|wanted| wanted == table) {
            self.wanted.push_back(table.to_owned());
        }
    }

    /// All tables are to be looked at.
    pub(super) fn want_all(&mut self) {
        self.all = true;
    }

    /// Whether nobody wants a turn.
    pub(super) fn want_nothing(&self) -> bool {
        self.wanted.is_empty() && !self.all
    }

    /// What there is to be looked at now. `None`: nothing.
    pub(super) fn ask(&mut self, now: Instant) -> Option<Asked> {
        let wanted = std::mem::take(&mut self.wanted);
        let (ready, others): (VecDeque<String>, VecDeque<String>) =
            wanted.into_iter().partition(|table| self.is_ready(table, now));
        self.wanted = others;
        let all = std::mem::take(&mut self.all);
        if ready.is_empty() && !all {
            return None;
        }
        let letters = |table: String| {
            let letters = self.letters.remove(&table).unwrap_or_default();
            (table, letters)
        };
        Some(Asked { tables: ready.into_iter().map(letters).collect(), all })
    }

    /// The table whose turn is next, if a listing has it, with the messages that had come before.
    /// Those that came later are judged by a later one.
    pub(super) fn next_of(&mut self, listing: &Listing, now: Instant) -> Option<Asker> {
        let place = self.wanted.iter().position(|table| self.is_ready(table, now))?;
        if !listing.has(self.wanted.get(place)?) {
            return None;
        }
        let table = self.wanted.remove(place)?;
        let letters = self.letters.remove(&table).unwrap_or_default();
        let (before, later): (Vec<Letter>, Vec<Letter>) =
            letters.into_iter().partition(|letter| letter.received_at <= listing.begun_at);
        if !later.is_empty() {
            self.letters.insert(table.clone(), later);
            self.want(&table);
        }
        Some((table, before))
    }

    /// Whether a table may have a turn.
    pub(super) fn is_ready(&self, table: &str, now: Instant) -> bool {
        let is_paused = self.pauses.get(table).is_some_and(|pause| pause.until > now);
        !is_paused && !self.at_work.contains(table)
    }

    /// When the first pause of a table that wants a turn is over.
    pub(super) fn next_ready(&self, now: Instant) -> Option<Instant> {
        let waits = |table: &&String| !self.at_work.contains(*table);
        let paused = self.wanted.iter().filter(waits).filter_map(|table| self.pauses.get(table));
        // One that is over waits for a place, and not for the time.
        paused.map(|pause| pause.until).filter(|until| *until > now).min()
    }

    /// How many tables are at work.
    pub(super) fn at_work(&self) -> usize {
        self.at_work.len()
    }

    /// A table's turn begins.
    pub(super) fn begin(&mut self, table: &str) {
        self.at_work.insert(table.to_owned());
    }

    /// A table's turn has ended. `is_troubled`: it met a failure that passes by itself.
    pub(super) fn end(&mut self, table: &str, is_troubled: bool, now: Instant) {
        self.at_work.remove(table);
        match is_troubled {
            true => self.pause(table, now),
            false => drop(self.pauses.remove(table)),
        }
    }

    /// Leaves a table alone for a while, each time longer.
    pub(super) fn pause(&mut self, table: &str, now: Instant) {
        let longer = self.pauses.get(table).map(|pause| pause.length * 2);
        let length = longer.unwrap_or(FIRST_PAUSE).min(LONGEST_PAUSE);
        self.pauses.insert(table.to_owned(), Pause { until: now + length, length });
    }

    /// A table that had no turn yet wants one still, before all others.
    pub(super) fn put_back(&mut self, table: &str, letters: Vec<Letter>) {
        let later = self.letters.remove(table).unwrap_or_default();
        let all: Vec<Letter> = letters.into_iter().chain(later).collect();
        if !all.is_empty() {
            self.letters.insert(table.to_owned(), all);
        }
        self.wanted.retain(|wanted| wanted != table);
        self.wanted.push_front(table.to_owned());
    }

    /// The messages that wait, when no turn begins any more.
    pub(super) fn take_letters(&mut self) -> Vec<Letter> {
        self.wanted.clear();
        self.all = false;
        std::mem::take(&mut self.letters).into_values().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backlog::pending::Queue;

    fn listing(tables: &[&str], now: Instant) -> Listing {
        let queue = |table: &&str| Queue { table: (*table).to_owned(), files: Vec::new() };
        Listing::new(now, now, tables.iter().map(queue).collect())
    }

    fn asked(turns: &mut Turns, now: Instant) -> Vec<String> {
        let asked = turns.ask(now).map(|asked| asked.tables).unwrap_or_default();
        asked.into_iter().map(|(table, _)| table).collect()
    }

    #[test]
    fn tables_have_their_turns_in_the_order_in_which_they_asked() {
        let (mut turns, now) = (Turns::default(), Instant::now());
        ["b", "a", "b", "c"].iter().for_each(|table| turns.want(table));
        assert_eq!(asked(&mut turns, now), ["b", "a", "c"]);
        turns.want("d");
        for table in ["c", "a"] {
            turns.put_back(table, Vec::new());
        }
        assert_eq!(asked(&mut turns, now), ["a", "c", "d"]);
        assert!(turns.ask(now).is_none());
    }

    #[test]
    fn a_table_has_one_turn_at_a_time() {
        let (mut turns, now) = (Turns::default(), Instant::now());
        turns.begin("a");
        turns.want("a");
        let listed = listing(&["a", "b"], now);
        assert!(turns.next_of(&listed, now).is_none());
        turns.want("b");
        assert_eq!(turns.next_of(&listed, now).map(|(table, _)| table).as_deref(), Some("b"));
        turns.end("a", false, now);
        assert_eq!(turns.next_of(&listed, now).map(|(table, _)| table).as_deref(), Some("a"));
        // What the listing does not have is asked for anew, and nothing overtakes it.
        ["x", "b"].iter().for_each(|table| turns.want(table));
        assert!(turns.next_of(&listed, now).is_none());
        assert_eq!(asked(&mut turns, now), ["x", "b"]);
    }

    #[test]
    fn a_table_in_trouble_is_left_alone_and_longer_each_time() {
        let (mut turns, now) = (Turns::default(), Instant::now());
        turns.end("a", true, now);
        turns.want("a");
        assert!(turns.ask(now).is_none());
        assert_eq!(turns.next_ready(now), Some(now + FIRST_PAUSE));
        let later = now + FIRST_PAUSE;
        // It waits for a place then, and for no time: nothing would wake for it again and again.
        assert_eq!(turns.next_ready(later), None);
        assert_eq!(asked(&mut turns, later), ["a"]);
        turns.end("a", true, later);
        turns.want("a");
        assert_eq!(turns.next_ready(later), Some(later + FIRST_PAUSE * 2));
        turns.end("a", false, later);
        assert_eq!(asked(&mut turns, later), ["a"]);
    }
}
