//! Writes phone numbers as E.164 (`+4930123456`), by the rules of Google's libphonenumber.

use loader_sdk::{Error, Kind, Reject, Rows, Tally, Transform};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};
use schemars::JsonSchema;
use serde::Deserialize;

/// Which columns, and what becomes of numbers that are none.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "normalize_phone")]
pub struct Config {
    /// Columns with phone numbers. All become text.
    columns: Vec<String>,
    #[schemars(description = "Country of numbers without a country code, as in ISO 3166: `DE`. \
                              Without it they count as invalid.")]
    region: Option<String>,
    #[schemars(description = "What happens to a value that is no valid number: `reject` its row \
                              (the default), make it `null`, `keep` it.")]
    #[serde(default)]
    invalid: Invalid,
}

#[derive(Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Invalid {
    /// The row is not loaded.
    #[default]
    Reject,
    /// NULL, and counted as `invalid_numbers`.
    Null,
    /// As it is, and counted as `invalid_numbers`.
    Keep,
}

/// The plugin; see the crate's documentation.
pub struct NormalizePhone;

impl Transform for NormalizePhone {
    type Config = Config;
    const CONFIG_SCHEMA: Option<&'static str> = Some(include_str!("../config.schema.json"));

    // The kind of a column must be read before `map`, which makes it a text column.
    fn steps(config: Config, rows: &mut Rows) -> Result<(), Error> {
        let region = config.region.as_deref().map(region).transpose()?;
        let invalid_numbers = rows.counter("invalid_numbers");
        for name in &config.columns {
            let is_number =
                rows.columns().any(|(other, kind)| other == name && is_whole_number(kind));
            let invalid_numbers = invalid_numbers.clone();
            rows.map(name, move |text| {
                let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
                    return Ok(None);
                };
                match e164(text, region, is_number) {
                    Some(number) => Ok(Some(number)),
                    None => invalid(text, config.invalid, &invalid_numbers),
                }
            })?;
        }
        Ok(())
    }
}

loader_sdk::export_plugin!(NormalizePhone);

fn region(code: &str) -> Result<Region, Error> {
    Region::try_from(code.to_uppercase().as_str()).map_err(|_| {
        let message =
            format!("config: region: {code:?} is no country of ISO 3166, such as \"DE\" or \"US\"");
        Error::new("bad-config", message)
    })
}

fn is_whole_number(kind: Kind) -> bool {
    matches!(kind, Kind::SmallInteger | Kind::Integer | Kind::BigInteger)
}

/// The number as E.164, if it is valid.
// A file that has only values such as `+4930123456` in a column makes it a column of whole numbers,
// and these have lost the plus sign. There a value that is no number of the region is tried again
// with the sign put back. The region comes first, since 30 is Berlin's area code in Germany, and
// also the country code of Greece.
fn e164(text: &str, region: Option<Region>, is_whole_number: bool) -> Option<String> {
    let parse = |text: &str, region| {
        let number =
            PHONE_NUMBER_UTIL.parse(text, region).ok().filter(|number| number.is_valid())?;
        Some(number.format_as(PhoneNumberFormat::E164).into_owned())
    };
    parse(text, region)
        .or_else(|| if is_whole_number { parse(&format!("+{text}"), None) } else { None })
}

fn invalid(text: &str, what: Invalid, invalid_numbers: &Tally) -> Result<Option<String>, Reject> {
    match what {
        Invalid::Reject => Err(Reject::new("bad-phone", "the field is not a valid phone number")),
        Invalid::Null => {
            invalid_numbers.add(1);
            Ok(None)
        }
        Invalid::Keep => {
            invalid_numbers.add(1);
            Ok(Some(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use loader_sdk::testing::{Sample, check_config_schema};

    use super::*;

    fn phones(values: &[Option<&str>]) -> Sample {
        values.iter().fold(Sample::new(["phone"]), |sample, value| sample.row([*value]))
    }

    #[test]
    fn numbers_of_a_country_and_of_others_are_recognised() {
        let sample = phones(&[
            Some("030 123456"),
            Some("+1 (202) 555-0173"),
            Some("0049 30 123456"),
            Some("tel:+44-20-7946-0958"),
            None,
            Some(" "),
        ]);
        let ran = sample
            .run::<NormalizePhone>(r#"{"columns": ["phone"], "region": "de"}"#)
            .expect("runs");
        assert_eq!(
            ran.column("phone"),
            [
                Some("+4930123456"),
                Some("+12025550173"),
                Some("+4930123456"),
                Some("+442079460958"),
                None,
                None
            ]
        );
    }

    #[test]
    fn a_plus_sign_that_inference_took_is_put_back() {
        let sample =
            phones(&[Some("4930123456"), Some("12025550173")]).kind("phone", Kind::BigInteger);
        let ran = sample.run::<NormalizePhone>(r#"{"columns": ["phone"]}"#).expect("runs");
        assert_eq!(ran.column("phone"), [Some("+4930123456"), Some("+12025550173")]);
    }

    #[test]
    fn what_is_no_number_goes_where_the_config_says() {
        let sample = phones(&[Some("n/a"), Some("030 123456")]);
        let run = |invalid: &str| {
            let config =
                format!(r#"{{"columns": ["phone"], "region": "DE", "invalid": "{invalid}"}}"#);
            sample.run::<NormalizePhone>(&config).expect("runs")
        };
        let reject =
            "phone\n+4930123456\nrow 1: bad-phone: the field is not a valid phone number\n";
        assert_eq!(run("reject").to_string(), reject);
        assert_eq!(run("null").column("phone"), [None, Some("+4930123456")]);
        assert_eq!(run("keep").column("phone"), [Some("n/a"), Some("+4930123456")]);
        assert_eq!(run("keep").counters[0].value, 1);
    }

    #[test]
    fn without_a_region_a_country_code_is_needed() {
        let ran = phones(&[Some("030 123456"), Some("+4930123456")])
            .run::<NormalizePhone>(r#"{"columns": ["phone"]}"#);
        assert_eq!(ran.expect("runs").rejects.len(), 1);
        let error =
            phones(&[]).run::<NormalizePhone>(r#"{"columns": ["phone"], "region": "Germany"}"#);
        assert_eq!(
            error.expect_err("is refused").message,
            "config: region: \"Germany\" is no country of ISO 3166, such as \"DE\" or \"US\""
        );
    }

    #[test]
    fn the_schema_is_that_of_the_config() -> Result<(), Error> {
        check_config_schema::<Config>(concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json"))
    }
}
