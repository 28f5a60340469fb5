//! The form of a column's values: its type and how the values are written.
//!
//! In: the settings of a column. Out: the form, or what does not go together in words.

use loader_csv::{MomentForm, NumberForm, PatternError, ValueForm};
use loader_model::choices::{Negative, Percent};
use loader_model::column_type::ColumnType;

use crate::settings::column_settings::{ColumnSettings, GivenType};

/// The form; `None` where no type is given.
pub(super) fn of(settings: &ColumnSettings) -> Result<Option<ValueForm>, String> {
    let given = settings.given_type.as_ref();
    check_numbers(settings, given)?;
    check_format(settings, given)?;
    check_zeros(settings, given)?;
    let Some(given) = given else { return Ok(None) };
    let GivenType::Of(column_type) = given else {
        return Ok(Some(ValueForm::Text { max_bytes: None }));
    };
    let whole = |bits| Ok::<_, String>(ValueForm::Whole { bits, written: number(settings)? });
    Ok(Some(match column_type {
        ColumnType::SmallInt => whole(16)?,
        ColumnType::Integer => whole(32)?,
        ColumnType::BigInt => whole(64)?,
        ColumnType::Decimal { precision, scale } => ValueForm::Decimal {
            precision: *precision,
            scale: scale.max(&0).unsigned_abs(),
            written: number(settings)?,
        },
        ColumnType::Real | ColumnType::Double => ValueForm::Double { written: number(settings)? },
        ColumnType::Boolean => ValueForm::Boolean,
        ColumnType::Date => ValueForm::Date(moment(settings, MomentForm::of_days)?),
        ColumnType::Timestamp => ValueForm::Timestamp(moment(settings, MomentForm::new)?),
        ColumnType::TimestampTz => ValueForm::TimestampTz(moment(settings, MomentForm::new)?),
        ColumnType::Time
        | ColumnType::TimeTz
        | ColumnType::Super
        | ColumnType::Varchar { .. }
        | ColumnType::Char { .. }
        | ColumnType::Varbyte { .. }
        | ColumnType::Other(_) => ValueForm::Text { max_bytes: column_type.text_bytes() },
    }))
}

fn check_numbers(settings: &ColumnSettings, given: Option<&GivenType>) -> Result<(), String> {
    match settings.keys_of_numbers().next() {
        Some(key) if !given.is_some_and(GivenType::is_number) => Err(format!(
            "`{key}` says how numbers are written, so the column needs a type of numbers, such as \
             type = \"decimal(12,2)\""
        )),
        _ => Ok(()),
    }
}

fn check_format(settings: &ColumnSettings, given: Option<&GivenType>) -> Result<(), String> {
    if settings.format.is_some() && !given.is_some_and(GivenType::is_moment) {
        return Err("`format` says how dates and times are written, so the column needs the type \
                    date, timestamp or timestamptz"
            .to_owned());
    }
    Ok(())
}

fn check_zeros(settings: &ColumnSettings, given: Option<&GivenType>) -> Result<(), String> {
    match (settings.leading_zeros, given) {
        (Some(_), Some(_)) => Err("`leading-zeros` says what is learnt of numbers with leading \
                                   zeros, and the type is given; leave one of the two away"
            .to_owned()),
        _ => Ok(()),
    }
}

fn moment(
    settings: &ColumnSettings,
    form: impl Fn(&[String]) -> Result<MomentForm, PatternError>,
) -> Result<MomentForm, String> {
    match &settings.format {
        None => Ok(MomentForm::default()),
        Some(texts) if texts.0.is_empty() => {
            Err("`format` is an empty list; leave it away, or name a format".to_owned())
        }
        Some(texts) => form(&texts.0).map_err(|error| error.to_string()),
    }
}

/// A text beside a number must not be taken for a part of it: `EUR` and `kr.` are fine, `.` is not.
fn check_currency(settings: &ColumnSettings) -> Result<(), String> {
    let of_numbers = |c: char| c.is_ascii_digit() || "+-()%".contains(c);
    let is_part = |text: &&String| {
        text.trim() != **text
            || text.contains(of_numbers)
            || text.chars().all(|c| c.is_ascii_punctuation() && c != '$')
    };
    match settings.currency.iter().flat_map(|texts| &texts.0).find(is_part) {
        Some(text) => Err(format!(
            "`currency` cannot be `{text}`: it needs a letter or a sign of a currency, and no digit, \
             sign of a number, or blank at its ends"
        )),
        None => Ok(()),
    }
}

fn number(settings: &ColumnSettings) -> Result<NumberForm, String> {
    let decimal_mark = settings.decimal_mark.unwrap_or('.');
    let marks = [("decimal-mark", Some(decimal_mark)), ("thousands", settings.thousands)];
    let of_numbers = |mark: &char| mark.is_ascii_alphanumeric() || "+-()%".contains(*mark);
    for (key, mark) in marks {
        if let Some(mark) = mark.filter(of_numbers) {
            return Err(format!("`{key}` cannot be `{mark}`, which is a part of numbers"));
        }
    }
    if decimal_mark == ' ' {
        return Err("`decimal-mark` cannot be a blank".to_owned());
    }
    check_currency(settings)?;
    if settings.thousands == Some(decimal_mark) {
        return Err(format!(
            "`thousands` and `decimal-mark` are both `{decimal_mark}`; say which mark stands before \
             the fraction, such as decimal-mark = \",\""
        ));
    }
    Ok(NumberForm {
        decimal_mark,
        thousands: settings.thousands,
        currency: settings.currency.clone().unwrap_or_default().0,
        percent: settings.percent.map(|percent| match percent {
            Percent::Fraction => loader_csv::Percent::Fraction,
            Percent::Number => loader_csv::Percent::Number,
        }),
        negative: match settings.negative.unwrap_or_default() {
            Negative::Minus => loader_csv::Negative::Minus,
            Negative::TrailingMinus => loader_csv::Negative::TrailingMinus,
            Negative::Brackets => loader_csv::Negative::Brackets,
        },
    })
}
