//! The journal of a schema change that cannot be one transaction: the views that the change drops,
//! written to S3 before the first of them is dropped.
//!
//! A journal is one JSON object for one run, with a version. It also lists the statements that
//! bring the views back, for people; the loader ignores them when it reads a journal. This module
//! makes and reads the content, and the program writes, reads and deletes the object.

use loader_model::error::{Context, Error, Kind, Result};
use loader_model::names::{S3Uri, TableName};
use serde::{Deserialize, Serialize};

use crate::saved_view::SavedView;

/// The only version so far.
const VERSION: u32 = 1;

/// What a run drops and must bring back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Journal {
    pub run_id: String,
    /// The table that the run changes.
    pub target: TableName,
    /// For people. The loader takes a journal's age from the time that S3 has for the object.
    pub written_at: String,
    /// In the order in which they can be created.
    pub views: Vec<SavedView>,
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    run_id: &'a str,
    target: &'a TableName,
    written_at: &'a str,
    views: &'a [SavedView],
    /// What a person runs to bring the views back by hand. The statements name the owner of every
    /// view, since any user may run them.
    restore: Vec<String>,
}

// The version is read by itself before the rest. A journal of a newer version may lack fields that
// this version needs, and `missing field` would not say that a newer program wrote the journal.
#[derive(Deserialize)]
#[serde(expecting = "an object with a version")]
struct Versioned {
    version: u32,
}

impl Journal {
    /// The object's content.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        // No user has an empty name, so `restore_sql("")` takes every owner for another user and
        // ends with ALTER TABLE … OWNER.
        let written = Written {
            version: VERSION,
            run_id: &self.run_id,
            target: &self.target,
            written_at: &self.written_at,
            views: &self.views,
            restore: self.views.iter().flat_map(|view| view.restore_sql("")).collect(),
        };
        serde_json::to_vec_pretty(&written)
            .context(Kind::Internal, "a journal cannot be written as JSON")
    }

    /// Reads what `to_json` wrote. Later versions of the loader must read it too. Errors: `Config`,
    /// with the name of the object.
    pub fn parse(content: &[u8], origin: &S3Uri) -> Result<Journal> {
        let version = serde_json::from_slice(content).map(|Versioned { version }| version);
        let version = version.map_err(|error| broken(origin, &error))?;
        if version != VERSION {
            let fact = format!(
                "the journal {origin} has version {version}, this program reads version {VERSION}; \
                 run the newer program that wrote it, or run the statements under `restore` in it \
                 by hand and delete it"
            );
            return Err(Error::new(Kind::Config, fact));
        }
        serde_json::from_slice(content).map_err(|error| broken(origin, &error))
    }
}

fn broken(origin: &S3Uri, error: &serde_json::Error) -> Error {
    let fact = format!(
        "the journal {origin} cannot be read: {error}; bring back the views that it names by hand, \
         then delete it"
    );
    Error::new(Kind::Config, fact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saved_view::{Grant, Grantee, ViewKind};

    fn name(table: &str) -> TableName {
        TableName { schema: "s".into(), table: table.into() }
    }

    fn grant(grantee: Grantee, columns: Vec<String>) -> Grant {
        Grant { privilege: "SELECT".into(), columns, grantee, grantable: false }
    }

    fn journal() -> Journal {
        let view = SavedView {
            name: name("v"),
            kind: ViewKind::Bound,
            create: "CREATE VIEW \"s\".\"v\" AS SELECT t.a FROM t".into(),
            owner: "ann".into(),
            grants: vec![
                grant(Grantee::Public, Vec::new()),
                grant(Grantee::Group("g".into()), vec!["a".into()]),
            ],
            comment: None,
            column_comments: vec![("a".into(), "it's".into())],
        };
        Journal {
            run_id: "run1".into(),
            target: name("t"),
            written_at: "2025-01-19 10:30:00".into(),
            views: vec![view],
        }
    }

    #[test]
    fn people_can_read_it_and_so_can_the_program() {
        let origin = S3Uri::new("b", "data/journal/run1.json");
        let json = journal().to_json().expect("it can be written");
        assert_eq!(Journal::parse(&json, &origin).expect("it can be read"), journal());
        insta::assert_snapshot!(String::from_utf8_lossy(&json), @r#"
        {
          "version": 1,
          "run_id": "run1",
          "target": {
            "schema": "s",
            "table": "t"
          },
          "written_at": "2025-01-19 10:30:00",
          "views": [
            {
              "name": {
                "schema": "s",
                "table": "v"
              },
              "kind": "bound",
              "create": "CREATE VIEW \"s\".\"v\" AS SELECT t.a FROM t",
              "owner": "ann",
              "grants": [
                {
                  "privilege": "SELECT",
                  "grantee": "public",
                  "grantable": false
                },
                {
                  "privilege": "SELECT",
                  "columns": [
                    "a"
                  ],
                  "grantee": {
                    "group": "g"
                  },
                  "grantable": false
                }
              ],
              "comment": null,
              "column_comments": [
                [
                  "a",
                  "it's"
                ]
              ]
            }
          ],
          "restore": [
            "CREATE VIEW \"s\".\"v\" AS SELECT t.a FROM t",
            "COMMENT ON COLUMN \"s\".\"v\".\"a\" IS 'it''s'",
            "GRANT SELECT ON \"s\".\"v\" TO PUBLIC",
            "GRANT SELECT (\"a\") ON \"s\".\"v\" TO GROUP \"g\"",
            "ALTER TABLE \"s\".\"v\" OWNER TO \"ann\""
          ]
        }
        "#);
    }

    #[test]
    fn what_cannot_be_read_names_the_object() {
        let origin = S3Uri::new("b", "data/journal/x.json");
        let error = |content: &str| {
            Journal::parse(content.as_bytes(), &origin).expect_err("it is broken").to_string()
        };
        insta::assert_snapshot!(error("{\"version\": 2}"), @"the journal s3://b/data/journal/x.json has version 2, this program reads version 1; run the newer program that wrote it, or run the statements under `restore` in it by hand and delete it");
        insta::assert_snapshot!(error("{\"version\": 1, \"run_id\": \
                                       \"r\"}"), @"the journal s3://b/data/journal/x.json cannot be read: missing field `target` at line 1 column 29; bring back the views that it names by hand, then delete it");
        insta::assert_snapshot!(error("{\"version\": 1"), @"the journal s3://b/data/journal/x.json cannot be read: EOF while parsing an object at line 1 column 13; bring back the views that it names by hand, then delete it");
        insta::assert_snapshot!(error("[]"), @"the journal s3://b/data/journal/x.json cannot be read: invalid length 0, expected an object with a version at line 1 column 2; bring back the views that it names by hand, then delete it");
    }
}
