//! Refuses schemas that could keep a validator busy or fill its memory, before the validator sees
//! them.
//!
//! A schema of a few lines can unfold into billions of subschemas: for example, sixty definitions
//! that each name the next one twice in an `allOf`. And a schema that refers to itself without
//! going into a value never ends. Recursion through values is fine, since the user's own config
//! bounds it.

use std::collections::HashMap;

use serde_json::Value;

/// The most subschemas that a schema may unfold into. A plugin's config has some dozens.
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
    /// The number of subschemas that a schema unfolds into, by the schema's address. Without it, a
    /// definition that doubles sixty times would be walked 2^60 times just to be counted.
    weights: HashMap<*const Value, u64>,
}

/// How a subschema is applied.
#[derive(Clone, Copy, PartialEq)]
enum Applied {
    /// To the value that the schema around it is applied to.
    InPlace,
    /// To a value within that value, or only by reference.
    Within,
}

impl<'a> Unfolding<'a> {
    /// The number of subschemas that this schema unfolds into, itself included. `path`: the way to
    /// it from the root.
    // A child that is already on the path closes a circle. If every step of the circle is in place,
    // the validator would go round for ever on one value: `{"$ref": "#"}` is the shortest. If one
    // step goes into a value, each round takes a smaller value, so the circle ends and counts as 0.
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

    /// The direct subschemas of a schema, each with how it is applied.
    // A keyword that changes what a `$ref` means is refused: below the root, `$id` gives references
    // another base, and this walk would then follow other references than the validator does.
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

    /// The schema that a `$ref` points to.
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

/// The schemas in a keyword's value: the value itself, the elements of a list, or the values of a
/// map from names to schemas, such as `properties`.
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
