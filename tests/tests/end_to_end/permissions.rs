//! `docs/permissions.md`, held against what commands do: with exactly the page's permissions they
//! work, and with any one of them taken away something fails.

mod in_aws;

mod in_the_database;

use std::fs;

use loader_tests::root;

/// The text of the page's block with these words behind its fence.
fn block(fence: &str) -> String {
    let page = fs::read_to_string(root().join("docs/permissions.md")).expect("the page");
    let (_, from) =
        page.split_once(&format!("```{fence}\n")).unwrap_or_else(|| panic!("no block {fence}"));
    from.split("\n```").next().unwrap_or_default().to_owned()
}
