//! A day, second by second.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::arrivals::{Numbers, SECONDS, busy};
use super::came_to::Day;
use super::model::{Plan, takes};

/// Files of a table that came in one second.
struct Arrived {
    at: f64,
    files: u64,
}

#[derive(Default)]
struct Table {
    pending: VecDeque<Arrived>,
    files: u64,
    is_wanted: bool,
    is_at_work: bool,
}

/// What was used in an hour.
#[derive(Clone, Copy, Default)]
struct Hour {
    lane_seconds: f64,
    commit_seconds: f64,
    ledger_seconds: f64,
    listings: f64,
    batches: f64,
    results: f64,
    writes: f64,
    reads: f64,
}

/// A table's turn.
struct Turn {
    table: usize,
    /// Files that are still to be loaded, and those of the load that goes on.
    left: u64,
    files: u64,
}

/// What a turn waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Its files are read and staged.
    Read,
    /// The catalog and the ledger have answered.
    Asked,
    /// The rows are in the table, and not committed.
    Merged,
    Committed,
}

/// In the order of their times: the services take what comes first.
type Events = BinaryHeap<Reverse<(u64, usize, Phase)>>;

struct Simulation<'a> {
    plan: &'a Plan,
    tables: Vec<Table>,
    /// Tables that want a turn, in the order in which they asked.
    wanted: VecDeque<usize>,
    turns: Vec<Option<Turn>>,
    events: Events,
    at_work: usize,
    pending: u64,
    /// How long the last listing is fresh.
    listed_until: f64,
    /// When the commit queue is free, and when the Data API takes the next request of a kind.
    commits_until: f64,
    /// When the ledger of each schema can be written to.
    ledgers_until: Vec<f64>,
    batches_until: f64,
    results_until: f64,
    ledger_rows: f64,
    hours: Vec<Hour>,
    /// Waits of files, in seconds, with how many waited so long.
    waits: Vec<(f64, u64)>,
    day: Day,
}

/// Simulates the third year's last day of a plan.
pub(super) fn simulate(plan: &Plan) -> Day {
    let mut simulation = Simulation {
        plan,
        tables: (0..plan.tables).map(|_| Table::default()).collect(),
        wanted: VecDeque::new(),
        turns: (0..plan.lanes()).map(|_| None).collect(),
        events: Events::new(),
        at_work: 0,
        pending: 0,
        commits_until: 0.0,
        ledgers_until: vec![0.0; plan.schemas],
        listed_until: 0.0,
        batches_until: 0.0,
        results_until: 0.0,
        ledger_rows: plan.ledger_rows(),
        hours: vec![Hour::default(); 24],
        waits: Vec::new(),
        day: Day::default(),
    };
    simulation.run();
    simulation.conclude()
}

impl Simulation<'_> {
    fn run(&mut self) {
        // A few tables have most of the files: the second has half as many as the first, and so on.
        let weights: Vec<f64> =
            (0..self.plan.tables).map(|rank| 1.0 / (rank as f64 + 10.0)).collect();
        let sum: f64 = weights.iter().sum();
        let mut ends = Vec::with_capacity(weights.len());
        let mut end = 0.0;
        for weight in weights {
            end += weight / sum;
            ends.push(end);
        }
        let (mut numbers, mut due) = (Numbers::default(), 0.0);
        for second in 0..SECONDS {
            let now = second as f64;
            due += self.plan.files_a_day / SECONDS as f64 * busy(now);
            while due >= 1.0 {
                due -= 1.0;
                let wanted = numbers.below_one();
                let table = ends.partition_point(|end| *end < wanted).min(self.tables.len() - 1);
                self.arrive(table, now);
            }
            self.forget(second);
            self.pass(now);
            self.begin_turns(now);
            self.hour(now).lane_seconds += self.at_work as f64;
            self.day.most_pending = self.day.most_pending.max(self.pending);
        }
        self.day.left = self.pending;
        for table in &mut self.tables {
            let waits = table.pending.drain(..);
            self.waits.extend(waits.map(|first| (SECONDS as f64 - first.at, first.files)));
        }
    }

    /// Old loads are forgotten: by a fence each second, and by the ledgers a statement for some
    /// tables at a time, which keeps loads from writing to it.
    fn forget(&mut self, second: usize) {
        if self.plan.ledger_days <= 0.0 || second >= self.plan.tables {
            return;
        }
        let now = second as f64;
        self.commit(now, now);
        if second.is_multiple_of(takes::FORGOTTEN_AT_ONCE) {
            let schema = self.schema_of(second);
            let took = 2.0 * self.ledger_rows / takes::LEDGER_ROWS;
            let begun = self.ledgers_until[schema].max(now);
            let committed = self.commit(begun + took, now);
            self.ledgers_until[schema] = committed;
            self.hour(now).ledger_seconds += committed - begun;
        }
    }

    /// A commit has its turn after those that are asked for, and not before `from`. Returns its end.
    fn commit(&mut self, from: f64, now: f64) -> f64 {
        self.commits_until = self.commits_until.max(from) + self.plan.commit;
        self.hour(now).commit_seconds += self.plan.commit;
        self.commits_until
    }

    fn schema_of(&self, table: usize) -> usize {
        table % self.plan.schemas
    }

    fn arrive(&mut self, table: usize, now: f64) {
        self.day.files += 1;
        self.pending += 1;
        let of_table = &mut self.tables[table];
        of_table.files += 1;
        match of_table.pending.back_mut() {
            Some(last) if last.at == now => last.files += 1,
            _ => of_table.pending.push_back(Arrived { at: now, files: 1 }),
        }
        self.want(table);
    }

    fn want(&mut self, table: usize) {
        let of_table = &mut self.tables[table];
        if !of_table.is_wanted && !of_table.is_at_work {
            of_table.is_wanted = true;
            self.wanted.push_back(table);
        }
    }

    /// Everything that has come to its end by now, in order.
    fn pass(&mut self, now: f64) {
        while let Some(Reverse((at, lane, phase))) = self.events.peek().copied() {
            let at = at as f64 / 1000.0;
            if at > now {
                return;
            }
            self.events.pop();
            self.step(at, lane, phase);
        }
    }

    fn wait(&mut self, until: f64, lane: usize, phase: Phase) {
        self.events.push(Reverse(((until * 1000.0).ceil() as u64, lane, phase)));
    }

    fn step(&mut self, at: f64, lane: usize, phase: Phase) {
        let Some(turn) = self.turns[lane].take() else { return };
        let (files, schema) = (turn.files, self.schema_of(turn.table));
        let bytes = files as f64 * self.plan.file_bytes;
        self.turns[lane] = Some(turn);
        match phase {
            Phase::Read => {
                let lookup = self.ledger_rows / takes::LEDGER_ROWS;
                let asked = self.api(at) + lookup;
                self.wait(asked, lane, Phase::Asked);
            }
            Phase::Asked => {
                let crowd = (self.at_work as f64 / takes::SLOTS as f64).max(1.0);
                let merged = at + (takes::MERGE + bytes / takes::MERGED) * crowd;
                self.wait(merged, lane, Phase::Merged);
            }
            Phase::Merged => {
                let begun = self.ledgers_until[schema].max(at);
                let committed = self.commit(begun + takes::INSERTS, at);
                self.ledgers_until[schema] = committed;
                self.hour(at).ledger_seconds += committed - begun;
                self.wait(committed, lane, Phase::Committed);
            }
            Phase::Committed => self.committed(at, lane),
        }
    }

    fn hour(&mut self, at: f64) -> &mut Hour {
        &mut self.hours[(at as usize / 3600).min(23)]
    }

    fn begin_turns(&mut self, now: f64) {
        while let Some(lane) = self.turns.iter().position(Option::is_none) {
            let Some(table) = self.wanted.pop_front() else { return };
            self.turn(table, lane, now);
        }
    }

    fn turn(&mut self, table: usize, lane: usize, now: f64) {
        let of_table = &mut self.tables[table];
        of_table.is_wanted = false;
        of_table.is_at_work = true;
        let left = of_table.files.min(takes::FILES_OF_A_TURN);
        self.at_work += 1;
        self.day.turns += 1;
        let listed = now + self.list(now);
        self.turns[lane] = Some(Turn { table, left, files: 0 });
        self.load(lane, listed);
    }

    /// Begins the next load of a turn.
    fn load(&mut self, lane: usize, begun: f64) {
        let by_bytes = (takes::BYTES_OF_A_LOAD / self.plan.file_bytes).max(1.0) as u64;
        let Some(turn) = &mut self.turns[lane] else { return };
        turn.files = turn.left.min(takes::FILES_OF_A_LOAD).min(by_bytes);
        let n = turn.files as f64;
        let read =
            n * takes::OBJECT / takes::READ_AT_ONCE + n * self.plan.file_bytes / takes::STAGED;
        self.day.loads += 1;
        self.ledger_rows += n / self.plan.schemas as f64;
        let of_hour = self.hour(begun);
        of_hour.batches += takes::BATCHES_OF_A_LOAD;
        of_hour.results += takes::RESULTS_OF_A_LOAD;
        of_hour.writes += takes::S3_WRITES_OF_A_LOAD + n;
        of_hour.reads += takes::S3_READS_OF_A_LOAD + n;
        self.wait(begun + read, lane, Phase::Read);
    }

    /// The rows are there: the files are archived, and the turn goes on or ends.
    fn committed(&mut self, at: f64, lane: usize) {
        let Some(mut turn) = self.turns[lane].take() else { return };
        self.taken(turn.table, turn.files, at);
        turn.left -= turn.files;
        let archived = at + turn.files as f64 * takes::OBJECT / takes::COPIED_AT_ONCE;
        if turn.left > 0 {
            self.turns[lane] = Some(turn);
            return self.load(lane, archived);
        }
        self.at_work -= 1;
        self.tables[turn.table].is_at_work = false;
        if self.tables[turn.table].files > 0 {
            self.want(turn.table);
        }
    }

    /// How long a turn waits for a listing of what lies there. One serves all turns of its watcher
    /// that begin while it is fresh.
    fn list(&mut self, now: f64) -> f64 {
        let pages = (self.pending as f64 / 1000.0).ceil().max(1.0);
        let took = pages * takes::LISTING;
        if self.plan.shares_listings && now < self.listed_until {
            return 0.0;
        }
        self.listed_until = now + took * takes::FRESH;
        let watchers = self.plan.watchers as f64;
        self.hour(now).listings += pages * watchers;
        took
    }

    /// The statements of a load; those beyond the quota wait.
    fn api(&mut self, begun: f64) -> f64 {
        let take = |until: &mut f64, n: f64, rate: f64| {
            *until = until.max(begun) + n / rate;
            (*until - begun - n / rate).max(0.0)
        };
        let batches = take(&mut self.batches_until, takes::BATCHES_OF_A_LOAD, takes::BATCHES);
        let results = take(&mut self.results_until, takes::RESULTS_OF_A_LOAD, takes::RESULTS);
        let work =
            takes::BATCHES_OF_A_LOAD * takes::BATCH + takes::RESULTS_OF_A_LOAD * takes::RESULT;
        begun + work + batches.max(results)
    }

    /// So many files of a table are loaded, those first that came first.
    fn taken(&mut self, table: usize, files: u64, at: f64) {
        let of_table = &mut self.tables[table];
        of_table.files -= files;
        self.pending -= files;
        let mut left = files;
        while left > 0 {
            let Some(first) = of_table.pending.front_mut() else { return };
            let n = left.min(first.files);
            self.waits.push((at - first.at, n));
            first.files -= n;
            left -= n;
            if first.files == 0 {
                of_table.pending.pop_front();
            }
        }
    }

    fn conclude(mut self) -> Day {
        self.waits.sort_by(|one, other| one.0.total_cmp(&other.0));
        let all: u64 = self.waits.iter().map(|(_, n)| n).sum();
        let at = |share: f64| {
            let (place, mut before) = ((all as f64 * share) as u64, 0);
            let found = self.waits.iter().find(|(_, n)| {
                before += n;
                before > place
            });
            found.or(self.waits.last()).map_or(0.0, |(wait, _)| *wait)
        };
        let (median, late, latest) = (at(0.5), at(0.99), at(1.0));
        let most = |of: fn(&Hour) -> f64| self.hours.iter().map(of).fold(0.0, f64::max);
        let sum = |of: fn(&Hour) -> f64| self.hours.iter().map(of).sum::<f64>();
        let files = self.day.files as f64;
        Day {
            median,
            late,
            latest,
            lanes: most(|hour| hour.lane_seconds) / 3600.0 / self.plan.lanes() as f64,
            commits: most(|hour| hour.commit_seconds).min(3600.0) / 3600.0,
            ledger: most(|hour| hour.ledger_seconds) / 3600.0 / self.plan.schemas as f64,
            batches: most(|hour| hour.batches) / 3600.0 / takes::BATCHES,
            results: most(|hour| hour.results) / 3600.0 / takes::RESULTS,
            s3_writes: most(|hour| hour.writes) / 3600.0 / takes::S3_WRITES,
            s3_reads: most(|hour| hour.reads + hour.listings) / 3600.0 / takes::S3_READS,
            all_writes: sum(|hour| hour.writes),
            all_reads: sum(|hour| hour.reads),
            all_listings: sum(|hour| hour.listings),
            // Sent, received and deleted, the last two ten at a time at best; kept now and then.
            all_messages: files * (1.0 + 0.1 + 0.1 + 0.1),
            ..self.day
        }
    }
}
