//! The status as people and as programs read it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use loader_model::names::utc;
use serde_json::{Value, json};

use super::{AtWork, Entry, NotLoaded, Status, What};
use crate::backlog::held::Held;
use crate::backlog::outcome::{address, claimed_by};
use crate::report::indented_json;
use crate::report::paint::{Tone, paint};
use crate::words::{count, grouped, quoted, shortened, size, wrapped};

const WIDTH: usize = 80;
const NAME: usize = 36;
/// Columns before a reason.
const REASON: usize = 11;

impl Status {
    /// The status as JSON, with its last line end.
    pub(crate) fn json(&self) -> String {
        let at = |at: Option<Timestamp>| at.map(|at| utc(at, "%Y-%m-%dT%H:%M:%SZ"));
        let entry = |entry: &Entry| {
            let uri = match &entry.what {
                What::Aside { uri, .. } | What::Replaced { uri, .. } => uri.clone(),
                _ => address(&self.bucket, &entry.name),
            };
            json!({
                "state": entry.word(),
                "uri": uri.to_string(),
                "table": entry.table,
                "since": at(entry.at),
                "reason": entry.reason(),
                "behind": entry.behind(),
                "to_do": entry.to_do(),
            })
        };
        let run = |run: &AtWork| json!({"run_id": run.run_id, "parts_of": run.what, "since": at(run.since)});
        indented_json(&json!({
            "files": self.entries.iter().map(entry).collect::<Vec<Value>>(),
            "with_staged_parts": self.at_work.iter().map(run).collect::<Vec<Value>>(),
            "unclaimed": self.unclaimed,
        }))
    }

    /// The files that are not loaded now, those first of which somebody has to know.
    pub(crate) fn not_loaded(&self) -> Vec<NotLoaded> {
        let files =
            self.entries.iter().filter(|entry| !matches!(entry.what, What::Replaced { .. }));
        let mut files: Vec<NotLoaded> = files
            .map(|entry| NotLoaded {
                state: entry.word(),
                table: entry.table.clone(),
                name: entry.name.clone(),
                since: entry.at,
                reason: entry
                    .reason()
                    .or(entry.behind().map(|file| format!("it waits behind {file}")))
                    .unwrap_or_default(),
                to_do: entry.to_do().unwrap_or_default(),
            })
            .collect();
        files.extend(self.unclaimed.iter().map(|name| NotLoaded {
            state: "no table",
            table: String::new(),
            name: name.clone(),
            since: None,
            reason: "no table takes it".to_owned(),
            to_do: "give a table a pattern that does, in `files`, or take it away".to_owned(),
        }));
        files.sort_by_key(|file| matches!(file.state, "pending" | "waits"));
        files
    }

    /// The status for people.
    pub(crate) fn human(&self) -> String {
        let mut out = String::new();
        let headline = wrapped(&self.headline(), WIDTH);
        headline.iter().for_each(|line| {
            out.push_str(&format!("{}\n", paint(line, Tone::Strong)));
        });
        let (replaced, entries): (Vec<&Entry>, Vec<&Entry>) =
            self.entries.iter().partition(|entry| matches!(entry.what, What::Replaced { .. }));
        let tables: BTreeSet<&str> = entries.iter().map(|entry| &*entry.table).collect();
        for table in tables {
            out.push_str(&format!("\n{table}\n"));
            let of_table = entries.iter().filter(|entry| entry.table == table);
            out.extend(of_table.map(|entry| entry.lines()));
        }
        out.push_str(&section(
            "put aside, and a later file of the name was loaded since; delete what is not needed",
            replaced.iter().filter_map(|entry| entry.replaced()),
        ));
        out.push_str(&section(
            "runs with staged parts: at work, or killed, or told to keep them (give data/staging/ a \
             lifecycle rule of two days: it deletes what was left)",
            self.at_work.iter().map(|run| {
                let since = run.since.map(since).unwrap_or_default();
                format!("{}  {}{since}", run.run_id, shortened(&run.what, NAME))
            }),
        ));
        out.push_str(&section(
            "no table takes (give one a pattern that does, in `files`, or take them away)",
            wrapped(&self.unclaimed.join(", "), WIDTH - 2).into_iter().filter(|it| !it.is_empty()),
        ));
        out
    }

    fn headline(&self) -> String {
        let n = |word: &str| self.entries.iter().filter(|entry| entry.word() == word).count();
        let said = [
            (n("pending"), "pending"),
            (n("waits"), "waiting for one of them"),
            (n("held"), "failed before"),
            (n("several"), "taken by several tables"),
            (n("aside"), "put aside"),
        ];
        let files = said.iter().map(|(n, _)| n).sum();
        let said = said.into_iter().filter(|(n, _)| *n > 0);
        let said: Vec<String> =
            said.map(|(n, what)| format!("{} {what}", grouped(n as u64))).collect();
        match files {
            0 => "nothing is pending".to_owned(),
            files => format!("{}: {}", count(files, "file"), said.join(", ")),
        }
    }
}

/// Lines below a title; nothing where there are none.
fn section(title: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: String = lines.map(|line| format!("  {line}\n")).collect();
    match lines.is_empty() {
        true => String::new(),
        false => format!("\n{}\n{lines}", wrapped(title, WIDTH).join("\n")),
    }
}

fn since(at: Timestamp) -> String {
    utc(at, "  since %Y-%m-%d %H:%M:%S UTC")
}

impl Entry {
    fn word(&self) -> &'static str {
        match self.what {
            What::Pending { .. } => "pending",
            What::Waits { .. } => "waits",
            What::Held(_) => "held",
            What::Aside { .. } => "aside",
            What::Replaced { .. } => "replaced",
            What::Claimed(_) => "several",
        }
    }

    /// The line of the file, and below it why it is not loaded, and what can be done.
    fn lines(&self) -> String {
        let tone = match self.what {
            What::Pending { .. } => Tone::Good,
            What::Held(_) | What::Claimed(_) => Tone::Bad,
            What::Waits { .. } | What::Aside { .. } | What::Replaced { .. } => Tone::Waiting,
        };
        let beside = match &self.what {
            What::Pending { size_bytes } => format!("  {}", size(*size_bytes)),
            What::Waits { behind } => format!("  behind {}", shortened(behind, NAME)),
            _ => String::new(),
        };
        let since = self.at.map(since).unwrap_or_default();
        let (word, name) =
            (paint(&format!("{:<7}", self.word()), tone), shortened(&self.name, NAME));
        // 2 before the word, 7 for it, 2 behind it.
        let used = 11 + name.chars().count() + beside.chars().count() + since.chars().count();
        let since = match used <= WIDTH {
            true => since,
            false => format!("\n{:REASON$}{}", "", since.trim_start()),
        };
        let below = |text: Option<String>, mark: &str| -> String {
            let lines = text.map(|text| wrapped(&format!("{mark}{text}"), WIDTH - REASON));
            lines.into_iter().flatten().map(|line| format!("{:REASON$}{line}\n", "")).collect()
        };
        let (reason, to_do) = (below(self.reason(), ""), below(self.to_do(), "-> "));
        format!("  {word}  {name}{beside}{since}\n{reason}{to_do}")
    }

    /// The file that must go first.
    fn behind(&self) -> Option<&str> {
        match &self.what {
            What::Waits { behind } => Some(behind),
            _ => None,
        }
    }

    /// Why the file is not loaded.
    fn reason(&self) -> Option<String> {
        match &self.what {
            What::Pending { .. } | What::Waits { .. } | What::Replaced { .. } => None,
            What::Held(held) => Some(format!("exit code {}: {}", held.exit_code, held.error)),
            What::Claimed(tables) => Some(claimed_by(tables)),
            What::Aside { reason, .. } => reason.clone(),
        }
    }

    /// What can be done.
    fn to_do(&self) -> Option<String> {
        match &self.what {
            What::Pending { .. } | What::Waits { .. } => None,
            What::Claimed(_) => Some("change all but one of the patterns".to_owned()),
            What::Aside { has_newer: true, .. } => {
                Some("a later file of the name is in data/in/: load that one".to_owned())
            }
            What::Held(_) => Some(Held::advice(&self.name)),
            What::Aside { uri, .. } => Some(format!(
                "deliver it corrected, or mend {} or the settings, and take it back: `loader retry \
                 {}`",
                uri.key,
                quoted(&self.name)
            )),
            What::Replaced { uri, .. } => Some(format!("delete {uri} when it is not needed")),
        }
    }

    /// The line of a file that has a successor.
    fn replaced(&self) -> Option<String> {
        match &self.what {
            What::Replaced { uri, by } => {
                let at = utc(by.loaded_at, "%Y-%m-%d %H:%M:%S UTC");
                Some(format!("{}\n    loaded {at} by run {}", uri.key, by.run_id))
            }
            _ => None,
        }
    }
}
