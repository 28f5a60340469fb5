//! `cargo xtask bench`: how fast the program is, beside others and by itself, on this machine.
//!
//! In: the rows that the command line names. Out: their figures as a table, a chart and JSON, into
//! which rows that were not measured this time are taken over (docs/performance.md). What is
//! counted instead, and so the same everywhere, is a test (`count`, `loader plugin bench`).

mod chart;
mod contest;
mod fields;
mod figures;
mod growth;
mod machine;
mod measure;
mod options;
mod page;
mod peers;
mod record;
mod row;
mod sandbox;
mod shapes;
mod small;
mod stand_in;
mod table;
mod throttle;
mod verdict;
mod workbench;

use crate::count;
use crate::failure::{Failure, failure};
use options::{Asked, Options};
use page::Page;
use record::Record;
use row::Row;
use workbench::Workbench;

/// Runs the benchmark that the arguments name.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    match arguments.split_first() {
        Some((word, runs)) if word == "plugins" => sandbox::print(runs),
        Some((word, runs)) if word == "layers" => sandbox::print_layers(runs),
        Some((word, rest)) if word == "count" => count::command(rest),
        Some((word, rest)) if word == shapes::MAKE => shapes::make(rest),
        _ => match options::read(arguments)? {
            Asked::Help => {
                println!("{}", options::HELP);
                Ok(())
            }
            Asked::Measure(options) => measure_all(&options),
        },
    }
}

/// Measures each row, and writes the figures of each as soon as they are there: a run that is
/// stopped keeps those before.
fn measure_all(options: &Options) -> Result<(), Failure> {
    let mut page = Page::open(&options.destination)?;
    let mut failed = Vec::new();
    if !options.rows.is_empty() {
        let bench = Workbench::prepare(options)?;
        for row in &options.rows {
            eprintln!("== bench: {}", row.name());
            match measure(*row, &bench) {
                Ok(record) => page.take(record)?,
                Err(error) => failed.push(format!("{}: {error}", row.name())),
            }
        }
    }
    print!("{}", page.write()?);
    if options.leaves_out_growth {
        println!(
            "\nLeft out: `growth`, which generates 7.8 GB; `--only growth` or `--all` has it."
        );
    }
    match failed.is_empty() {
        true => Ok(()),
        false => failure(format!("not measured: {}", failed.join("\nnot measured: "))),
    }
}

fn measure(row: Row, bench: &Workbench) -> Result<Record, Failure> {
    match row {
        Row::Stage => contest::stage(bench),
        Row::Transform => contest::transform(bench),
        Row::Shape(_, generated) => contest::shape(bench, row, generated),
        Row::Growth => growth::run(bench),
        Row::Throttle => throttle::run(bench),
        Row::Small => small::run(bench),
        Row::Sandbox => sandbox::run(bench),
    }
}
