//! The remedies that messages name, tried: `remedies.toml` of a case.
//!
//! In: what the case's loads said, and for each remedy the words that name it. Out: what the table
//! holds after the remedy, for `expected.txt`. Flags, statements and filters are taken from the
//! message as they stand there, so a message that names a wrong one fails. A remedy must end with
//! exit code 0, and its words must not come again.
//!
//! ```toml
//! # Named, and no remedy: for example, the flag that is wrong.
//! mentions = ["--duplicates"]
//!
//! [[remedy]]
//! says = "--delimiter ';'"   # applied as it stands
//!
//! [[remedy]]
//! says = "take out the footer"
//! input = "id,name\n1,a\n"    # the file as its producer corrects it
//! ```

use std::fmt::Write;
use std::io::Write as _;
use std::process::{Command, Stdio};

use loader_tests::cases::command_line::{arguments, flag, flags, without};
use loader_tests::cases::{Case, Given, Heard, load, outcome, plan_and_load, said, table};
use loader_tests::{Place, plugin, program, run, world};
use serde::Deserialize;

/// The file `remedies.toml`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remedies {
    /// Flags that messages name without advising them.
    #[serde(default)]
    mentions: Vec<String>,
    #[serde(default)]
    remedy: Vec<Remedy>,
}

/// One remedy. Without any part but `says`, the words are arguments when they begin with `--`, and
/// else a statement, in which `…` is the table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Remedy {
    /// Words of the message.
    says: String,
    /// Arguments, where the message leaves a part of them to the user: of the flags in `says`, if
    /// there are any (`correct the delimiter` has none).
    arguments: Option<Vec<String>>,
    /// Flags that are left away.
    #[serde(default)]
    without: Vec<String>,
    /// Statements, where the message leaves them to the user.
    #[serde(default)]
    sql: Vec<String>,
    /// The corrected file.
    input: Option<String>,
    /// A command of the message that makes the corrected file from the wrong one.
    filter: Option<String>,
    /// The corrected settings file. `{sha256}` is what `loader plugin check` prints of a plugin.
    settings: Option<String>,
    /// Configs of plugins, as JSON for `--plugin-config`.
    plugin_config: Option<String>,
}

/// Applies each remedy of a case, and tells what then is in the table.
///
/// Panics when a refusal, or a flag that a message names, has no remedy here.
pub(crate) fn applied(case: &Case, heard: &[Heard]) -> String {
    let text = std::fs::read_to_string(case.path("remedies.toml")).unwrap_or_default();
    let remedies: Remedies =
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", case.name()));
    check_that_all_are_tried(&case.name(), heard, &remedies);
    let mut found = String::new();
    for (number, remedy) in (1..).zip(&remedies.remedy) {
        let is_named = |heard: &&Heard| heard.said.iter().any(|text| text.contains(&remedy.says));
        let Some(heard) = heard.iter().find(is_named) else {
            panic!("{}: no message says `{}`", case.name(), remedy.says)
        };
        let place = case.place(&format!("-remedy-{number}"));
        write!(found, "\nremedy {}\n{}", remedy.says, remedy.try_on(case, &place, heard))
            .expect("a string takes everything");
    }
    found
}

fn check_that_all_are_tried(name: &str, heard: &[Heard], remedies: &Remedies) {
    for text in heard.iter().flat_map(|heard| &heard.said) {
        for flag in flags(text).into_iter().filter(|flag| !remedies.mentions.contains(flag)) {
            let tries = |remedy: &Remedy| flags(&remedy.says).contains(&flag);
            assert!(remedies.remedy.iter().any(tries), "{name}: {flag} is not tried: {text}");
        }
    }
    for text in heard.iter().filter(|heard| heard.is_refused).flat_map(|heard| &heard.said) {
        let is_tried = remedies.remedy.iter().any(|remedy| text.contains(&remedy.says));
        assert!(is_tried, "{name}: no remedy is tried for: {text}");
    }
}

impl Remedy {
    /// After a refusal the remedy meets what the refusal has left; what a notice advises is done in
    /// time for the same file.
    fn try_on(&self, case: &Case, place: &Place, heard: &Heard) -> String {
        let inputs = case.inputs();
        let before = inputs.iter().take_while(|input| **input != heard.input);
        for input in before.chain(heard.is_refused.then_some(&heard.input)) {
            put(place, input, case.content(input));
            load("run", place, input, &case.given(input));
        }
        for statement in self.statements() {
            place.execute(&statement);
        }
        let given = self.given(case, place, &heard.input);
        let source = value(&given.arguments, "--source-file-name").unwrap_or(&heard.input);
        put(place, source, self.content(case.content(&heard.input)));
        let (planned, report) = plan_and_load(place, &heard.input, &given);
        let name = format!("{}, remedy `{}`", case.name(), self.says);
        assert_eq!(report.ended.code, 0, "{name} does not work: {}", report.error());
        let again = said(&report).into_iter().find(|text| text.contains(&self.says));
        assert!(again.is_none(), "{name} is said again: {again:?}");
        let target = value(&given.arguments, "--target-table").unwrap_or("t");
        outcome(&name, &planned, &report) + &table(place, target)
    }

    fn given(&self, case: &Case, place: &Place, input: &str) -> Given {
        let own = case.given(input);
        let new = self.new_arguments();
        let mut arguments = without(without(own.arguments, &new), &self.without);
        arguments.extend(new);
        let written = |name: &str, text: &Option<String>| {
            place.write(name, with_digest(text.as_ref()?));
            Some(world().dir().join(&place.name).join(name))
        };
        if let Some(configs) = written("plugin-config.json", &self.plugin_config) {
            arguments.extend(["--plugin-config".into(), configs.to_string_lossy().into_owned()]);
        }
        Given { arguments, settings: written("loader.toml", &self.settings).or(own.settings) }
    }

    fn new_arguments(&self) -> Vec<String> {
        let stands = || self.says.starts_with("--").then(|| arguments(&self.says));
        let new = self.arguments.clone().or_else(stands).unwrap_or_default();
        let named = flags(&self.says);
        for argument in new.iter().filter(|argument| argument.starts_with("--")) {
            let flag = flag(argument);
            let is_meant = named.is_empty() || named.iter().any(|named| named == flag);
            assert!(is_meant, "`{}` does not name {flag}", self.says);
        }
        new
    }

    fn statements(&self) -> Vec<String> {
        match self.says.split(' ').next() {
            Some("ALTER") => vec![self.says.replace('…', "{s}.t")],
            _ => self.sql.clone(),
        }
    }

    /// The file as it then is. `wrong`: as it was.
    fn content(&self, wrong: Option<Vec<u8>>) -> Option<Vec<u8>> {
        match (&self.input, &self.filter) {
            (Some(input), _) => Some(input.clone().into_bytes()),
            (None, Some(filter)) => {
                assert!(self.says.contains(filter), "`{}` does not name {filter}", self.says);
                Some(filtered(filter, &wrong.expect("there is a file")))
            }
            (None, None) => wrong,
        }
    }
}

fn put(place: &Place, name: &str, content: Option<Vec<u8>>) {
    if let Some(content) = content {
        place.put(name, content);
    }
}

/// The text with the digest of the plugin `mask_pii`, if it has a place for one.
fn with_digest(text: &str) -> String {
    if !text.contains("{sha256}") {
        return text.to_owned();
    }
    let checked = run(Command::new(program()).args(["plugin", "check"]).arg(plugin("mask_pii")));
    let (_, digest) = checked.stdout.split_once("sha256 ").expect("it prints the digest");
    text.replace("{sha256}", digest.lines().next().unwrap_or_default())
}

/// The value of a flag.
fn value<'a>(arguments: &'a [String], flag: &str) -> Option<&'a str> {
    let place = arguments.iter().position(|argument| argument == flag)?;
    arguments.get(place + 1).map(String::as_str)
}

/// What a command makes of bytes.
fn filtered(filter: &str, bytes: &[u8]) -> Vec<u8> {
    let words = arguments(filter);
    let mut command = Command::new(&words[0]);
    let command = command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the program is there");
    child.stdin.take().expect("a pipe").write_all(bytes).expect("reads");
    child.wait_with_output().expect("ends").stdout
}
