//! What the placeholders of a case stand for.

/// What placeholders stand for.
pub(crate) struct Values(pub(crate) Vec<(&'static str, String)>);

impl Values {
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let value =
                after.split_once('}').and_then(|(name, after)| Some((self.value(name)?, after)));
            match value {
                Some((value, after)) => {
                    out.push_str(&value);
                    rest = after;
                }
                // JSON has braces too.
                None => {
                    out.push('{');
                    rest = after;
                }
            }
        }
        out + rest
    }

    fn value(&self, name: &str) -> Option<String> {
        if let Some((_, value)) = self.0.iter().find(|(known, _)| *known == name) {
            return Some(value.clone());
        }
        let (part, times) = name.rsplit_once('*')?;
        let times: usize = times.parse().ok()?;
        if !part.contains('#') {
            return Some(part.repeat(times));
        }
        let numbered: Vec<String> =
            (1..=times).map(|number| part.replace('#', &number.to_string())).collect();
        Some(numbered.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled() {
        let values = Values(vec![("schema", "s1".to_owned())]);
        assert_eq!(
            values.fill("{schema}.t {x*3} {c# INT*2} {\"a\": {schema}}"),
            "s1.t xxx c1 INT, c2 INT {\"a\": s1}"
        );
        assert_eq!(values.fill("{ unknown} {"), "{ unknown} {");
    }
}
