//! `config/view_config.json`: which views a table has, as in the Glue job that the loader replaces.
//!
//! In: the object's text. Out: the CREATE VIEW statements of one target's views. A mistake in an
//! entry for another table does not stop the loads of this table, unless it hides which table the
//! entry is for. (For example, a broken `definition` for `orders` stops no load of `customers`, but
//! an entry without `source_table` stops both.)

mod template;

use loader_model::error::{Error, Kind, Result};
use loader_model::names::{S3Uri, TableName};
use serde_json::{Map, Value};

use crate::evolution::view_config::template::Values;
use crate::sql_text;

/// A view that belongs to the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredView {
    pub name: TableName,
    /// One `CREATE [OR REPLACE] VIEW` statement without `;`, with a schema before the view's name.
    pub create: String,
}

/// What the file has for a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewConfig {
    /// The target's views, in the order of the file.
    pub views: Vec<ConfiguredView>,
    /// Entries for a table of the target's name in another schema, as sentences. The Glue job would
    /// have made their views.
    pub notices: Vec<String>,
}

/// The views of all entries whose `source_table` and `schema_name` are the target's.
///
/// Keys that the loader does not know are ignored, since other programs may read them.
/// Errors: `Config`, with the object and the line or the entry.
pub fn parse(text: &str, origin: &S3Uri, target: &TableName) -> Result<ViewConfig> {
    let entries = entries(text, origin)?;
    let mut notices = Vec::new();
    let mut views: Vec<(usize, ConfiguredView)> = Vec::new();
    for entry in &entries {
        match entry.schema_for(target)? {
            Some(schema) if schema == target.schema => {
                views.push((entry.number, entry.view(target)?));
            }
            Some(schema) => notices.push(entry.of_another_schema(&schema, target)),
            None => {}
        }
    }
    for (number, view) in &views {
        check_alone(*number, &view.name, &entries)?;
    }
    Ok(ViewConfig { views: views.into_iter().map(|(_, view)| view).collect(), notices })
}

/// Refuses a view that has two entries.
fn check_alone(number: usize, view: &TableName, entries: &[Entry<'_>]) -> Result<()> {
    let same = |entry: &&Entry<'_>| entry.number != number && entry.names(view);
    let Some(other) = entries.iter().find(same) else { return Ok(()) };
    let (first, second) = (other.number.min(number), other.number.max(number));
    let fact = format!(
        "{}: entries {first} and {second} both define the view {view}; keep one",
        other.origin
    );
    Err(Error::new(Kind::Config, fact))
}

/// One entry of the list.
struct Entry<'a> {
    origin: &'a S3Uri,
    /// From 1, as people count.
    number: usize,
    fields: Map<String, Value>,
}

fn entries<'a>(text: &str, origin: &'a S3Uri) -> Result<Vec<Entry<'a>>> {
    let entry = |(number, value)| match value {
        Value::Object(fields) => Ok(Entry { origin, number, fields }),
        other => Err(Error::new(
            Kind::Config,
            format!("{origin}, entry {number} is {}, expected an object", kind_of(&other)),
        )),
    };
    (1..).zip(list(text, origin)?).map(entry).collect()
}

fn list(text: &str, origin: &S3Uri) -> Result<Vec<Value>> {
    let fact = match serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        Ok(Value::Array(list)) => return Ok(list),
        Ok(other) => format!("{origin} holds {}, expected a list of views", kind_of(&other)),
        Err(error) => {
            // serde_json ends its text with ` at line 2 column 11`; here the place comes first.
            let reason = error.to_string();
            let reason = reason.split(" at line ").next().unwrap_or_default();
            let (line, column) = (error.line(), error.column());
            format!("{origin}, line {line}, column {column}: no valid JSON: {reason}")
        }
    };
    Err(Error::new(Kind::Config, fact))
}

impl Entry<'_> {
    /// The schema of an entry for a table of the target's name; `None` for other tables. Errors:
    /// `Config` when the entry does not say so.
    fn schema_for(&self, target: &TableName) -> Result<Option<String>> {
        // The schema is read only where the table matches, so entries for other tables may lack it.
        match self.text("source_table")?.to_ascii_lowercase() == target.table {
            true => self.text("schema_name").map(|schema| Some(schema.to_ascii_lowercase())),
            false => Ok(None),
        }
    }

    fn of_another_schema(&self, schema: &str, target: &TableName) -> String {
        let view = self.fields.get("view_name").and_then(Value::as_str).unwrap_or("without a name");
        format!(
            "{}, entry {} (view {view}) is for {schema}.{}, and the table is {target}: its view is \
             not made; where it is meant for this table, write {} as its schema_name",
            self.origin, self.number, target.table, target.schema
        )
    }

    /// Whether the entry defines this view. An entry whose names cannot be read defines none.
    fn names(&self, view: &TableName) -> bool {
        let is = |key: &str, wanted: &str| {
            self.text(key).is_ok_and(|text| text.to_ascii_lowercase() == wanted)
        };
        is("schema_name", &view.schema) && is("view_name", &view.table)
    }

    fn view(&self, target: &TableName) -> Result<ConfiguredView> {
        let values = Values {
            schema_name: self.text("schema_name")?,
            view_name: self.text("view_name")?,
            source_table: self.text("source_table")?,
        };
        let name = TableName::new(values.schema_name, values.view_name);
        let name = name.map_err(|error| self.fault(&error.to_string()))?;
        if name == *target {
            return Err(
                self.fault("view_name is the table itself; give the view a name of its own")
            );
        }
        let sql = values.expand(self.text("definition")?).map_err(|fault| self.fault(&fault))?;
        let create = self.statement(&name, &sql)?;
        Ok(ConfiguredView { name, create })
    }

    /// Checks that the definition creates this very view, and writes the schema before a name that
    /// has none: `create view v as select 1` becomes `create view "public".v as select 1`.
    fn statement(&self, name: &TableName, sql: &str) -> Result<String> {
        let Some(sql) = sql_text::single_statement(sql) else {
            return Err(
                self.fault("definition holds more than one statement; keep the CREATE VIEW alone")
            );
        };
        let Some(create) = sql_text::create_view(sql).filter(|create| !create.materialized) else {
            return Err(self.fault("definition is no CREATE VIEW or CREATE OR REPLACE VIEW"));
        };
        let (view, before) =
            create.name.split_last().map_or(("", [].as_slice()), |(view, rest)| (view, rest));
        // Before the view's name stand nothing, its schema, or its database and its schema.
        let schema = before.last().unwrap_or(&name.schema);
        if *view != name.table || *schema != name.schema {
            let fact = format!(
                "definition creates {schema}.{view}; make schema_name and view_name say the same"
            );
            return Err(self.fault(&fact));
        }
        Ok(match before {
            [] => with_schema(sql, create.name_at.start, &name.schema),
            [..] => sql.to_owned(),
        })
    }

    fn text(&self, key: &str) -> Result<&str> {
        match self.fields.get(key) {
            Some(Value::String(text)) => Ok(text),
            Some(other) => {
                Err(self.fault(&format!("{key} is {}, expected a text", kind_of(other))))
            }
            None => Err(self.fault(&format!("{key} is missing"))),
        }
    }

    fn fault(&self, fact: &str) -> Error {
        let view = self.fields.get("view_name").and_then(Value::as_str);
        let view = view.map(|view| format!(" (view {view})")).unwrap_or_default();
        Error::new(Kind::Config, format!("{}, entry {}{view}: {fact}", self.origin, self.number))
    }
}

/// Writes a schema before the name that stands at this place.
fn with_schema(sql: &str, at: usize, schema: &str) -> String {
    let (start, rest) = sql.split_at(at);
    format!("{start}{}.{rest}", crate::sql::ident(schema))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        let target = TableName::new("public", "customers").expect("a valid name");
        match parse(text, &S3Uri::new("b", "config/view_config.json"), &target) {
            Ok(ViewConfig { views, notices }) => views
                .iter()
                .map(|view| format!("{}: {}\n", view.name, view.create))
                .chain(notices)
                .collect(),
            Err(error) => {
                assert_eq!(error.kind(), Kind::Config);
                error.to_string()
            }
        }
    }

    /// One entry for the target, with this definition.
    fn defined(definition: &str) -> String {
        let entry = serde_json::json!([{
            "source_table": "customers", "view_name": "v", "schema_name": "public", "definition": definition,
        }]);
        check(&entry.to_string())
    }

    #[test]
    fn the_glue_jobs_file_is_read() {
        let text = r#"[
          {
            "source_table": "customers",
            "view_name": "v_customers",
            "schema_name": "public",
            "definition": "CREATE OR REPLACE VIEW {schema_name}.{view_name} AS SELECT * FROM {schema_name}.{source_table} WHERE active = true"
          },
          {
            "source_table": "orders",
            "view_name": "v_orders",
            "schema_name": "public",
            "definition": "CREATE OR REPLACE VIEW {schema_name}.{view_name} AS SELECT * FROM {schema_name}.{source_table}"
          },
          {
            "source_table": "Customers",
            "view_name": "late",
            "schema_name": "PUBLIC",
            "team": ["of", "no", "interest"],
            "definition": "create view {view_name} as select '{{}}' x from public.customers with no schema binding;\n"
          }
        ]"#;
        insta::assert_snapshot!(check(text), @r#"
        public.v_customers: CREATE OR REPLACE VIEW public.v_customers AS SELECT * FROM public.customers WHERE active = true
        public.late: create view "public".late as select '{}' x from public.customers with no schema binding
        "#);
        assert_eq!(check("\u{feff}[]"), "");
    }

    #[test]
    fn mistakes_in_the_file_are_named() {
        insta::assert_snapshot!(check("[\n  {\"a\": 1,}\n]"), @"s3://b/config/view_config.json, line 2, column 11: no valid JSON: trailing comma");
        insta::assert_snapshot!(check(""), @"s3://b/config/view_config.json, line 1, column 0: no valid JSON: EOF while parsing a value");
        insta::assert_snapshot!(check("{}"), @"s3://b/config/view_config.json holds an object, expected a list of views");
        insta::assert_snapshot!(check("[7]"), @"s3://b/config/view_config.json, entry 1 is a number, expected an object");
        insta::assert_snapshot!(check("[{\"view_name\": \
                                       \"v\"}]"), @"s3://b/config/view_config.json, entry 1 (view v): source_table is missing");
        insta::assert_snapshot!(check("[{\"source_table\": \
                                       7}]"), @"s3://b/config/view_config.json, entry 1: source_table is a number, expected a text");
        insta::assert_snapshot!(check("[{\"source_table\": \
                                       \"customers\"}]"), @"s3://b/config/view_config.json, entry 1: schema_name is missing");
        insta::assert_snapshot!(check("[{\"source_table\": \"customers\", \"schema_name\": \
                                       \"public\"}]"), @"s3://b/config/view_config.json, entry 1: view_name is missing");
    }

    #[test]
    fn an_entry_for_another_schema_is_said() {
        let text = r#"[{"source_table": "orders"},
            {"source_table": "customers", "schema_name": "X", "view_name": "v"}]"#;
        insta::assert_snapshot!(check(text), @"s3://b/config/view_config.json, entry 2 (view v) is for x.customers, and the table is public.customers: its view is not made; where it is meant for this table, write public as its schema_name");
    }

    #[test]
    fn mistakes_in_a_definition_are_named() {
        insta::assert_snapshot!(defined("CREATE VIEW {schema}.{view_name} AS SELECT \
                                         1"), @"s3://b/config/view_config.json, entry 1 (view v): definition has the unknown placeholder {schema}; there are {schema_name}, {view_name} and {source_table}, and {{ and }} stand for braces");
        insta::assert_snapshot!(defined("CREATE VIEW {schema_name}.{view_name AS SELECT \
                                         1"), @"s3://b/config/view_config.json, entry 1 (view v): definition has a lone `{` at character 27; write `{{` for a brace that is meant as one");
        insta::assert_snapshot!(defined("CREATE VIEW public.v AS SELECT \
                                         '}'"), @"s3://b/config/view_config.json, entry 1 (view v): definition has a lone `}` at character 33; write `}}` for a brace that is meant as one");
        insta::assert_snapshot!(defined("SELECT 1"), @"s3://b/config/view_config.json, entry 1 (view v): definition is no CREATE VIEW or CREATE OR REPLACE VIEW");
        insta::assert_snapshot!(defined("CREATE MATERIALIZED VIEW public.v AS SELECT \
                                         1"), @"s3://b/config/view_config.json, entry 1 (view v): definition is no CREATE VIEW or CREATE OR REPLACE VIEW");
        insta::assert_snapshot!(defined("CREATE VIEW public.w AS SELECT \
                                         1"), @"s3://b/config/view_config.json, entry 1 (view v): definition creates public.w; make schema_name and view_name say the same");
        insta::assert_snapshot!(defined("CREATE VIEW public.v AS SELECT 1; GRANT SELECT ON \
                                         public.v TO PUBLIC"), @"s3://b/config/view_config.json, entry 1 (view v): definition holds more than one statement; keep the CREATE VIEW alone");
        assert_eq!(
            defined("CREATE VIEW dev.\"PUBLIC\".\"V\" AS SELECT 1;"),
            "public.v: CREATE VIEW dev.\"PUBLIC\".\"V\" AS SELECT 1\n"
        );
    }

    #[test]
    fn a_view_has_one_entry() {
        let entry = |table: &str, view: &str| {
            serde_json::json!({"source_table": table, "view_name": view, "schema_name": "public",
                "definition": "CREATE VIEW {schema_name}.{view_name} AS SELECT 1"})
        };
        let file = |entries: Vec<Value>| Value::Array(entries).to_string();
        insta::assert_snapshot!(check(&file(vec![entry("orders", "v"), entry("x", "y"), entry("customers", "V")])), @"s3://b/config/view_config.json: entries 1 and 3 both define the view public.v; keep one");
        insta::assert_snapshot!(check(&file(vec![entry("customers", "customers")])), @"s3://b/config/view_config.json, entry 1 (view customers): view_name is the table itself; give the view a name of its own");
        insta::assert_snapshot!(check(&file(vec![entry("customers", "my-view")])), @"s3://b/config/view_config.json, entry 1 (view my-view): view_name is `my-view`, and {view_name} puts in plain names only (letters, digits, _, $; no digit first); write the quoted name into the definition instead");
    }
}
