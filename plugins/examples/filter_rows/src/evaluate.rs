//! The answer for one row, as SQL gives it: true, false, or None when NULL leaves it open.

use std::cmp::Ordering;

use loader_sdk::{Cell, Reject};

use crate::check::{Operand, Test};
use crate::grammar::Comparison;

pub(crate) fn evaluate(test: &Test, cells: &[Cell<'_>]) -> Result<Option<bool>, Reject> {
    match test {
        Test::Or(parts) => any(parts, cells, true),
        Test::And(parts) => any(parts, cells, false),
        Test::Not(inner) => Ok(evaluate(inner, cells)?.map(|answer| !answer)),
        Test::IsNull(column) => Ok(Some(cells[*column].is_null())),
        Test::Numbers(one, comparison, other) => {
            let read = |cell: Cell<'_>| cell.decimal();
            compare(value(one, cells, read)?, *comparison, value(other, cells, read)?)
        }
        Test::Times(one, comparison, other) => {
            let read = |cell: Cell<'_>| cell.timestamp();
            compare(value(one, cells, read)?, *comparison, value(other, cells, read)?)
        }
        Test::Booleans(one, comparison, other) => {
            let read = |cell: Cell<'_>| cell.boolean();
            compare(value(one, cells, read)?, *comparison, value(other, cells, read)?)
        }
        Test::Texts(one, comparison, other) => {
            compare(text(one, cells), *comparison, text(other, cells))
        }
    }
}

/// One part that answers `decisive` decides; else one that is open leaves it open.
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

fn value<T: Copy>(
    operand: &Operand<T>,
    cells: &[Cell<'_>],
    read: impl Fn(Cell<'_>) -> Result<Option<T>, Reject>,
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
