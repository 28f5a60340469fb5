//! Masks columns with personal data before they reach the warehouse, either by a keyed hash, on
//! which tables still join, or by one text for all values. For example, `ada@example.com` becomes
//! `***`.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use loader_sdk::{Error, Rows, Transform};
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::Sha256;

/// The shortest key. A shorter key can be guessed together with the value.
const MIN_KEY_BYTES: usize = 16;

/// What to mask, and how.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "mask_pii")]
pub struct Config {
    /// Columns to mask. All become text.
    columns: Vec<String>,
    /// How: `redact` (the default) or `hash`.
    #[serde(default)]
    method: Method,
    #[schemars(description = "The secret of the hash, at least 16 bytes. The same key gives the \
                              same hash, so that tables still join.")]
    key: Option<String>,
    /// What a redacted value becomes.
    #[serde(default = "stars")]
    replacement: String,
    /// Whether blanks around a value and capitals are ignored by the hash, as in e-mail addresses.
    #[serde(default)]
    normalize: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Method {
    /// Every value becomes the same text.
    #[default]
    Redact,
    /// HMAC-SHA-256 with the key, as 64 hexadecimal digits.
    Hash,
}

fn stars() -> String {
    "***".to_owned()
}

/// The plugin; see the crate's documentation.
pub struct MaskPii;

impl Transform for MaskPii {
    type Config = Config;
    const CONFIG_SCHEMA: Option<&'static str> = Some(include_str!("../config.schema.json"));

    fn steps(config: Config, rows: &mut Rows) -> Result<(), Error> {
        let Config { columns, method, key, replacement, normalize } = config;
        match method {
            Method::Redact => {
                for name in &columns {
                    refuse_key(name, rows)?;
                    let replacement = replacement.clone();
                    rows.map(name, move |value| Ok(value.map(|_| replacement.clone())))?;
                }
            }
            Method::Hash => {
                // Keyed once. A clone for each value costs less than keying: HMAC hashes the key
                // itself first.
                let mac = mac(key.as_deref())?;
                for name in &columns {
                    let mac = mac.clone();
                    rows.map(name, move |value| {
                        Ok(value.map(|value| hash(mac.clone(), value, normalize)))
                    })?;
                }
            }
        }
        Ok(())
    }
}

loader_sdk::export_plugin!(MaskPii);

fn mac(key: Option<&str>) -> Result<Hmac<Sha256>, Error> {
    let key = key.unwrap_or_default();
    if key.len() < MIN_KEY_BYTES {
        let message = format!(
            "config: key: method \"hash\" needs a key of at least {MIN_KEY_BYTES} bytes, this one \
             has {}; make one with `openssl rand -hex 32`",
            key.len()
        );
        return Err(Error::new("bad-config", message));
    }
    Hmac::new_from_slice(key.as_bytes())
        .map_err(|error| Error::new("bad-config", format!("config: key: {error}")))
}

fn hash(mut mac: Hmac<Sha256>, value: &str, normalize: bool) -> String {
    if normalize {
        mac.update(value.trim().to_lowercase().as_bytes());
    } else {
        mac.update(value.as_bytes());
    }
    mac.finalize().into_bytes().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Refuses to redact a merge key: all rows would have the same key, and become one row.
// Hashing a key is fine, because different values have different hashes and equal ones the same.
fn refuse_key(name: &str, rows: &Rows) -> Result<(), Error> {
    if rows.keys().iter().any(|key| key.eq_ignore_ascii_case(name)) {
        let message = format!(
            "column {name:?} is a merge key; redacted, all rows would be one; use \"method\": \
             \"hash\" for it"
        );
        return Err(Error::new("bad-config", message).column(name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use loader_sdk::testing::{Sample, check_config_schema};

    use super::*;

    fn people() -> Sample {
        Sample::new(["id", "email"])
            .row(["1", "Ada@Example.com"])
            .row(["2", " ada@example.com"])
            .row([Some("3"), None])
            .row(["4", ""])
    }

    fn hashed(config: &str) -> Vec<Option<String>> {
        let ran = people().run::<MaskPii>(config).expect("runs");
        ran.column("email").into_iter().map(|value| value.map(str::to_owned)).collect()
    }

    #[test]
    fn redacted_values_are_all_the_same_and_null_stays_null() {
        let ran = people().run::<MaskPii>(r#"{"columns": ["email"]}"#).expect("runs");
        assert_eq!(ran.to_string(), "id,email\n1,***\n2,***\n3,\n4,***\n");
        let ran =
            people().run::<MaskPii>(r#"{"columns": ["email"], "replacement": ""}"#).expect("runs");
        assert_eq!(ran.to_string(), "id,email\n1,\"\"\n2,\"\"\n3,\n4,\"\"\n");
    }

    /// Test case 1 of <https://www.rfc-editor.org/rfc/rfc4231>.
    #[test]
    fn the_hash_is_hmac_sha_256() {
        let mac = Hmac::<Sha256>::new_from_slice(&[0x0b; 20]).expect("takes any length");
        assert_eq!(
            hash(mac, "Hi There", false),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn the_same_value_and_key_give_the_same_hash() {
        let values =
            hashed(r#"{"columns": ["email"], "method": "hash", "key": "0123456789abcdef"}"#);
        assert_ne!(values[0], values[1]);
        assert_eq!(values[2], None);
        let folded = hashed(
            r#"{"columns": ["email"], "method": "hash", "key": "0123456789abcdef", "normalize": true}"#,
        );
        assert_eq!(folded[0], folded[1]);
        let other =
            hashed(r#"{"columns": ["email"], "method": "hash", "key": "0123456789abcdeF"}"#);
        assert_ne!(values[0], other[0]);
    }

    #[test]
    fn what_would_not_protect_or_would_merge_rows_is_refused() {
        let refusal =
            |config| people().keys(["id"]).run::<MaskPii>(config).expect_err("is refused").message;
        assert_eq!(
            refusal(r#"{"columns": ["email"], "method": "hash", "key": "short"}"#),
            "config: key: method \"hash\" needs a key of at least 16 bytes, this one has 5; \
             make one with `openssl rand -hex 32`"
        );
        assert_eq!(
            refusal(r#"{"columns": ["id"]}"#),
            "column \"id\" is a merge key; redacted, all rows would be one; use \"method\": \
             \"hash\" for it"
        );
        assert_eq!(
            refusal(r#"{"columns": ["e-mail"]}"#),
            "no column \"e-mail\"; there are: \"id\", \"email\""
        );
    }

    #[test]
    fn the_schema_is_that_of_the_config() -> Result<(), Error> {
        check_config_schema::<Config>(concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json"))
    }
}
