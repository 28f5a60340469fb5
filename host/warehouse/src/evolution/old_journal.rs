//! Journals of earlier versions, which were objects in the bucket. Whoever may write to the bucket
//! could have written one, so the loader says which views it names and runs nothing of it.

use loader_model::names::TableName;
use serde::Deserialize;

/// What is read of such an object. Other members are left alone.
#[derive(Deserialize)]
struct OldJournal {
    views: Vec<OldView>,
}

#[derive(Deserialize)]
struct OldView {
    name: TableName,
}

/// The names of the views that a journal has; empty when it cannot be read. Names that no view can
/// have are left out.
pub fn view_names(content: &[u8]) -> Vec<TableName> {
    let journal: Option<OldJournal> = serde_json::from_slice(content).ok();
    let views = journal.map(|journal| journal.views).unwrap_or_default();
    let names = views.into_iter().map(|view| view.name);
    names.filter(|name| TableName::new(&name.schema, &name.table).is_ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_read() {
        let names = |content: &str| {
            let names = view_names(content.as_bytes());
            names.iter().map(TableName::to_string).collect::<Vec<_>>().join(", ")
        };
        let view = r#"{"name": {"schema": "s", "table": "v"}, "create": "DROP TABLE t"}"#;
        let hostile = r#"{"name": {"schema": "s", "table": "\u001b[2J"}}"#;
        assert_eq!(names(&format!("{{\"version\": 1, \"views\": [{view}, {hostile}]}}")), "s.v");
        assert_eq!(names("{\"version\": 1"), "");
        assert_eq!(names("[]"), "");
    }
}
