//! Schemas that could keep a validator busy or fill its memory are refused before the validator
//! sees them.
//!
//! A schema of a few lines can unfold into billions (`allOf` twice the next, sixty times over), and
//! a schema that refers to itself without going into a value never ends. Recursion through values
//! is fine: the config, which is the user's own, bounds it.

use std::collections::HashMap;

use serde_json::Value;

/// What a schema may unfold into, counted in subschemas. 10,000: a plugin's config has some dozens.
const MOST_SUBSCHEMAS: u64 = 10_000;

/// `Err` says what is wrong with the schema.
pub(super) fn refuse(schema: &Value) -> Result<(), String> {
    let mut unfolding = Unfolding { root: schema, weights: HashMap::new() };
    let weight = unfolding.weight(schema, &mut Vec::new())?;
    match weight <= MOST_SUBSCHEMAS {
        true => Ok(()),
        false => Err(format!("it unfolds into more than {MOST_SUBSCHEMAS} subschemas")),
    }
}

struct Unfolding<'a> {
    root: &'a Value,
    /// How many subschemas a schema unfolds into, by its address.
    weights: HashMap<*const Value, u64>,
}

/// How a subschema is applied.
#[derive(Clone, Copy, PartialEq)]
enum Applied {
    /// To the value that the schema around it is applied to.
    InPlace,
    /// To something within that value, or by reference only.
    Within,
}

impl<'a> Unfolding<'a> {
    /// How many subschemas this schema unfolds into, itself included. `path`: the way to it from
    /// the root.
    fn weight(
        &mut self,
        schema: &'a Value,
        path: &mut Vec<(*const Value, Applied)>,
    ) -> Result<u64, String> {
        let address = std::ptr::from_ref(schema);
        if let Some(weight) = self.weights.get(&address) {
            return Ok(*weight);
        }
        let mut weight = 1_u64;
        for (child, applied) in self.children(schema, path.is_empty())? {
            path.push((address, applied));
            let on_the_way = path.iter().position(|(above, _)| *above == std::ptr::from_ref(child));
            weight = weight.saturating_add(match on_the_way {
                Some(at) if path[at..].iter().all(|(_, applied)| *applied == Applied::InPlace) => {
                    return Err("it refers to itself without going into a value".to_owned());
                }
                Some(_) => 0,
                None => self.weight(child, path)?,
            });
            path.pop();
        }
        self.weights.insert(address, weight);
        Ok(weight)
    }

    /// The subschemas that a schema names itself, each with how it is applied.
    fn children(
        &self,
        schema: &'a Value,
        is_root: bool,
    ) -> Result<Vec<(&'a Value, Applied)>, String> {
        let Value::Object(keywords) = schema else { return Ok(Vec::new()) };
        let mut children = Vec::new();
        for (keyword, value) in keywords {
            match keyword.as_str() {
                "$ref" => children.push((self.target(value)?, Applied::InPlace)),
                "$dynamicRef" | "$recursiveRef" => {
                    return Err(format!("{keyword} is not followed"));
                }
                "$id" | "id" if !is_root && value.is_string() => {
                    return Err(format!("{keyword} stands only at the root"));
                }
                // Their values are settings, not schemas.
                "enum" | "const" | "default" | "examples" => {}
                keyword => {
                    let applied = applied(keyword);
                    children.extend(subschemas(keyword, value).map(|value| (value, applied)));
                }
            }
        }
        Ok(children)
    }

    /// What a `$ref` points to.
    fn target(&self, reference: &Value) -> Result<&'a Value, String> {
        let reference = reference.as_str().unwrap_or_default();
        let pointer = reference
            .strip_prefix('#')
            .filter(|pointer| pointer.is_empty() || pointer.starts_with('/'));
        let Some(pointer) = pointer else {
            return Err(format!(
                "$ref {reference:?} is not followed: only #/… within the schema is"
            ));
        };
        self.root.pointer(pointer).ok_or_else(|| format!("$ref {reference:?} leads nowhere"))
    }
}

fn applied(keyword: &str) -> Applied {
    match keyword {
        "allOf" | "anyOf" | "oneOf" | "not" | "if" | "then" | "else" | "dependentSchemas"
        | "dependencies" => Applied::InPlace,
        _ => Applied::Within,
    }
}

/// The schemas in a keyword's value: itself, the elements of a list, or the values of a map whose
/// keys are names.
fn subschemas<'a>(keyword: &str, value: &'a Value) -> Box<dyn Iterator<Item = &'a Value> + 'a> {
    let is_map = matches!(
        keyword,
        "properties"
            | "patternProperties"
            | "$defs"
            | "definitions"
            | "dependentSchemas"
            | "dependencies"
    );
    match value {
        Value::Array(values) => Box::new(values.iter()),
        Value::Object(values) if is_map => Box::new(values.values()),
        Value::Object(_) => Box::new(std::iter::once(value)),
        _ => Box::new(std::iter::empty()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(schema: &Value) -> String {
        refuse(schema).err().unwrap_or_default()
    }

    #[test]
    fn a_schema_that_doubles_its_work_is_refused() {
        let mut defs = serde_json::Map::new();
        for level in 0..60 {
            let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
            defs.insert(format!("d{level}"), json!({"anyOf": [next, next.clone()]}));
        }
        defs.insert("d60".to_owned(), json!({"type": "object"}));
        let schema = json!({"$ref": "#/$defs/d0", "$defs": defs});
        assert_eq!(refusal(&schema), "it unfolds into more than 10000 subschemas");
    }

    #[test]
    fn a_schema_without_end_is_refused() {
        const ENDLESS: &str = "it refers to itself without going into a value";
        assert_eq!(refusal(&json!({"$ref": "#"})), ENDLESS);
        assert_eq!(
            refusal(
                &json!({"properties": {"a": {"allOf": [{"not": {"$ref": "#/properties/a"}}]}}})
            ),
            ENDLESS
        );
        let all = json!({"anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}]});
        assert_eq!(refusal(&json!({"$ref": "#/$defs/a", "$defs": {"a": all, "b": all}})), ENDLESS);
        assert_eq!(refusal(&json!({"$dynamicRef": "#"})), "$dynamicRef is not followed");
    }

    #[test]
    fn recursion_through_values_is_fine() {
        let tree = json!({
            "$id": "tree",
            "properties": {"left": {"$ref": "#"}, "and": {"type": "array", "items": {"$ref": "#"}}, "id": {"type": "string"}},
            "default": {"id": "x", "$ref": "#"}
        });
        assert_eq!(refusal(&tree), "");
    }

    #[test]
    fn references_stay_within_the_schema() {
        let refused = [
            (
                "https://example.com/a.json",
                "$ref \"https://example.com/a.json\" is not followed: only #/… within the schema \
                 is",
            ),
            (
                "file:///etc/passwd",
                "$ref \"file:///etc/passwd\" is not followed: only #/… within the schema is",
            ),
            ("#/$defs/none", "$ref \"#/$defs/none\" leads nowhere"),
        ];
        for (reference, words) in refused {
            assert_eq!(refusal(&json!({"items": {"$ref": reference}})), words);
        }
        let renamed = json!({"properties": {"a": {"$id": "other", "$ref": "#"}}});
        assert_eq!(refusal(&renamed), "$id stands only at the root");
    }
}
