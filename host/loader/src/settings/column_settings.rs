//! A column as it is written in settings: the type of its values, how they are written, which texts
//! are NULL, and its name in the table.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use loader_model::choices::{LeadingZeros, Negative, Percent};
use loader_model::column_type::{ColumnType, TypeError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::settings::place::Place;

/// What settings say of a column. In TOML it is a type, or a table of these keys: for example,
/// `"decimal(12,2)"` or `{ type = "date", format = "%d.%m.%Y" }`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", remote = "Self")]
#[schemars(rename = "ColumnKeys")]
pub struct ColumnSettings {
    #[serde(rename = "type")]
    pub given_type: Option<GivenType>,
    /// How dates and times are written.
    pub format: Option<Texts>,
    pub decimal_mark: Option<char>,
    pub thousands: Option<char>,
    pub currency: Option<Texts>,
    pub percent: Option<Percent>,
    pub negative: Option<Negative>,
    /// The texts that are NULL, in place of those of the dialect.
    pub null: Option<Texts>,
    /// Whether they are NULL in quotes, too.
    pub null_quoted: Option<bool>,
    /// Whether blanks at the ends are taken off.
    pub trim: Option<bool>,
    pub leading_zeros: Option<LeadingZeros>,
    /// Whether NULL is refused, and a file without the column.
    pub required: Option<bool>,
    /// The name that takes the place of the file's.
    pub rename: Option<String>,
    /// Where the column stands in the file.
    #[serde(skip)]
    pub(super) place: Option<Place>,
}

/// The type of a column.
#[derive(Clone, Debug, JsonSchema, PartialEq, Eq)]
#[schemars(with = "String")]
pub enum GivenType {
    /// A VARCHAR as long as the texts need it.
    Text,
    Of(ColumnType),
}

/// One text or a list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Texts(pub Vec<String>);

/// A column of the command line: `paid=date` or `paid=date:%d.%m.%Y`.
#[derive(Clone, Debug)]
pub struct ColumnFlag {
    pub name: String,
    pub settings: ColumnSettings,
}

impl ColumnSettings {
    /// Where the column stands in the settings file. `None`: on the command line.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// Takes from weaker settings what is not said here: of how values are written only what goes
    /// with the type that is said here.
    // For example, the settings of all tables say that amounts have a decimal comma, and a table
    // says that its amount is text.
    #[must_use]
    pub fn or(self, weaker: ColumnSettings) -> ColumnSettings {
        let is_number = self.given_type.as_ref().is_none_or(GivenType::is_number);
        let is_moment = self.given_type.as_ref().is_none_or(GivenType::is_moment);
        ColumnSettings {
            format: self.format.or(weaker.format.filter(|_| is_moment)),
            decimal_mark: self.decimal_mark.or(weaker.decimal_mark.filter(|_| is_number)),
            thousands: self.thousands.or(weaker.thousands.filter(|_| is_number)),
            currency: self.currency.or(weaker.currency.filter(|_| is_number)),
            percent: self.percent.or(weaker.percent.filter(|_| is_number)),
            negative: self.negative.or(weaker.negative.filter(|_| is_number)),
            given_type: self.given_type.or(weaker.given_type),
            null: self.null.or(weaker.null),
            null_quoted: self.null_quoted.or(weaker.null_quoted),
            trim: self.trim.or(weaker.trim),
            leading_zeros: self.leading_zeros.or(weaker.leading_zeros),
            required: self.required.or(weaker.required),
            rename: self.rename.or(weaker.rename),
            place: self.place.or(weaker.place),
        }
    }

    /// The keys that say how numbers are written, as far as they are given.
    pub fn keys_of_numbers(&self) -> impl Iterator<Item = &'static str> {
        let keys = [
            (self.decimal_mark.is_some(), "decimal-mark"),
            (self.thousands.is_some(), "thousands"),
            (self.currency.is_some(), "currency"),
            (self.percent.is_some(), "percent"),
            (self.negative.is_some(), "negative"),
        ];
        keys.into_iter().filter(|(is_given, _)| *is_given).map(|(_, key)| key)
    }
}

impl GivenType {
    /// Whether the values are numbers.
    pub fn is_number(&self) -> bool {
        matches!(
            self,
            GivenType::Of(
                ColumnType::SmallInt
                    | ColumnType::Integer
                    | ColumnType::BigInt
                    | ColumnType::Decimal { .. }
                    | ColumnType::Real
                    | ColumnType::Double
            )
        )
    }

    /// Whether the values are dates, or dates with times.
    pub fn is_moment(&self) -> bool {
        let moments = [ColumnType::Date, ColumnType::Timestamp, ColumnType::TimestampTz];
        matches!(self, GivenType::Of(column_type) if moments.contains(column_type))
    }
}

impl FromStr for GivenType {
    type Err = TypeError;

    fn from_str(text: &str) -> Result<GivenType, TypeError> {
        match text.trim().eq_ignore_ascii_case("text") {
            true => Ok(GivenType::Text),
            false => ColumnType::from_ddl(text).map(GivenType::Of),
        }
    }
}

impl<'de> Deserialize<'de> for GivenType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<GivenType, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Texts, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a text or a list of texts is expected")]
        enum Written {
            One(String),
            Many(Vec<String>),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::One(text) => Texts(vec![text]),
            Written::Many(texts) => Texts(texts),
        })
    }
}

impl Serialize for GivenType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            GivenType::Text => serializer.serialize_str("text"),
            GivenType::Of(column_type) => {
                serializer.serialize_str(&column_type.to_string().to_ascii_lowercase())
            }
        }
    }
}

impl JsonSchema for Texts {
    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One text or a list of them.",
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" } }
            ]
        })
    }
}

impl Serialize for ColumnSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ColumnSettings::serialize(self, serializer)
    }
}

/// What the schema of a settings file says of a column: a type, or a table.
pub(crate) fn column_schema(generator: &mut SchemaGenerator) -> Schema {
    let keys = generator.subschema_for::<ColumnSettings>();
    json_schema!({ "type": "object", "additionalProperties": { "anyOf": [{ "type": "string" }, keys] } })
}

impl<'de> Deserialize<'de> for ColumnSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ColumnSettings, D::Error> {
        // A visitor and not an untagged enum, so that mistakes are named: see `PluginEntry`.
        deserializer.deserialize_any(TypeOrTable)
    }
}

struct TypeOrTable;

impl<'de> Visitor<'de> for TypeOrTable {
    type Value = ColumnSettings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the type of a column, or a table such as { type = \"date\" }")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ColumnSettings, E> {
        let given_type = Some(text.parse().map_err(E::custom)?);
        Ok(ColumnSettings { given_type, ..ColumnSettings::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ColumnSettings, A::Error> {
        ColumnSettings::deserialize(MapAccessDeserializer::new(map))
    }
}

impl FromStr for ColumnFlag {
    type Err = String;

    // A type has no colon, and a format may have several: `seen=timestamp:%d.%m.%Y %H:%M`.
    fn from_str(text: &str) -> Result<ColumnFlag, String> {
        let no_flag = || "a column is written NAME=TYPE or NAME=TYPE:FORMAT".to_owned();
        let (name, said) = text.split_once('=').ok_or_else(no_flag)?;
        let (given_type, format) = match said.split_once(':') {
            Some((given_type, format)) => (given_type, Some(Texts(vec![format.to_owned()]))),
            None => (said, None),
        };
        let given_type = given_type.parse().map_err(|error: TypeError| error.to_string())?;
        let settings =
            ColumnSettings { given_type: Some(given_type), format, ..ColumnSettings::default() };
        Ok(ColumnFlag { name: name.to_owned(), settings })
    }
}
