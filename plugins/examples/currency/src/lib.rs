//! Converts amounts into one currency by the rates of its config. The products are exact and are
//! rounded once, never through a float. For example, 100.00 USD at the rate 0.92175 is 92.18 EUR.

use std::collections::BTreeMap;

use loader_sdk::{Decimal, Error, Reject, Rounding, Rows, Transform};
use schemars::JsonSchema;
use serde::Deserialize;

/// What is converted, into what, and at which rates.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "currency")]
pub struct Config {
    /// Column with the amounts.
    #[serde(default = "amount")]
    amount: String,
    /// Column with the currency of each amount.
    #[serde(default = "currency")]
    currency: String,
    /// The currency that all amounts are converted into; its own rate is 1.
    to: String,
    /// Name of the new column; the name of the amounts replaces them.
    output: String,
    /// What one unit of a currency is worth in `to`, as text: `"1.0837"`.
    rates: BTreeMap<String, String>,
    /// Digits of the result in all: 1 to 18, or 38.
    #[serde(default = "precision")]
    precision: u8,
    /// Digits of the result after the point.
    #[serde(default = "scale")]
    scale: u8,
    #[schemars(description = "What happens to a half of the last digit: `half-up` (away from \
                              zero, the default) or `half-even`.")]
    #[serde(default)]
    rounding: Halves,
}

#[derive(Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Halves {
    /// Away from zero.
    #[default]
    HalfUp,
    /// To the even neighbour.
    HalfEven,
}

impl Halves {
    fn rounding(self) -> Rounding {
        match self {
            Halves::HalfUp => Rounding::HalfUp,
            Halves::HalfEven => Rounding::HalfEven,
        }
    }
}

fn amount() -> String {
    "amount".to_owned()
}

fn currency() -> String {
    "currency".to_owned()
}

fn precision() -> u8 {
    18
}

fn scale() -> u8 {
    2
}

/// The plugin; see the crate's documentation.
pub struct Currency;

impl Transform for Currency {
    type Config = Config;
    const CONFIG_SCHEMA: Option<&'static str> = Some(include_str!("../config.schema.json"));

    // A row without an amount needs no rate: its result is NULL, also with an unknown currency. So
    // the amount is read before the currency is looked up.
    fn steps(config: Config, rows: &mut Rows) -> Result<(), Error> {
        let rates = rates(&config)?;
        let rounding = config.rounding.rounding();
        let Config { amount, currency, output, precision, scale, .. } = config;
        let code_column = currency.clone();
        rows.derive_decimal(
            &output,
            [amount, currency],
            (precision, scale),
            move |[amount, currency]| {
                let Some(amount) = amount.decimal()? else { return Ok(None) };
                let code =
                    currency.text().map(|code| code.trim().to_uppercase()).unwrap_or_default();
                let rate = rates.get(&code).ok_or_else(|| no_rate(&code, &code_column))?;
                amount.times(*rate, scale, rounding).map(Some).ok_or_else(too_large)
            },
        )?;
        Ok(())
    }
}

loader_sdk::export_plugin!(Currency);

/// The rates by currency in capitals, with the target's own rate, which is 1.
// A currency may occur twice, spelt "usd" and "USD", and so may the target, as long as the rate is
// the same. With two rates the config is refused, since the spelling must not decide which one
// counts.
fn rates(config: &Config) -> Result<BTreeMap<String, Decimal>, Error> {
    let refuse =
        |code: &str, why: String| Error::new("bad-config", format!("config: rates.{code}: {why}"));
    let mut rates = BTreeMap::from([(config.to.to_uppercase(), Decimal::from(1))]);
    for (code, text) in &config.rates {
        let rate = rate(text).map_err(|why| refuse(code, why))?;
        if rates.insert(code.to_uppercase(), rate).is_some_and(|known| known != rate) {
            return Err(refuse(code, "the currency has another rate already".to_owned()));
        }
    }
    Ok(rates)
}

fn rate(text: &str) -> Result<Decimal, String> {
    match Decimal::parse(text) {
        Ok(rate) if rate > Decimal::from(0) => Ok(rate),
        Ok(_) => Err("a rate is above zero".to_owned()),
        Err(error) => Err(format!("{text:?} is {error}")),
    }
}

fn no_rate(code: &str, column: &str) -> Reject {
    let reject = match code {
        "" => Reject::new("no-currency", "there is an amount, but no currency"),
        _ => Reject::new("no-rate", "the config has no rate for the currency; add it to \"rates\""),
    };
    reject.column(column)
}

// For a product that no DECIMAL holds. A product that only the result's type is too small for, such
// as DECIMAL(18,2), is rejected by `derive_decimal` with a message of its own.
fn too_large() -> Reject {
    Reject::new("out-of-range", "the converted amount has more than 38 digits")
}

#[cfg(test)]
mod tests {
    use loader_sdk::Kind;
    use loader_sdk::testing::{Sample, check_config_schema};

    use super::*;

    const CONFIG: &str =
        r#"{"to": "EUR", "output": "eur", "rates": {"USD": "0.92175", "JPY": "0.0061"}}"#;

    fn sample() -> Sample {
        Sample::new(["amount", "currency"]).kind("amount", Kind::Number)
    }

    #[test]
    fn amounts_are_converted_and_rounded_once() {
        let sample = sample()
            .row(["100.00", "USD"])
            .row(["-19.99", " usd"])
            .row(["19.994999", "EUR"])
            .row(["1e6", "JPY"])
            .row([None, Some("USD")]);
        let ran = sample.run::<Currency>(CONFIG).expect("runs");
        assert_eq!(ran.kinds[2], "decimal(18,2)");
        assert_eq!(
            ran.column("eur"),
            [Some("92.18"), Some("-18.43"), Some("19.99"), Some("6100.00"), None]
        );
    }

    #[test]
    fn a_half_goes_where_the_config_says() {
        let sample = sample().row(["0.125", "EUR"]).row(["-0.125", "EUR"]).row(["0.135", "EUR"]);
        let ran = sample.run::<Currency>(CONFIG).expect("runs");
        assert_eq!(ran.column("eur"), [Some("0.13"), Some("-0.13"), Some("0.14")]);
        let config = r#"{"to": "EUR", "output": "eur", "rates": {}, "rounding": "half-even"}"#;
        assert_eq!(
            sample.run::<Currency>(config).expect("runs").column("eur"),
            [Some("0.12"), Some("-0.12"), Some("0.14")]
        );
    }

    #[test]
    fn digits_beyond_a_float_survive() {
        let sample = sample().row(["90071992547409.93", "USD"]);
        let config = r#"{"to": "EUR", "output": "amount", "rates": {"USD": "1.000000000000000001"}, "precision": 38, "scale": 20}"#;
        let ran = sample.run::<Currency>(config).expect("runs");
        assert_eq!(ran.to_string(), "amount,currency\n90071992547409.93009007199254740993,USD\n");
    }

    #[test]
    fn what_cannot_be_converted_is_rejected() {
        let sample = sample()
            .row(["1", "CHF"])
            .row([Some("1"), None])
            .row(["NaN", "USD"])
            .row(["12345678901234567890", "USD"]);
        let ran = sample.run::<Currency>(CONFIG).expect("runs");
        assert_eq!(
            ran.to_string(),
            "amount,currency,eur\nrow 1: no-rate: the config has no rate for the currency; add it \
             to \"rates\"\nrow 2: no-currency: there is an amount, but no currency\nrow 3: \
             not-finite: column \"amount\": the field is not a finite number\nrow 4: out-of-range: \
             column \"eur\": the number has more than the 16 digits before the point that \
             DECIMAL(18,2) holds\n"
        );
    }

    #[test]
    fn mistakes_in_the_config_are_named() {
        let refusal = |config| sample().run::<Currency>(config).expect_err("is refused").message;
        assert_eq!(
            refusal(r#"{"to": "EUR", "output": "eur", "rates": {"USD": "0,92"}}"#),
            "config: rates.USD: \"0,92\" is not a number"
        );
        assert_eq!(
            refusal(r#"{"to": "EUR", "output": "eur", "rates": {"EUR": "2"}}"#),
            "config: rates.EUR: the currency has another rate already"
        );
        assert!(
            refusal(r#"{"to": "EUR", "output": "eur", "rates": {"USD": 0.92}}"#)
                .starts_with("config: rates.USD: ")
        );
        assert_eq!(
            refusal(r#"{"to": "EUR", "output": "eur", "rates": {}, "precision": 20}"#),
            "DECIMAL(20,2) cannot be loaded; precision is 1 to 18 or 38, scale at most the \
             precision and at most 37"
        );
    }

    #[test]
    fn the_schema_is_that_of_the_config() -> Result<(), Error> {
        check_config_schema::<Config>(concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json"))
    }
}
