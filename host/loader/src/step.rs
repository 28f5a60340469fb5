//! The names of the steps, as the report and the log write them. The steps themselves are in
//! `steps/`, a file each, in the same order.

/// A step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Plugins,
    Source,
    Catalog,
    Recover,
    Infer,
    Plan,
    CheckEvolution,
    Stage,
    Evolve,
    Load,
    Cleanup,
}

impl Step {
    /// All steps, in order.
    pub(crate) const ALL: [Step; 11] = [
        Step::Plugins,
        Step::Source,
        Step::Catalog,
        Step::Recover,
        Step::Infer,
        Step::Plan,
        Step::CheckEvolution,
        Step::Stage,
        Step::Evolve,
        Step::Load,
        Step::Cleanup,
    ];

    /// The step's name, which is also the name of its file: `check_evolution` is in
    /// `steps/check_evolution.rs`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Step::Plugins => "plugins",
            Step::Source => "source",
            Step::Catalog => "catalog",
            Step::Recover => "recover",
            Step::Infer => "infer",
            Step::Plan => "plan",
            Step::CheckEvolution => "check_evolution",
            Step::Stage => "stage",
            Step::Evolve => "evolve",
            Step::Load => "load",
            Step::Cleanup => "cleanup",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// `**name**` of the README's numbered list of steps.
    fn steps_of_the_readme() -> Vec<String> {
        let readme = include_str!("../../../README.md");
        let section = readme.split("## What a load does").nth(1).expect("the section");
        let section = section.split("\n## ").next().unwrap_or_default();
        let numbered =
            section.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
        numbered.filter_map(|line| Some(line.split("**").nth(1)?.to_owned())).collect()
    }

    #[test]
    fn folder_report_and_readme_have_one_list() {
        let names: Vec<&str> = Step::ALL.map(Step::name).to_vec();
        assert_eq!(steps_of_the_readme(), names);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/steps");
        let files = std::fs::read_dir(folder).expect("the folder");
        let mut files: Vec<String> = files
            .map(|file| file.expect("a file").path())
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .filter(|stem| !stem.is_empty())
            .collect();
        files.sort();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert_eq!(files, sorted);
    }
}
