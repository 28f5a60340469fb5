//! The form of a column's values: its type and how the values are written.
//!
//! In: the settings of a column. Out: the form, or what does not go together in words.

use loader_csv::{MomentForm, NumberForm, ValueForm};
use loader_model::choices::{Negative, Percent};
use loader_model::column_type::ColumnType;

use crate::settings::column_settings::{ColumnSettings, GivenType};

/// The form; `None` where no type is given.
pub(super) fn of(settings: &ColumnSettings) -> Result<Option<ValueForm>, String> {
    let given = settings.given_type.as_ref();
    check_numbers(settings, given)?;
    check_format(settings, given)?;
    let Some(given) = given else { return Ok(None) };
    let GivenType::Of(column_type) = given else { return Ok(Some(ValueForm::Text)) };
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
        ColumnType::Date => ValueForm::Date(moment(settings)?),
        ColumnType::Timestamp => ValueForm::Timestamp(moment(settings)?),
        ColumnType::TimestampTz => ValueForm::TimestampTz(moment(settings)?),
        ColumnType::Time
        | ColumnType::TimeTz
        | ColumnType::Super
        | ColumnType::Varchar { .. }
        | ColumnType::Char { .. }
        | ColumnType::Varbyte { .. }
        | ColumnType::Other(_) => ValueForm::Text,
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

fn moment(settings: &ColumnSettings) -> Result<MomentForm, String> {
    let patterns = settings.format.as_ref().map_or(&[][..], |texts| &texts.0);
    MomentForm::new(patterns).map_err(|error| error.to_string())
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
