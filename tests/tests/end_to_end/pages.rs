//! Pages, followed literally: their files are written, their commands run, their output compared.
//!
//! A fence says what becomes of its block: `sh` is run by bash, `sh exit=2` must end so, a path is
//! a file to write, and `shows` is what the block before it printed, or its end. Blocks of other
//! words stand for themselves: `sh setup` builds what a test run has built already, `sh demo` has a
//! test of its own, `sh production` needs an AWS account, and `toml example` is one of many.

use std::fs;
use std::path::Path;
use std::process::Command;

use loader_tests::{Ended, new_plugins_target, plugin, program, root, run};

#[test]
fn the_guide_leads_to_a_tested_plugin_in_a_chain() {
    follow("docs/plugin-guide.md", 10);
}

#[test]
fn the_readme_loads_a_file_and_shows_what_is_printed() {
    follow("README.md", 5);
}

#[test]
fn the_page_about_files_shows_what_is_printed() {
    follow("docs/files.md", 3);
}

#[test]
fn the_page_about_projects_leads_from_nothing_to_all_tables() {
    follow("docs/project.md", 8);
}

fn follow(page: &str, blocks_at_least: usize) {
    let text = fs::read_to_string(root().join(page)).expect("the page");
    let blocks = blocks(&text);
    assert!(blocks.len() > blocks_at_least, "{page} has {} blocks", blocks.len());
    let mut reader = Reader::new();
    for block in &blocks {
        reader.follow(block);
    }
}

struct Block {
    line: usize,
    /// The words behind the fence.
    fence: String,
    text: String,
}

fn blocks(guide: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (line, text) in (1..).zip(guide.lines()) {
        match (text.strip_prefix("```"), &mut open) {
            (Some(fence), None) => {
                open = Some(Block { line, fence: fence.to_owned(), text: String::new() })
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.text.extend([text, "\n"]),
            (None, None) => {}
        }
    }
    blocks
}

/// A checkout as the guide needs it, and the folder that a shell is in, block after block.
struct Reader {
    checkout: tempfile::TempDir,
    folder: String,
    last: Option<Ended>,
}

impl Reader {
    fn new() -> Reader {
        let checkout = tempfile::tempdir().expect("a folder");
        let here = checkout.path();
        fs::create_dir_all(here.join("plugins")).expect("a folder");
        fs::create_dir_all(here.join("host/loader")).expect("a folder");
        fs::copy(plugin("default"), here.join("plugins/default.wasm")).expect("copies");
        for part in ["host/loader/demo", "sdk", "wit"] {
            std::os::unix::fs::symlink(root().join(part), here.join(part)).expect("links");
        }
        Reader { folder: here.display().to_string(), checkout, last: None }
    }

    fn follow(&mut self, block: &Block) {
        let words: Vec<&str> = block.fence.split(' ').collect();
        match words[..] {
            ["sh", "setup" | "demo" | "production"] | ["toml", "example"] => {}
            ["sh"] => self.shell(block, 0),
            ["sh", exit] => {
                let code = exit.strip_prefix("exit=").and_then(|code| code.parse().ok());
                self.shell(
                    block,
                    code.unwrap_or_else(|| panic!("line {}: what is `{exit}`?", block.line)),
                );
            }
            [_, "shows"] => self.compare(block),
            [_, path] => self.write(path, &block.text),
            _ => panic!("line {}: the fence says nothing that is known here", block.line),
        }
    }

    /// Where the text says `src/lib.rs`, the shell is in the crate's folder.
    fn write(&self, path: &str, text: &str) {
        fs::write(Path::new(&self.folder).join(path), text)
            .unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    fn shell(&mut self, block: &Block, expected: i32) {
        let (stand_in, text) = (self.checkout.path().join("wh"), &block.text);
        let script = text.replace("/tmp/wh", &stand_in.display().to_string());
        let path = std::env::var("PATH").unwrap_or_default();
        let mut bash = Command::new("bash");
        // The shell tells where it has gone, behind everything else that is printed.
        bash.args([
            "-e",
            "-u",
            "-c",
            &format!("trap 'pwd > {}/folder' EXIT\n{script}", self.checkout.path().display()),
        ]);
        bash.current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", new_plugins_target())
            .env_remove("UPDATE");
        bash.env("PATH", format!("{}:{path}", program().parent().expect("a folder").display()));
        let ended = run(&mut bash);
        assert_eq!(
            ended.code, expected,
            "line {}:\n{text}\n{}\n{}",
            block.line, ended.stdout, ended.stderr
        );
        let folder =
            fs::read_to_string(self.checkout.path().join("folder")).expect("the shell's folder");
        self.folder = folder.trim().to_owned();
        self.lock();
        self.last = Some(ended);
    }

    /// Gives a new crate the lock file of the project, so that no other version of a dependency is
    /// looked for.
    fn lock(&self) {
        let folder = Path::new(&self.folder);
        if folder.join("Cargo.toml").exists() && !folder.join("Cargo.lock").exists() {
            fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).expect("copies");
        }
    }

    fn compare(&self, block: &Block) {
        let printed = self.last.as_ref().map(|last| last.stdout.as_str()).unwrap_or_default();
        assert!(
            masked(printed).ends_with(&masked(&block.text)),
            "line {}: not\n{}\nbut\n{printed}",
            block.line,
            block.text
        );
    }
}

/// A report without what differs from run to run: times, dates, digests, the run's id, the number
/// of requests (a statement is asked about until it is done), and where long lists are cut.
fn masked(text: &str) -> String {
    let digits = |line: &str| line.replace(|c: char| c.is_ascii_digit(), "#");
    let line = |line: String| match line.split_whitespace().next() {
        Some("plugin") => line.split("sha256").next().unwrap_or_default().to_owned(),
        Some("seconds" | "file" | "Data") => digits(&line).replace("##", "#"),
        Some("run") => "run".to_owned(),
        _ => line,
    };
    let mut lines: Vec<String> = Vec::new();
    for one in text.lines() {
        match lines.last_mut() {
            Some(list) if list.ends_with(',') => list.extend([" ", one.trim_start()]),
            _ => lines.push(one.to_owned()),
        }
    }
    lines.into_iter().map(|one| line(one) + "\n").collect()
}
