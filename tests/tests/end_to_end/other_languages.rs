//! Plugins in JavaScript and Python do the job of the one in Rust: the same golden cases, the same
//! rows.
//!
//! Each is built by the script in its folder, once for as long as its sources stay the same. Where
//! node or Python, or the packages that they need, cannot be had, a line says that the test was
//! skipped.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use loader_tests::{plugin, program, root, run};

/// What build scripts end with when their packages cannot be fetched.
const UNREACHABLE: i32 = 75;
/// Time is no part of these tests; compiling an interpreter takes long on a busy machine.
const PATIENCE: &str = "[limits]\ncompile_seconds = 3600\nplan_seconds = 600\nopen_seconds = \
                        600\nprocess_seconds = 600\n";

#[test]
fn javascript_does_the_same_job_as_rust() {
    if let Some(plugin) = built("javascript", "node") {
        does_the_same_job_as_rust(&plugin);
    }
}

#[test]
fn python_does_the_same_job_as_rust() {
    if let Some(plugin) = built("python", "python3") {
        does_the_same_job_as_rust(&plugin);
    }
}

fn does_the_same_job_as_rust(file: &Path) {
    let dir = tempfile::tempdir().expect("a folder");
    let settings = dir.path().join("loader.toml");
    fs::write(&settings, PATIENCE).expect("writes");
    let loader = |arguments: &[&str]| {
        let mut command = Command::new(program());
        command.args(arguments).arg(file).arg("--config").arg(&settings).env_remove("UPDATE");
        command
    };

    let ended = run(&mut loader(&["plugin", "check", "--run"]));
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("  ok     config schema  a JSON Schema of "), "{}", ended.stdout);

    let cases = root().join("plugins/examples/split_name/tests");
    let ended = run(loader(&["plugin", "test"]).arg("--cases").arg(cases));
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.ends_with("ok: 2 cases passed\n"), "{}", ended.stdout);

    let (ours, theirs) =
        (transformed(dir.path(), &plugin("split_name")), transformed(dir.path(), file));
    assert_eq!(ours.lines().nth(1), Some("0,King Lovelace,0.25,2024-02-29,,King,Lovelace"));
    assert_eq!(ours, theirs);
}

/// What becomes of some thousand rows that pass the default plugin first.
fn transformed(dir: &Path, second: &Path) -> String {
    let names = [
        "King Lovelace",
        "\"van Beethoven, Ludwig\"",
        "Søren  Kierkegaard",
        "",
        "\"\"",
        "Oscar de la Renta",
        "Martin Luther King Jr.",
        "\u{3000}Plato\u{85}",
    ];
    let rows =
        (0..4000).map(|row| format!("{row},{},{row}.25,2024-02-29,\n", names[row % names.len()]));
    let input = format!("ID,Name,Price,Day,Empty\n{}", rows.collect::<String>());
    let (source, output) = (dir.join("people.csv"), dir.join("out.csv"));
    let (settings, config) = (dir.join("loader.toml"), dir.join("plugins.json"));
    fs::write(&source, input).expect("writes");
    fs::write(
        &config,
        r#"{"default": {"metadata": false, "decimal": {"precision": 18, "scale": 2}}}"#,
    )
    .expect("writes");
    let mut command = Command::new(program());
    command.arg("transform").arg(source).arg("-o").arg(&output).arg("--plugin-config").arg(config);
    command.arg("--config").arg(settings);
    command.arg("--plugins").arg(format!("{},{}", plugin("default").display(), second.display()));
    let ended = run(&mut command);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    fs::read_to_string(output).expect("it was written")
}

/// The plugin in this language; none when its tools are not there, which is said.
fn built(language: &str, tool: &str) -> Option<PathBuf> {
    let skipped = |why: &str| {
        // Past the capture of tests, so that it is seen.
        let _ =
            writeln!(std::io::stderr(), "skipped: the plugin in {language} was not tested, {why}");
        None
    };
    if !Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success()) {
        return skipped(&format!("{tool} is not installed"));
    }
    let folder = program().with_file_name("other-languages");
    let file = folder.join(format!("{language}-{:016x}.wasm", digest(language)));
    if file.exists() {
        return Some(file);
    }
    fs::create_dir_all(&folder).expect("a folder");
    let building = folder.join(format!("{language}-{}.new.wasm", std::process::id()));
    let script = root().join("plugins").join(language).join("split_name/build.sh");
    let ended = run(Command::new("sh").arg(&script).arg(&building));
    if ended.code == UNREACHABLE {
        return skipped("the packages that it is built with cannot be fetched");
    }
    assert_eq!(ended.code, 0, "{}\n{}{}", script.display(), ended.stdout, ended.stderr);
    fs::rename(building, &file).expect("renames");
    Some(file)
}

/// Of everything that the component is made of.
fn digest(language: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    let plugin = format!("plugins/{language}/split_name");
    let sdk = format!("sdk/{language}");
    for place in [&plugin, &sdk, "wit/0.1", "plugins/examples/split_name/config.schema.json"] {
        hash(&root().join(place), &mut hasher);
    }
    hasher.finish()
}

fn hash(path: &Path, hasher: &mut DefaultHasher) {
    if !path.is_dir() {
        path.hash(hasher);
        fs::read(path).expect("reads").hash(hasher);
        return;
    }
    let entries =
        fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut entries: Vec<PathBuf> = entries
        .filter(|path| !path.ends_with("node_modules") && !path.ends_with("__pycache__"))
        .collect();
    entries.sort();
    entries.iter().for_each(|entry| hash(entry, hasher));
}
