//! Files are loaded as they come: by `loader watch`, until somebody stops it, or for an invocation of
//! the Lambda function, until what it brought is done.
//!
//! A message of the queue is a doorbell: it says for which table something has come, and what is
//! loaded is what lies in `data/in/` then, in its order. So it does no harm when messages come
//! twice, late, or not at all; now and then all tables are looked at without one.
//!
//! In the order of the work: `post` receives messages, `invocation` reads those that Lambda has
//! received, `events` and `letter` say which files they tell of, `turns` says which table is next,
//! `turn` loads its files, `verdict` says what becomes of a message, and `desk` sends it there.
//! `board` is what goes on now, and `http` shows it.

pub(crate) mod board;
pub(crate) mod desk;
mod events;
pub(crate) mod gauges;
pub(crate) mod grounds;
pub(crate) mod http;
pub(crate) mod invocation;
mod letter;
mod listing;
mod now;
pub(crate) mod post;
pub(crate) mod rounds;
pub(crate) mod turn;
mod turns;
mod verdict;

use std::time::{Duration, Instant};

use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use loader_aws::sqs::Message;
use loader_model::error::{Error, Result};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::backlog::pending::{self, Backlog};
use crate::figures;
use crate::service::desk::{Desk, Settled};
use crate::service::letter::Letter;
use crate::service::listing::Listing;
use crate::service::rounds::{Course, Rounds};
use crate::service::turn::{Giver, Turn};
use crate::service::turns::{Asked, Turns};

/// Loads what comes.
pub(crate) struct Service<'a> {
    pub(crate) giver: Giver<'a>,
    /// Tables that are loaded at once.
    pub(crate) parallel: usize,
    pub(crate) course: Course,
    pub(crate) desk: &'a Desk,
    /// Hears of messages that are settled.
    pub(crate) settled: &'a dyn Fn(Settled),
}

/// How often old loads are forgotten.
const FORGETS_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// Something that has ended.
enum Event {
    /// The bucket was listed, for these tables.
    Looked(Asked, Instant, Result<Backlog>),
    TurnEnded(Turn),
    /// A table had no files when the bucket was listed.
    Absent(Turn),
    Settled(Settled),
    /// Old loads were forgotten.
    Forgot,
}

/// What a service has in hand.
struct Going<'a> {
    turns: Turns,
    work: FuturesUnordered<LocalBoxFuture<'a, Event>>,
    /// The last listing, for turns that begin while it is fresh.
    listing: Option<Listing>,
    is_looking: bool,
    rounds: Rounds,
    /// When old loads were last forgotten.
    forgot_at: Option<Instant>,
}

impl Service<'_> {
    /// Loads what comes, until its course is over, or until it is time to stop and nothing goes on
    /// any more.
    pub(crate) async fn run(&self, mut mail: UnboundedReceiver<Message>) {
        let stop = &self.giver.stops.before_next;
        let mut going = Going {
            turns: Turns::default(),
            work: FuturesUnordered::new(),
            listing: None,
            is_looking: false,
            rounds: Rounds::of(self.course),
            forgot_at: None,
        };
        if self.course == (Course::Once { all: true }) {
            going.turns.want_all();
        }
        loop {
            while let Ok(message) = mail.try_recv() {
                self.open(message, &mut going);
            }
            // One moment for all questions of this lap: a pause that ended between two of them would
            // wake the service for no table.
            let now = Instant::now();
            let is_stopping = stop.check().is_err();
            match is_stopping {
                true => self.give_back(going.turns.take_letters(), &mut going),
                false => self.begin_what_may_begin(now, &mut going),
            }
            let is_done = self.is_for_once() && going.turns.want_nothing();
            if going.work.is_empty() && (is_stopping || is_done) {
                return;
            }
            let next_ready = going.turns.next_ready(now);
            tokio::select! {
                Some(event) = going.work.next(), if !going.work.is_empty() => {
                    self.take(event, is_stopping, &mut going);
                }
                Some(message) = mail.recv() => self.open(message, &mut going),
                () = going.rounds.next(), if !is_stopping => going.turns.want_all(),
                () = until(next_ready), if !is_stopping => {}
                _ = stop.wanted(), if !is_stopping => {}
            }
        }
    }

    fn is_for_once(&self) -> bool {
        matches!(self.course, Course::Once { .. })
    }

    /// Takes in what has ended.
    fn take<'a>(&'a self, event: Event, is_stopping: bool, going: &mut Going<'a>) {
        match event {
            Event::Looked(asked, begun_at, backlog) => {
                going.is_looking = false;
                match backlog {
                    _ if is_stopping => self.give_back(asked.letters(), going),
                    Ok(backlog) => self.begin(asked, begun_at, backlog, going),
                    Err(error) => self.could_not_look(asked, &error, going),
                }
            }
            Event::TurnEnded(turn) => {
                // What was listed during the turn has files that it has taken up.
                going.listing.as_mut().map(|listing| listing.take(&turn.table));
                going.turns.end(&turn.table, turn.is_troubled, Instant::now());
                self.judge(turn, going);
            }
            Event::Absent(turn) => self.judge(turn, going),
            Event::Settled(settled) => (self.settled)(settled),
            Event::Forgot => {}
        }
    }

    fn open<'a>(&'a self, message: Message, going: &mut Going<'a>) {
        let grounds = self.giver.grounds;
        let letter = Letter::open(message, &grounds.place.bucket, &grounds.feeds);
        self.pass_on(vec![letter], going);
    }

    /// Messages wait for their next table, or else are settled.
    fn pass_on<'a>(&'a self, letters: Vec<Letter>, going: &mut Going<'a>) {
        let mut judged = Vec::new();
        for letter in letters {
            match letter.next_table().map(str::to_owned) {
                Some(table) => going.turns.add(&table, letter),
                None => judged.push(letter),
            }
        }
        if !judged.is_empty() {
            let figures = figures::of_process();
            judged.iter().for_each(|letter| figures.settled(letter.judged.verdict.word()));
            going.work.push(self.desk.settle(judged).map(Event::Settled).boxed_local());
        }
    }

    /// Gives messages back that had no turn. A watcher that stops gives them to others at once; those
    /// of an invocation stay away a while, since what was in their way is there still.
    fn give_back<'a>(&'a self, mut letters: Vec<Letter>, going: &mut Going<'a>) {
        if self.is_for_once() && !letters.is_empty() {
            letters.iter_mut().for_each(Letter::had_no_turn);
            going.work.push(self.desk.settle(letters).map(Event::Settled).boxed_local());
        } else if !letters.is_empty() {
            going.work.push(self.desk.give_back(letters).map(Event::Settled).boxed_local());
        }
    }

    /// Looks at the bucket, where a table wants that, and gives tables their turns.
    fn begin_what_may_begin<'a>(&'a self, now: Instant, going: &mut Going<'a>) {
        self.begin_by_the_last(now, going);
        let may_look = !going.is_looking && going.turns.at_work() < self.parallel;
        if may_look && let Some(asked) = going.turns.ask(now) {
            going.is_looking = true;
            going.work.push(self.look(asked).boxed_local());
        }
    }

    async fn look(&self, asked: Asked) -> Event {
        let begun_at = Instant::now();
        let grounds = self.giver.grounds;
        let backlog = pending::list(&grounds.place, &grounds.feeds).await;
        Event::Looked(asked, begun_at, backlog)
    }

    /// All tables are looked at soon. What is for once ends, and its messages come again.
    fn could_not_look<'a>(&'a self, asked: Asked, error: &Error, going: &mut Going<'a>) {
        tracing::warn!(%error, "the bucket could not be listed");
        self.giver.board.could_not_look(error);
        going.listing = None;
        if self.is_for_once() {
            return self.give_back(asked.letters(), going);
        }
        going.rounds.sooner();
        let now = Instant::now();
        for (table, letters) in asked.tables.into_iter().rev() {
            going.turns.pause(&table, now);
            going.turns.put_back(&table, letters);
        }
    }

    /// Begins turns by the last listing, as long as it is fresh.
    fn begin_by_the_last<'a>(&'a self, now: Instant, going: &mut Going<'a>) {
        let Going { turns, work, listing, .. } = going;
        let Some(listing) = listing.as_mut().filter(|listing| listing.is_fresh(now)) else {
            return;
        };
        while turns.at_work() < self.parallel
            && let Some((table, letters)) = turns.next_of(listing, now)
            && let Some(queue) = listing.take(&table)
        {
            turns.begin(&table);
            work.push(self.giver.turn(queue, letters).map(Event::TurnEnded).boxed_local());
        }
    }

    /// Begins the turns of the tables that were asked for, as many as may be at work, and keeps what
    /// was listed for others.
    fn begin<'a>(
        &'a self,
        asked: Asked,
        begun_at: Instant,
        backlog: Backlog,
        going: &mut Going<'a>,
    ) {
        let now = Instant::now();
        self.giver.board.looked(&backlog);
        let is_day = going.forgot_at.is_none_or(|at| at.elapsed() >= FORGETS_EVERY);
        if asked.all && !self.is_for_once() && is_day {
            going.forgot_at = Some(now);
            let forgot = self.giver.forget(backlog.oldest());
            going.work.push(forgot.map(|()| Event::Forgot).boxed_local());
        }
        let mut listing = Listing::new(begun_at, now, backlog.queues);
        let Going { turns, work, .. } = going;
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
                    let absent = self.giver.absent(table, letters);
                    work.push(absent.map(Event::Absent).boxed_local());
                }
            } else if turns.at_work() < self.parallel
                && let Some(queue) = listing.take(&table)
            {
                turns.begin(&table);
                work.push(self.giver.turn(queue, letters).map(Event::TurnEnded).boxed_local());
            } else {
                later.push((table, letters));
            }
        }
        // In front of those that have asked since then, in their order.
        later.into_iter().rev().for_each(|(table, letters)| turns.put_back(&table, letters));
        going.listing = Some(listing);
    }

    fn judge<'a>(&'a self, mut turn: Turn, going: &mut Going<'a>) {
        let mut letters = std::mem::take(&mut turn.letters);
        for letter in &mut letters {
            letter.judge_files(&turn.table, |name| turn.judged(name));
        }
        if !turn.left.is_empty() {
            going.turns.want(&turn.table);
        }
        self.pass_on(letters, going);
    }
}

/// Waits for an instant; for ever where there is none.
async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}
