//! `loader plugin bench`: what plugins cost, counted and so the same everywhere, against what they
//! cost before.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use loader_tests::{Ended, plugin, program, root, run};

fn bench(file: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new(program());
    // One row is timed, since no time is compared; instructions are those of a whole batch all the
    // same.
    command
        .args(["plugin", "bench"])
        .arg(file)
        .args(["--rows", "1"])
        .args(arguments)
        .env_remove("UPDATE");
    run(&mut command)
}

/// The crates of plugins that are for use.
fn crates() -> Vec<PathBuf> {
    let plugins = root().join("plugins");
    let examples = fs::read_dir(plugins.join("examples")).expect("there are examples");
    let examples =
        examples.map(|entry| entry.expect("it can be read").path()).filter(|path| path.is_dir());
    examples.chain([plugins.join("default")]).collect()
}

/// A plugin's folder in `dir`, with the default plugin, one case, and this baseline.
fn place(dir: &Path, baseline: Option<&str>) -> PathBuf {
    let case = dir.join("mine/tests/decimals");
    fs::create_dir_all(&case).expect("a folder");
    fs::copy(root().join("plugins/default/tests/decimals/input.csv"), case.join("input.csv"))
        .expect("copies");
    if let Some(baseline) = baseline {
        fs::write(dir.join("mine/bench.toml"), baseline).expect("writes");
    }
    let file = dir.join("mine.wasm");
    fs::copy(plugin("default"), &file).expect("copies");
    file
}

#[test]
fn no_plugin_costs_more_than_it_did() {
    let crates = crates();
    assert!(crates.len() > 5, "{crates:?}");
    for folder in crates {
        assert!(folder.join("bench.toml").exists(), "{} has no baseline", folder.display());
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        // Compilers differ by a few percent, and by more where the standard library was built with
        // the plugin.
        let ended = bench(&plugin(&name), &["--tolerance", "30"]);
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
        assert!(
            ended.stdout.contains("\nok: nothing costs 30 % more than in "),
            "{}",
            ended.stdout
        );
    }
}

#[test]
fn a_baseline_is_written_once_and_compared_ever_after() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = place(dir.path(), None);
    let baseline = dir.path().join("mine/bench.toml");
    let ended = bench(&file, &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stdout.ends_with(&format!(
            "nothing to compare with: --update writes {}\n",
            baseline.display()
        ))
    );
    assert_eq!(bench(&file, &["--baseline", "nowhere.toml"]).code, 2);

    let ended = bench(&file, &["--update"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let written = fs::read_to_string(&baseline).expect("it was written");
    assert!(written.contains("[case.\"decimals\"]\nfuel_per_row = "), "{written}");
    assert!(
        bench(&file, &["--update"])
            .stdout
            .ends_with(&format!("unchanged: {}\n", baseline.display()))
    );
    // Counted twice, it is the same to the instruction.
    let ended = bench(&file, &["--tolerance", "0"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn what_costs_more_is_named_with_both_figures() {
    let dir = tempfile::tempdir().expect("a folder");
    let baseline =
        "sha256 = \"0123456789\"\n[case.decimals]\nfuel_per_row = 1\npeak_memory_bytes = 1\n";
    let ended = bench(&place(dir.path(), Some(baseline)), &["decimals"]);
    for words in [
        "  FAILED decimals: ",
        " instructions per row, ",
        " % more than the 1 of the baseline\n",
        " bytes of memory, ",
        "the baseline is that of another build (sha256 01234567)\n",
        "make it cheaper, or take it with --update\n",
    ] {
        assert!(ended.stdout.contains(words), "{words} is not in\n{}", ended.stdout);
    }
    assert_eq!(ended.code, 2);
    let ended = bench(&place(dir.path(), Some("[case.decimals]\nfuel = 1\n")), &[]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("bench.toml is no baseline"), "{}", ended.stderr);
}

#[test]
fn other_rows_and_some_cases_can_be_measured() {
    let dir = tempfile::tempdir().expect("a folder");
    let input = dir.path().join("mine.csv");
    fs::write(&input, "a,b\n0.5,x\n1.5,y\n2.5,z\n").expect("writes");
    let text = input.display().to_string();
    for arguments in [&["--input", &text][..], &["keys", "--input", &text]] {
        let ended = bench(&plugin("default"), arguments);
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
        let row = ended.stdout.lines().last().expect("a table");
        let name = arguments[0].replace("--input", "mine.csv");
        assert!(
            row.starts_with(&format!("| {name}")) && row.contains(" KiB | "),
            "{}",
            ended.stdout
        );
    }
    let ended = bench(&plugin("default"), &["decimal"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("there are amounts, decimals, keys, names"), "{}", ended.stderr);
    fs::write(&input, "a,b\n").expect("writes");
    let ended = bench(&plugin("default"), &["--input", &text]);
    assert!(ended.stderr.contains("there are no rows to measure"), "{}", ended.stderr);
}
