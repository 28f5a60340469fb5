//! A misdeed in the real program: it ends in order, says nothing that drives a terminal, and leaves
//! a file only when it ends with 0.

use std::process::Command;

use loader_tests::{plugin, program, run};
use serde_json::json;
use tempfile::TempDir;

/// Memory as small as honest plugins can bear.
const LIMITS: &str = "[limits]\nmemory_bytes = 100000000\n";

/// Time limits of a second, for the misdeeds that never end.
const HURRY: &str = "plan_seconds = 1\nopen_seconds = 1\nprocess_seconds = 1\nfinish_seconds = 1\n";

/// `loader transform` in a folder of its own.
pub(crate) struct Program {
    dir: TempDir,
}

impl Program {
    pub(crate) fn new() -> Program {
        let dir = tempfile::tempdir().expect("a folder");
        let rows = "id,name\n1,A\n2,\n3,C\n4,\"\"\n5,E\n";
        std::fs::write(dir.path().join("x.csv"), rows).expect("writes");
        std::fs::write(dir.path().join("patient.toml"), LIMITS).expect("writes");
        let hurried = format!("{LIMITS}{HURRY}");
        std::fs::write(dir.path().join("hurried.toml"), hurried).expect("writes");
        Program { dir }
    }

    /// Transforms five rows through the plugin that does `word`; the exit code.
    pub(crate) fn exit_code(&self, word: &str) -> i32 {
        let dir = self.dir.path();
        let (config, output) = (dir.join(format!("{word}.json")), dir.join(format!("{word}.csv")));
        std::fs::write(&config, json!({"hostile": {"do": word}}).to_string()).expect("writes");
        let settings = if word.starts_with("loop-") { "hurried.toml" } else { "patient.toml" };
        let mut command = Command::new(program());
        command
            .arg("transform")
            .arg(dir.join("x.csv"))
            .arg("-o")
            .arg(&output)
            .arg("--plugins")
            .arg(plugin("hostile"));
        let ended =
            run(command.arg("--plugin-config").arg(config).arg("--config").arg(dir.join(settings)));
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(
            !said.contains("panicked at host/") && !said.contains("RUST_BACKTRACE"),
            "{word}: {said}"
        );
        assert!(
            !said.contains('\u{1b}') && !said.contains('\u{7}') && !said.contains('\u{202e}'),
            "{word}: {said:?}"
        );
        // The largest is what a flood of lines leaves of itself: 64 KiB of text, in many short lines.
        assert!(said.len() < 1_000_000, "{word}: it says {} bytes", said.len());
        assert_eq!(output.exists(), ended.code == 0, "{word}: {said}");
        ended.code
    }
}
