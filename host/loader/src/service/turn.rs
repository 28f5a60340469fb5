//! The turn of a table: its first files are loaded, and each file that a message tells of is judged.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use loader_model::error::Kind;

use crate::backlog::doing::{Again, Doing, Stops};
use crate::backlog::outcome::{End, FileOutcome};
use crate::backlog::pending::{Backlog, PendingFile, Queue};
use crate::backlog::{self, aside, held};
use crate::job;
use crate::retention::Forgetting;
use crate::service::board::{Board, has_left};
use crate::service::grounds::Grounds;
use crate::service::letter::{Judged, Letter, Reason};
use crate::service::verdict::Verdict;

/// What one turn takes up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Files, and their bytes; at least one file. Then other tables have their turn.
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    /// A larger file is for another program to load.
    pub(crate) largest_file: u64,
    /// Whether such a program has a queue.
    pub(crate) hands_over: bool,
}

/// What is said of a file for another program, where there is no message to hand over.
const NOT_HERE: &str = "the file is too large for this program, or comes after one that is; it stays \
                        in data/in/ until another looks at its table";
/// The signal that a load is told of when the time is up.
pub(crate) const SIGTERM: i32 = 15;

/// Those of a machine that has time.
impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { files: 20_000, bytes: 10 << 30, largest_file: u64::MAX, hands_over: false }
    }
}

/// What became of a table's files, and the messages that wait for it.
pub(super) struct Turn {
    pub(super) table: String,
    pub(super) letters: Vec<Letter>,
    /// By the names of the files.
    judged: BTreeMap<String, Judged>,
    /// What holds for all files that are neither judged nor left. (For example, the warehouse could
    /// not be reached.)
    others: Judged,
    /// Files that were listed, and are for a later turn.
    pub(super) left: BTreeSet<String>,
    /// Whether a file has left `data/in/`.
    has_moved: bool,
    /// Whether a file, or all of them, failed in a way that passes: the table is left alone a while.
    pub(super) is_troubled: bool,
}

impl Turn {
    fn of(table: String, letters: Vec<Letter>) -> Turn {
        let (judged, left) = (BTreeMap::new(), BTreeSet::new());
        let (others, has_moved, is_troubled) = (Judged::fine(), false, false);
        Turn { table, letters, judged, others, left, has_moved, is_troubled }
    }

    /// What became of a file. `None`: it is for a later turn.
    pub(super) fn judged(&self, name: &str) -> Option<Judged> {
        match self.judged.get(name) {
            Some(judged) => Some(judged.clone()),
            None if self.left.contains(name) => None,
            None => Some(self.others.clone()),
        }
    }

    /// A turn in which no file has left `data/in/` would be followed by the same one again. So the
    /// table is left alone a while, and the messages of the files behind are given back.
    fn end(&mut self) {
        if self.has_moved || self.left.is_empty() {
            return;
        }
        self.is_troubled = true;
        let reason = Reason {
            error: "the files before it, of which none can be loaded now, fill a turn".to_owned(),
            table: self.table.clone(),
            ..Reason::default()
        };
        for name in std::mem::take(&mut self.left) {
            let returned = Judged { verdict: Verdict::Return, reason: Some(reason.clone()) };
            self.judged.insert(name, returned);
        }
    }

    fn knows(&self, name: &str) -> bool {
        self.judged.contains_key(name) || self.left.contains(name)
    }
}

/// Gives tables their turns.
pub(crate) struct Giver<'a> {
    pub(crate) grounds: &'a Grounds,
    pub(crate) board: &'a Board,
    pub(crate) bounds: Bounds,
    pub(crate) stops: Stops,
}

impl Giver<'_> {
    /// Loads the first files of a table.
    pub(super) async fn turn(&self, queue: Queue, letters: Vec<Letter>) -> Turn {
        let mut turn = Turn::of(queue.table.clone(), letters);
        let queue = self.taken_up(queue, &mut turn).await;
        if !queue.files.is_empty() {
            self.load(queue, &mut turn).await;
        }
        turn.end();
        self.judge_absent(&mut turn).await;
        turn
    }

    /// Lets the ledger forget old loads, where the settings want that. `oldest`: when the oldest file
    /// in `data/in/` came.
    pub(super) async fn forget(&self, oldest: Option<Timestamp>) {
        let Grounds { project, place, .. } = self.grounds;
        let forgotten = match Forgetting::of(project, project.tables(), oldest) {
            Ok(forgetting) => forgetting.forget(place, &self.stops.before_next).await,
            Err(error) => Err(error),
        };
        match forgotten {
            Ok(old) if old.is_empty() => {}
            Ok(old) => {
                let loads = old.iter().map(|old| old.loads).sum::<u64>();
                tracing::info!(loads, tables = old.len(), "old loads were forgotten");
            }
            Err(error) => tracing::warn!(%error, "old loads were not forgotten today"),
        }
    }

    /// No file of the table lies in `data/in/` any more.
    pub(super) async fn absent(&self, table: String, letters: Vec<Letter>) -> Turn {
        let mut turn = Turn::of(table, letters);
        self.judge_absent(&mut turn).await;
        turn
    }

    /// The files that this turn takes up, in their order. The others are left, or for another
    /// program, and with one that is so are those behind it, where the order counts.
    async fn taken_up(&self, queue: Queue, turn: &mut Turn) -> Queue {
        let settings = self.grounds.project.of_table(&queue.table, None).ok();
        let order = settings.as_ref().and_then(|all| all.file_order).unwrap_or_default();
        let counts = settings.as_ref().is_some_and(|settings| !job::any_order(settings));
        let mut queue = queue.in_order(order);
        let largest = self.bounds.largest_file;
        let mut behind: Option<String> = None;
        queue.files.retain(|file| {
            let is_behind = counts && behind.is_some();
            if file.size_bytes <= largest && !is_behind {
                return true;
            }
            let first = behind.get_or_insert_with(|| file.name.clone());
            let is_told_of = turn.letters.iter().any(|letter| letter.tells_of(&file.name));
            if !is_told_of {
                tracing::warn!(file = %file.name, table = %turn.table, "{NOT_HERE}");
            }
            turn.judged.insert(file.name.clone(), handed_over(&turn.table, file, first, largest));
            false
        });
        let mut count = self.count(&queue.files, |_| false);
        if count < queue.files.len() {
            // Files that are held stay where they are, and must not fill each turn again and again.
            let backlog = Backlog { queues: vec![queue.clone()], ..Backlog::default() };
            let held = held::read_all(&self.grounds.place, &backlog).await.unwrap_or_default();
            count = self.count(&queue.files, |file| held.contains_key(&file.name));
        }
        let left = queue.files.split_off(count);
        turn.left = left.into_iter().map(|file| file.name).collect();
        queue
    }

    /// How many of a table's next files are loaded in one turn; at least one, if there is one.
    /// `is_held`: which of them need no room.
    fn count(&self, files: &[PendingFile], is_held: impl Fn(&PendingFile) -> bool) -> usize {
        let (mut n, mut bytes) = (0, 0u64);
        let fits = |file: &&PendingFile| {
            if is_held(file) {
                return true;
            }
            (n, bytes) = (n + 1, bytes.saturating_add(file.size_bytes));
            n <= self.bounds.files && bytes <= self.bounds.bytes
        };
        files.iter().take_while(fits).count().max(1).min(files.len())
    }

    async fn load(&self, queue: Queue, turn: &mut Turn) {
        let Grounds { project, place, logs, .. } = self.grounds;
        self.board.begins(&turn.table, &queue.files);
        let backlog = Backlog { queues: vec![queue], ..Backlog::default() };
        let (doing, stops) = (Doing::Load(Again::IfChanged), self.stops.clone());
        match backlog::load(project, place, backlog, doing, stops, logs).await {
            Ok(outcomes) => {
                self.board.ended(&turn.table, &outcomes.files);
                // Where a file that is gone went, is found out like that of any other.
                let there = outcomes.files.iter().filter(|file| !matches!(file.end, End::Gone));
                turn.judged.extend(there.map(|file| (file.name.clone(), judged(file))));
                let passes = |file: &FileOutcome| Verdict::of(file.exit_code()) == Verdict::Return;
                turn.is_troubled = outcomes.files.iter().any(passes);
                turn.has_moved = outcomes.files.iter().any(has_left);
                self.hand_over_what_was_broken_off(&outcomes.files, turn);
            }
            Err(error) => {
                tracing::warn!(%error, table = %turn.table, "the table's turn failed");
                self.board.ended(&turn.table, &[]);
                let reason = Reason { error: error.to_string(), ..Reason::default() };
                turn.others = Judged { verdict: Verdict::Return, reason: Some(reason) };
                turn.is_troubled = true;
            }
        }
    }

    /// A load that was broken off because the time was up would be again, where it is the first one:
    /// it is for a program that has the time.
    fn hand_over_what_was_broken_off(&self, files: &[FileOutcome], turn: &mut Turn) {
        if !self.bounds.hands_over || self.stops.at_once.check().is_ok() {
            return;
        }
        let broken_off = Kind::Interrupted(SIGTERM).exit_code();
        for file in files.iter().filter(|file| file.exit_code() == broken_off) {
            let reason = Reason {
                error: "its load did not end in the time of an invocation".to_owned(),
                table: turn.table.clone(),
                ..Reason::default()
            };
            let judged = Judged { verdict: Verdict::HandOver, reason: Some(reason) };
            turn.judged.insert(file.name.clone(), judged);
        }
    }

    /// Judges files that are told of and do not lie in `data/in/` any more: they were loaded or taken
    /// away, or else they were put aside, by this program or another. (For example, one that was
    /// killed before it could say so.)
    async fn judge_absent(&self, turn: &mut Turn) {
        if turn.others != Judged::fine() {
            return;
        }
        let told = turn.letters.iter().flat_map(|letter| letter.files_of(&turn.table));
        let absent: Vec<(String, Option<Timestamp>)> = told
            .filter(|(name, _)| !turn.knows(name))
            .map(|(name, written_at)| (name.to_owned(), written_at))
            .collect();
        for (name, written_at) in absent {
            let Some(written_at) = written_at else { continue };
            match aside::of_name_since(&self.grounds.place, &name, written_at).await {
                Ok(None) => {}
                Ok(Some(uri)) => {
                    let reason = Reason::put_aside(&turn.table, &uri);
                    let dead = Judged { verdict: Verdict::DeadLetter, reason: Some(reason) };
                    turn.judged.insert(name, dead);
                }
                Err(error) => {
                    let reason = Reason { error: error.to_string(), ..Reason::default() };
                    let returned = Judged { verdict: Verdict::Return, reason: Some(reason) };
                    turn.judged.insert(name, returned);
                }
            }
        }
    }
}

fn judged(file: &FileOutcome) -> Judged {
    let verdict = match &file.end {
        End::Waits { .. } => Verdict::Return,
        end => Verdict::of(end.exit_code()),
    };
    let run_id = match &file.end {
        End::Ran(report) => report.run_id.clone(),
        End::Held(held) => held.run_id.clone(),
        _ => String::new(),
    };
    let reason = file.error().map(|error| Reason {
        error,
        table: file.table.clone().unwrap_or_default(),
        run_id,
        exit_code: Some(file.exit_code()),
    });
    Judged { verdict, reason }
}

/// A file is for another program. `first`: the file for which it is so.
fn handed_over(table: &str, file: &PendingFile, first: &str, largest: u64) -> Judged {
    let error = match file.size_bytes > largest {
        true => format!("the file has {} bytes, more than {largest}", file.size_bytes),
        false => format!("the file comes after {first}, which has more than {largest} bytes"),
    };
    let reason = Reason { error, table: table.to_owned(), ..Reason::default() };
    Judged { verdict: Verdict::HandOver, reason: Some(reason) }
}
