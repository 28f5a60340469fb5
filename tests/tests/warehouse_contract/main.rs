//! The contract with the warehouse: what Amazon Redshift does and PostgreSQL does not, as cases in
//! `tests/warehouse/*.toml`, each with the public source of its fact. They run through the Data API
//! with the AWS SDK, on the local stand-in, and on a real cluster too when one is named
//! (`warehouse.rs` reads the variables). One message lists everything that differs.

mod case;
mod objects;
mod run;
mod warehouse;

use futures::StreamExt;
use loader_tests::{root, world};

use case::Case;
use run::Outcome;
use warehouse::Warehouse;

/// Cases that run at a time.
const AT_ONCE: usize = 8;

#[test]
fn the_warehouse_keeps_its_contract() {
    let cases = case::read(&root().join("tests/warehouse"));
    let wanted = std::env::var("LOADER_TEST_CASE").unwrap_or_default();
    let cases: Vec<Case> =
        cases.into_iter().filter(|case| case.title().contains(&wanted)).collect();
    assert!(!cases.is_empty(), "no case is called {wanted}");
    let endpoints = world().endpoints();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut message = runtime
        .block_on(async { differences(&Warehouse::stand_in(endpoints).await, &cases).await });
    if let Some(real) = runtime.block_on(Warehouse::real()) {
        message += &runtime.block_on(differences(&real, &cases));
    }
    assert!(message.is_empty(), "{message}");
}

/// Runs all cases. The differences as text; empty when there are none, or none that a public source
/// speaks against.
async fn differences(warehouse: &Warehouse, cases: &[Case]) -> String {
    let found: Vec<(&Case, Outcome)> = futures::stream::iter(cases)
        .map(|case| async move { (case, run::run(warehouse, case).await) })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let list = |wanted: &dyn Fn(&Case) -> bool| -> Vec<String> {
        let found = found.iter().filter(|(case, _)| wanted(case));
        found
            .filter_map(|(case, outcome)| {
                Some(format!("{}\n{}", case.title(), outcome.difference.as_ref()?))
            })
            .collect()
    };
    let words: Vec<&str> =
        found.iter().flat_map(|(_, outcome)| &outcome.words).map(String::as_str).collect();
    eprintln!(
        "errors on {} whose words no source gives:\n  {}\n",
        warehouse.name,
        words.join("\n  ")
    );
    if warehouse.is_real {
        let news = list(&|case| !case.confirmed);
        eprintln!(
            "unconfirmed facts that are otherwise on {}: {}\n\n{}",
            warehouse.name,
            news.len(),
            news.join("\n")
        );
    }
    let wrong = list(&|case| case.confirmed || !warehouse.is_real);
    if wrong.is_empty() {
        return String::new();
    }
    format!(
        "\n{} of {} cases differ on {}:\n\n{}",
        wrong.len(),
        cases.len(),
        warehouse.name,
        wrong.join("\n")
    )
}
