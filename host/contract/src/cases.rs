//! The files of cases, which are built into the crate.

use serde::Deserialize;

use loader_model::error::{Context, Error, Kind, Result};

use crate::case::Case;

macro_rules! areas {
    ($($name:literal)+) => {
        /// Every file of `tests/warehouse`: its name and what is in it.
        const AREAS: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../tests/warehouse/", $name, ".toml"))),)+
        ];
    };
}

areas! {
    "alter" "copy" "copy_parquet" "dml" "execution" "grants" "isolation" "names" "sessions" "tables" "types" "views"
}

/// One file: the cases of an area.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Area {
    /// Where the facts are from, if a case does not say otherwise.
    source: Option<String>,
    case: Vec<Case>,
}

/// All cases, in the order of their files. Errors: `Internal` for a case that is not sound.
pub fn cases() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (name, text) in AREAS {
        let area: Area = toml::from_str(text)
            .context(Kind::Internal, format!("the cases of {name} cannot be read"))?;
        for case in area.case {
            cases.extend(case.of_area(name, area.source.as_deref())?.with_each_compression());
        }
    }
    one_name_each(&cases)?;
    Ok(cases)
}

fn one_name_each(cases: &[Case]) -> Result<()> {
    let mut names: Vec<String> = cases.iter().map(Case::name).collect();
    names.sort();
    match names.windows(2).find(|two| two[0] == two[1]) {
        Some(two) => {
            Err(Error::new(Kind::Internal, format!("two cases have the name {:?}", two[0])))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_case_is_sound() {
        assert!(cases().expect("sound cases").len() > 100);
    }

    #[test]
    fn no_file_is_left_out() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/warehouse");
        let files = std::fs::read_dir(folder).expect("the folder");
        let mut files: Vec<String> = files
            .map(|file| file.expect("a file").path())
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        files.sort();
        let areas: Vec<&str> = AREAS.iter().map(|(name, _)| *name).collect();
        assert_eq!(files, areas, "list the file in `areas!`");
    }
}
