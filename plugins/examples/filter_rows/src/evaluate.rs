//! The answer for one row, as SQL gives it: true, false, or `None` when a NULL leaves it open. For
//! example, `amount > 10` is `None` for a row whose amount is NULL.

use std::cmp::Ordering;

use loader_sdk::{Cell, Reject};

use crate::check::{Operand, Test};
use crate::expression::Comparison;

pub(crate) fn evaluate(test: &Test, cells: &[Cell<'_>]) -> Result<Option<bool>, Reject> {
    match test {
        Test::Or(parts) => any(parts, cells, true),
        Test::And(parts) => any(parts, cells, false),
        Test::Not(inner) => Ok(evaluate(inner, cells)?.map(|answer| !answer)),
        Test::IsNull(column) => Ok(Some(cells[*column].is_null())),
        Test::Numbers(one, comparison, other) => {
            let read = |operand| value(operand, cells, Cell::decimal);
            compare(read(one)?, *comparison, read(other)?)
        }
        Test::Times(one, comparison, other) => {
            let read = |operand| value(operand, cells, Cell::timestamp);
            compare(read(one)?, *comparison, read(other)?)
        }
        Test::Booleans(one, comparison, other) => {
            let read = |operand| value(operand, cells, Cell::boolean);
            compare(read(one)?, *comparison, read(other)?)
        }
        Test::Texts(one, comparison, other) => {
            compare(text(one, cells), *comparison, text(other, cells))
        }
    }
}

/// OR when `decisive` is true, AND when it is false. A part with the decisive answer decides;
/// without one, a part that is open leaves the whole open.
// A NULL does not end the loop, since a later part may still decide: NULL or true is true. Parts
// behind the deciding one are not read, so their fields reject no row: with `status = 'open' and
// n > 1`, a closed order may have any text in n.
fn any(parts: &[Test], cells: &[Cell<'_>], decisive: bool) -> Result<Option<bool>, Reject> {
    let mut answer = Some(!decisive);
    for part in parts {
        match evaluate(part, cells)? {
            Some(found) if found == decisive => return Ok(Some(decisive)),
            Some(_) => {}
            None => answer = None,
        }
    }
    Ok(answer)
}

fn value<'a, T: Copy>(
    operand: &Operand<T>,
    cells: &[Cell<'a>],
    read: impl Fn(Cell<'a>) -> Result<Option<T>, Reject>,
) -> Result<Option<T>, Reject> {
    match operand {
        Operand::Column(column) => read(cells[*column]),
        Operand::Constant(value) => Ok(Some(*value)),
    }
}

fn text<'a>(operand: &'a Operand<String>, cells: &[Cell<'a>]) -> Option<&'a str> {
    match operand {
        Operand::Column(column) => cells[*column].text(),
        Operand::Constant(text) => Some(text),
    }
}

fn compare<T: Ord>(
    one: Option<T>,
    comparison: Comparison,
    other: Option<T>,
) -> Result<Option<bool>, Reject> {
    let (Some(one), Some(other)) = (one, other) else { return Ok(None) };
    let order = one.cmp(&other);
    Ok(Some(match comparison {
        Comparison::Equal => order == Ordering::Equal,
        Comparison::NotEqual => order != Ordering::Equal,
        Comparison::Less => order == Ordering::Less,
        Comparison::LessOrEqual => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        Comparison::GreaterOrEqual => order != Ordering::Less,
    }))
}
