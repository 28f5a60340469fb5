//! The loads that a user's first days have: a new table, the same file again, a merge, a large
//! file, and a table that has to change while a view reads it.

use loader_model::error::{Kind, Result};
use loader_model::names::TableName;
use loader_warehouse::checkup::loads::{self, IsPublic};

use super::finding::{Ailment, Probed, Verdict};
use super::findings::Findings;
use super::patient::Patient;
use super::scene::Scene;
use super::scratch::Scratch;
use super::{foreign_writer, trial_load, types};
use crate::cli::Part;
use crate::job::checkup::Trial;
use crate::report::{Report, Status};

const PART: Part = Part::Loads;
const FIRST: &str = "id,note,pieces\n1,first,10\n2,second,20\n";
const COLUMNS: [&str; 3] = ["id", "note", "pieces"];

/// Tries the loads, one after the other: each needs what the one before has left.
pub(super) async fn examine(scene: &Scene<'_>, scratch: &Scratch, findings: &mut Findings<'_>) {
    if !scene.bucket_works {
        findings.skip(PART, "copies and loads", "no file can be delivered and staged");
    } else if types::examine(scene, scratch, findings).await {
        let orders = Orders { patient: scene.patient, table: scratch.table("orders") };
        in_turn(&orders, findings).await;
    } else {
        findings.skip(PART, "loads", "COPY fails");
    }
    foreign_writer::examine(scene, scratch, findings).await;
}

async fn in_turn(orders: &Orders<'_>, findings: &mut Findings<'_>) {
    let loaded = findings.probe(PART, "first load", orders.first()).await
        && findings.probe(PART, "the same file again", orders.again()).await
        && findings.probe(PART, "merge", orders.merged()).await
        && findings.probe(PART, "load in two transactions", orders.split()).await
        && findings.probe(PART, "evolution under a view", orders.evolved()).await;
    if !loaded {
        findings.skip(PART, "loads after it", "the load before failed");
    }
}

/// A table of ours, load after load.
struct Orders<'a> {
    patient: &'a Patient,
    table: TableName,
}

impl Orders<'_> {
    async fn load(&self, name: &str, content: &str, is_split: bool) -> Result<Report> {
        let file = trial_load::file(self.patient, name);
        let trial = Trial {
            file: &file,
            table: &self.table,
            keys: &["id"],
            staging_format: self.patient.checkup.staging_format,
            parquet_compression: self.patient.checkup.parquet_compression,
            is_split,
        };
        trial_load::load(self.patient, &trial, content).await
    }

    /// Insists on the rows that the table has now.
    async fn has(&self, columns: &[&str], expected: &[&str]) -> Result<(), Ailment> {
        let query = loads::rows_query(&self.table, columns);
        let rows = self.patient.rows("reading what was loaded", &query).await?;
        let found = trial_load::lines(&rows);
        match found == expected {
            true => Ok(()),
            false => Err(otherwise(&format!("the table has {found:?} and not {expected:?}"))),
        }
    }

    async fn first(&self) -> Probed {
        self.load("first.csv", FIRST, false).await?;
        self.has(&COLUMNS, &["1|first|10", "2|second|20"]).await?;
        Ok(Verdict::passed("a table is made, and a file is in it"))
    }

    // In a bucket with versions the file counts as another one.
    async fn again(&self) -> Probed {
        let report = self.load("first.csv", FIRST, false).await?;
        self.has(&COLUMNS, &["1|first|10", "2|second|20"]).await?;
        Ok(match report.status {
            Status::AlreadyLoaded => Verdict::passed("it is known, and no row changes"),
            Status::Success | Status::Failed => Verdict::told(
                "it was merged once more: in a bucket with versions each delivery is a file of its \
                 own",
            ),
        })
    }

    async fn merged(&self) -> Probed {
        let content = "id,note,pieces\n2,changed,21\n3,third,30\n";
        let report = self.load("merge.csv", content, false).await?;
        self.has(&COLUMNS, &["1|first|10", "2|changed|21", "3|third|30"]).await?;
        match (report.rows.inserted, report.rows.updated) {
            (1, 1) => Ok(Verdict::passed("a known row is replaced, a new one inserted")),
            (inserted, updated) => Err(otherwise(&format!(
                "{inserted} rows are inserted and {updated} updated, not 1 and 1"
            ))),
        }
    }

    async fn split(&self) -> Probed {
        self.load("split.csv", "id,note,pieces\n4,fourth,40\n", true).await?;
        self.has(&["id"], &["1", "2", "3", "4"]).await?;
        Ok(Verdict::passed("COPY and merge run in two transactions of one session"))
    }

    /// A longer text, a larger number and a new column, for a table that a view reads.
    async fn evolved(&self) -> Probed {
        let view = self.table.sibling("orders_seen");
        let make = loads::make_view(&view, &self.table, &COLUMNS);
        self.patient.transact("making a view", &make).await?;
        let note = "n".repeat(300);
        let content = format!("id,note,pieces,discount\n5,{note},3000000000,0.5\n");
        self.load("evolve.csv", &content, false).await?;
        self.has(&["id", "pieces"], &["1|10", "2|21", "3|30", "4|40", "5|3000000000"]).await?;
        self.view_is_back(&view).await?;
        Ok(Verdict::passed(
            "a VARCHAR and an INTEGER are widened, a column is added; the view is back, with its \
             grant",
        ))
    }

    async fn view_is_back(&self, view: &TableName) -> Result<(), Ailment> {
        let query = loads::rows_query(view, &["id"]);
        let rows = self.patient.rows("reading the view", &query).await?;
        if rows.rows.len() != 5 {
            return Err(otherwise("the view does not show the table's rows"));
        }
        let doing = "asking for the view's grant";
        let IsPublic(is_public) = self.patient.first(doing, &loads::grant_query(view)).await?;
        match is_public {
            true => Ok(()),
            false => Err(otherwise("the view has lost its grant to PUBLIC")),
        }
    }
}

fn otherwise(fact: &str) -> Ailment {
    Ailment::new(Kind::Internal, fact, "report it to the project, with the file of --save")
}
