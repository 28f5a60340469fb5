//! `loader watch`: files are loaded as they come, until somebody stops it.
//!
//! A message of the queue is a doorbell: it says for which table something has come, and what is
//! loaded is what lies in `data/in/` then, in its order. So it does no harm when messages come
//! twice, late, or not at all; now and then all tables are looked at without one.
//!
//! In the order of the work: `post` receives messages, `events` and `letter` say which files they
//! tell of, `turns` says which table is next, `verdict` what becomes of a message. `board` is what
//! goes on now, and `http` shows it.

pub(crate) mod board;
mod events;
pub(crate) mod figures;
pub(crate) mod http;
mod letter;
mod listing;
mod now;
pub(crate) mod post;
mod turns;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use loader_aws::sqs::Message;
use loader_aws::stop::Stop;
use loader_model::error::Result;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::MissedTickBehavior;

use crate::backlog;
use crate::backlog::aside;
use crate::backlog::doing::{Again, Doing, Stops};
use crate::backlog::outcome::{End, FileOutcome};
use crate::backlog::pending::{self, Backlog, PendingFile, Queue};
use crate::backlog::place::Place;
use crate::feeds::Feeds;
use crate::job::Project;
use crate::report::log::Logs;
use crate::service::board::Board;
use crate::service::letter::{Judged, Letter, Reason};
use crate::service::listing::Listing;
use crate::service::post::Post;
use crate::service::turns::{Asked, Turns};
use crate::service::verdict::Verdict;

/// Files of a table that are loaded in one turn, and their bytes. Then others have theirs.
const FILES_OF_A_TURN: usize = 20_000;
const BYTES_OF_A_TURN: u64 = 10 << 30;
/// When all tables are looked at after the bucket could not be listed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Loads what comes.
pub(crate) struct Service<'a> {
    pub(crate) project: Arc<Project>,
    pub(crate) place: Place,
    pub(crate) feeds: Feeds,
    pub(crate) logs: &'a Logs,
    /// Tables that are loaded at once.
    pub(crate) parallel: usize,
    /// How often all tables are looked at.
    pub(crate) every: Duration,
    pub(crate) post: Option<Post>,
    pub(crate) board: Arc<Board>,
    /// The wish to begin nothing more. What goes on is brought to its end.
    pub(crate) stop: Stop,
}

/// Something that has ended.
enum Event {
    /// The bucket was listed, for these tables.
    Looked(Asked, Instant, Result<Backlog>),
    TurnEnded(Turn),
    /// A table had no files when the bucket was listed.
    Absent(Turn),
    Settled,
}

/// The turn of a table: what became of its files, and the messages that wait for it.
struct Turn {
    table: String,
    letters: Vec<Letter>,
    /// By the names of the files.
    judged: BTreeMap<String, Judged>,
    /// What holds for all files that are neither judged nor left. (For example, the warehouse could
    /// not be reached.)
    others: Judged,
    /// Files that were listed, and are for a later turn.
    left: BTreeSet<String>,
    /// Whether a file, or all of them, failed in a way that passes: the table is left alone a while.
    is_troubled: bool,
}

type Work<'a> = FuturesUnordered<LocalBoxFuture<'a, Event>>;

impl Service<'_> {
    /// Loads what comes, until it is time to stop and nothing goes on any more.
    pub(crate) async fn run(&self, mut mail: UnboundedReceiver<Message>) {
        let (mut turns, mut work, mut is_looking) = (Turns::default(), Work::new(), false);
        let mut listing: Option<Listing> = None;
        let mut rounds = tokio::time::interval(self.every);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            while let Ok(message) = mail.try_recv() {
                self.open(message, &mut turns, &work);
            }
            let is_stopping = self.stop.check().is_err();
            if is_stopping {
                self.give_back(turns.take_letters(), &work);
                if work.is_empty() {
                    return;
                }
            } else {
                self.begin_by_the_last(&mut listing, &mut turns, &work);
                if !is_looking
                    && turns.at_work() < self.parallel
                    && let Some(asked) = turns.ask(Instant::now())
                {
                    is_looking = true;
                    work.push(self.look(asked).boxed_local());
                }
            }
            let next_ready = turns.next_ready(Instant::now());
            tokio::select! {
                Some(event) = work.next(), if !work.is_empty() => match event {
                    Event::Looked(asked, begun_at, backlog) => {
                        is_looking = false;
                        if is_stopping {
                            let letters = asked.tables.into_iter().flat_map(|(_, letters)| letters);
                            self.give_back(letters.collect(), &work);
                            continue;
                        }
                        if backlog.is_err() {
                            rounds.reset_after(self.every.min(AFTER_FAILURE));
                        }
                        listing = self.begin(asked, begun_at, backlog, &mut turns, &work);
                    }
                    Event::TurnEnded(turn) => {
                        // What was listed during the turn has files that it has taken up.
                        listing.as_mut().map(|listing| listing.take(&turn.table));
                        turns.end(&turn.table, turn.is_troubled, Instant::now());
                        self.judge(turn, &mut turns, &work);
                    }
                    Event::Absent(turn) => self.judge(turn, &mut turns, &work),
                    Event::Settled => {}
                },
                Some(message) = mail.recv() => self.open(message, &mut turns, &work),
                _ = rounds.tick(), if !is_stopping => turns.want_all(),
                () = until(next_ready), if !is_stopping => {}
                _ = self.stop.wanted(), if !is_stopping => {}
            }
        }
    }

    fn open<'a>(&'a self, message: Message, turns: &mut Turns, work: &Work<'a>) {
        let letter = Letter::open(message, &self.place.bucket, &self.feeds);
        self.pass_on(vec![letter], turns, work);
    }

    /// Messages wait for their next table, or else are settled.
    fn pass_on<'a>(&'a self, letters: Vec<Letter>, turns: &mut Turns, work: &Work<'a>) {
        let mut judged = Vec::new();
        for letter in letters {
            match letter.next_table().map(str::to_owned) {
                Some(table) => turns.add(&table, letter),
                None => judged.push(letter),
            }
        }
        if let Some(post) = self.post.as_ref().filter(|_| !judged.is_empty()) {
            judged.iter().for_each(|letter| self.board.settled(letter.judged.verdict));
            work.push(async { post.settle(judged).await }.map(|()| Event::Settled).boxed_local());
        }
    }

    fn give_back<'a>(&'a self, letters: Vec<Letter>, work: &Work<'a>) {
        if let Some(post) = self.post.as_ref().filter(|_| !letters.is_empty()) {
            let back = async { post.give_back(letters).await };
            work.push(back.map(|()| Event::Settled).boxed_local());
        }
    }

    async fn look(&self, asked: Asked) -> Event {
        let begun_at = Instant::now();
        let backlog = pending::list(&self.place, &self.feeds).await;
        Event::Looked(asked, begun_at, backlog)
    }

    /// Begins turns by the last listing, as long as it is fresh.
    fn begin_by_the_last<'a>(
        &'a self,
        last: &mut Option<Listing>,
        turns: &mut Turns,
        work: &Work<'a>,
    ) {
        let now = Instant::now();
        let Some(listing) = last.as_mut().filter(|listing| listing.is_fresh(now)) else { return };
        while turns.at_work() < self.parallel
            && let Some((table, letters)) = turns.next_of(listing, now)
            && let Some(queue) = listing.take(&table)
        {
            turns.begin(&table);
            work.push(self.turn(queue, letters).boxed_local());
        }
    }

    /// Begins the turns of the tables that were asked for, as many as may be at work, and gives what
    /// was listed for others.
    fn begin<'a>(
        &'a self,
        asked: Asked,
        begun_at: Instant,
        backlog: Result<Backlog>,
        turns: &mut Turns,
        work: &Work<'a>,
    ) -> Option<Listing> {
        let now = Instant::now();
        let mut listing = match backlog {
            Ok(backlog) => {
                self.board.looked(&backlog);
                Listing::new(begun_at, now, backlog.queues)
            }
            Err(error) => {
                tracing::warn!(%error, "the bucket could not be listed");
                self.board.could_not_look(&error);
                for (table, letters) in asked.tables.into_iter().rev() {
                    turns.pause(&table, now);
                    turns.put_back(&table, letters);
                }
                return None;
            }
        };
        let mut tables = asked.tables;
        if asked.all {
            let is_asked = |table: &str| tables.iter().any(|(asked, _)| asked == table);
            let others: Vec<String> = listing
                .tables()
                .filter(|table| !is_asked(table) && turns.is_ready(table, now))
                .map(str::to_owned)
                .collect();
            tables.extend(others.into_iter().map(|table| (table, Vec::new())));
        }
        let mut later = Vec::new();
        for (table, letters) in tables {
            // It may have had a turn by the listing before this one.
            if !turns.is_ready(&table, now) {
                later.push((table, letters));
            } else if !listing.has(&table) {
                if !letters.is_empty() {
                    work.push(self.absent(table, letters).boxed_local());
                }
            } else if turns.at_work() < self.parallel
                && let Some(queue) = listing.take(&table)
            {
                turns.begin(&table);
                work.push(self.turn(queue, letters).boxed_local());
            } else {
                later.push((table, letters));
            }
        }
        // In front of those that have asked since then, in their order.
        later.into_iter().rev().for_each(|(table, letters)| turns.put_back(&table, letters));
        Some(listing)
    }

    /// No file of the table lies in `data/in/` any more.
    async fn absent(&self, table: String, letters: Vec<Letter>) -> Event {
        let judged = self.judge_absent(&table, &letters, |_| false).await;
        let (others, left) = (Judged::fine(), BTreeSet::new());
        Event::Absent(Turn { table, letters, judged, others, left, is_troubled: false })
    }

    /// Loads the first files of a table.
    async fn turn(&self, queue: Queue, letters: Vec<Letter>) -> Event {
        let table = queue.table.clone();
        let order = self.project.of_table(&table, None).ok().and_then(|all| all.file_order);
        let mut queue = queue.in_order(order.unwrap_or_default());
        let left = queue.files.split_off(files_of_a_turn(&queue.files));
        let left: BTreeSet<String> = left.into_iter().map(|file| file.name).collect();
        self.board.begins(&table, &queue.files);
        let backlog = Backlog { queues: vec![queue], ..Backlog::default() };
        let doing = Doing::Load(Again::IfChanged);
        let stops = Stops { before_next: self.stop.clone(), at_once: Stop::never() };
        let loaded =
            backlog::load(&self.project, &self.place, backlog, doing, stops, self.logs).await;
        match loaded {
            Ok(outcomes) => {
                self.board.ended(&table, &outcomes.files);
                // Where a file that is gone went, is found out like that of any other.
                let there = outcomes.files.iter().filter(|file| !matches!(file.end, End::Gone));
                let judged = there.map(|file| (file.name.clone(), judged(file)));
                let mut judged: BTreeMap<String, Judged> = judged.collect();
                let passes = |file: &FileOutcome| Verdict::of(file.exit_code()) == Verdict::Return;
                let is_troubled = outcomes.files.iter().any(passes);
                let is_known = |name: &str| judged.contains_key(name) || left.contains(name);
                let absent = self.judge_absent(&table, &letters, is_known).await;
                judged.extend(absent);
                let others = Judged::fine();
                Event::TurnEnded(Turn { table, letters, judged, others, left, is_troubled })
            }
            Err(error) => {
                tracing::warn!(%error, %table, "the table's turn failed");
                self.board.ended(&table, &[]);
                let reason = Reason { error: error.to_string(), ..Reason::default() };
                let others = Judged { verdict: Verdict::Return, reason: Some(reason) };
                let (judged, is_troubled) = (BTreeMap::new(), true);
                Event::TurnEnded(Turn { table, letters, judged, others, left, is_troubled })
            }
        }
    }

    /// Judges files that are told of and do not lie in `data/in/` any more: they were loaded or taken
    /// away, or else they were put aside, by this program or another. (For example, one that was
    /// killed before it could say so.)
    async fn judge_absent(
        &self,
        table: &str,
        letters: &[Letter],
        is_known: impl Fn(&str) -> bool,
    ) -> BTreeMap<String, Judged> {
        let told = letters.iter().flat_map(|letter| letter.files_of(table));
        let absent: Vec<(&str, Option<Timestamp>)> =
            told.filter(|(name, _)| !is_known(name)).collect();
        let mut judged = BTreeMap::new();
        for (name, written_at) in absent {
            let Some(written_at) = written_at else { continue };
            match aside::of_name_since(&self.place, name, written_at).await {
                Ok(None) => {}
                Ok(Some(uri)) => {
                    let reason = Reason::put_aside(table, &uri);
                    let dead = Judged { verdict: Verdict::DeadLetter, reason: Some(reason) };
                    judged.insert(name.to_owned(), dead);
                }
                Err(error) => {
                    let reason = Reason { error: error.to_string(), ..Reason::default() };
                    let returned = Judged { verdict: Verdict::Return, reason: Some(reason) };
                    judged.insert(name.to_owned(), returned);
                }
            }
        }
        judged
    }

    fn judge<'a>(&'a self, turn: Turn, turns: &mut Turns, work: &Work<'a>) {
        let Turn { table, mut letters, judged, others, left, .. } = turn;
        for letter in &mut letters {
            letter.judge_files(&table, |name| match judged.get(name) {
                Some(judged) => Some(judged.clone()),
                None if left.contains(name) => None,
                None => Some(others.clone()),
            });
        }
        if !left.is_empty() {
            turns.want(&table);
        }
        self.pass_on(letters, turns, work);
    }
}

/// How many of a table's next files are loaded in one turn; at least one.
fn files_of_a_turn(files: &[PendingFile]) -> usize {
    let mut bytes = 0u64;
    let fits = |file: &&PendingFile| {
        bytes = bytes.saturating_add(file.size_bytes);
        bytes <= BYTES_OF_A_TURN
    };
    let first = files.iter().take(FILES_OF_A_TURN).take_while(fits).count();
    first.max(1).min(files.len())
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

/// Waits for an instant; for ever where there is none.
async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}
