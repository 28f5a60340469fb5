//! `cargo xtask simulate`: a day of `loader watch` at a size that no machine of ours has, against
//! models of the services that it calls. `docs/scale.md` has its report, and what it means.
//!
//! Nothing is loaded. Files arrive at tables, watchers give tables their turns as the program does,
//! and a turn takes what its requests take. The numbers of requests are those of the program, which
//! prints them (`loader run --report json`); the times of AWS are assumptions, and stand in one list.

mod arrivals;
mod came_to;
mod day;
mod model;
mod report;

use crate::failure::{Failure, failure};
use model::Plan;

/// Simulates the plan of the command line, or those of the page. Errors: an unknown word.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    if arguments.is_empty() {
        print!("{}", report::page());
        return Ok(());
    }
    if arguments.iter().any(|word| word == "--help" || word == "-h") {
        print!("{}", model::help());
        return Ok(());
    }
    let mut plan = Plan::default();
    for pair in arguments.chunks(2) {
        let (name, value) =
            (pair[0].as_str(), pair.get(1).map(|text| text.replace(['_', ','], "")));
        let Some(value) = value.and_then(|text| text.parse::<f64>().ok()) else {
            return failure(format!("{name} needs a number behind it\n{}", model::help()));
        };
        plan.set(name, value)?;
    }
    print!("{}", report::of_day(&plan, &day::simulate(&plan)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_what_is_simulated() {
        let page = include_str!("../../docs/scale.md");
        let plan = Plan { files_a_day: 1e5, ..Plan::default() };
        let row = report::row("100,000 files", &plan);
        assert!(page.contains(&row), "{row} is not in docs/scale.md: run `cargo xtask simulate`");
    }
}
