//! Fits an expression to the columns there are: which to read, and what kind of comparison each one
//! is.

use loader_sdk::{Decimal, Kind, Rows, Timestamp};

use crate::grammar::{Comparison, Expression, Value};

/// An expression that can be evaluated.
pub(crate) struct Checked {
    /// What it reads; tests name columns by their place here.
    pub(crate) columns: Vec<String>,
    pub(crate) test: Test,
}

pub(crate) enum Test {
    Or(Vec<Test>),
    And(Vec<Test>),
    Not(Box<Test>),
    IsNull(usize),
    Numbers(Operand<Decimal>, Comparison, Operand<Decimal>),
    Times(Operand<Timestamp>, Comparison, Operand<Timestamp>),
    Booleans(Operand<bool>, Comparison, Operand<bool>),
    Texts(Operand<String>, Comparison, Operand<String>),
}

pub(crate) enum Operand<T> {
    Column(usize),
    Constant(T),
}

/// How two values are compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Text,
    Boolean,
    Number,
    Time,
}

pub(crate) fn check(expression: &Expression, rows: &Rows) -> Result<Checked, String> {
    let mut checker = Checker { rows, columns: Vec::new() };
    let test = checker.test(expression)?;
    Ok(Checked { columns: checker.columns, test })
}

struct Checker<'a> {
    rows: &'a Rows,
    columns: Vec<String>,
}

impl Checker<'_> {
    fn test(&mut self, expression: &Expression) -> Result<Test, String> {
        Ok(match expression {
            Expression::Or(parts) => Test::Or(self.tests(parts)?),
            Expression::And(parts) => Test::And(self.tests(parts)?),
            Expression::Not(inner) => Test::Not(Box::new(self.test(inner)?)),
            Expression::Compare(one, comparison, other) => self.compare(one, *comparison, other)?,
            Expression::In(value, constants) => {
                let equal = |constant| self.compare(value, Comparison::Equal, constant);
                Test::Or(constants.iter().map(equal).collect::<Result<_, _>>()?)
            }
            Expression::IsNull(Value::Column(name)) => Test::IsNull(self.column(name)?.0),
            Expression::IsNull(constant) => {
                return Err(format!("{constant} is no column, and never null"));
            }
            Expression::Is(value) => match self.class(value)? {
                Some(Class::Boolean) => {
                    self.compare(value, Comparison::Equal, &Value::Boolean(true))?
                }
                _ => return Err(format!("{value} is not a boolean; compare it with something")),
            },
        })
    }

    fn tests(&mut self, parts: &[Expression]) -> Result<Vec<Test>, String> {
        parts.iter().map(|part| self.test(part)).collect()
    }

    /// A constant that is a number makes a text column one, too; its fields are read as numbers
    /// then.
    fn compare(
        &mut self,
        one: &Value,
        comparison: Comparison,
        other: &Value,
    ) -> Result<Test, String> {
        let class = self.class(one)?.max(self.class(other)?).unwrap_or(Class::Text);
        let (blame, constant) = match one {
            Value::Column(_) => (one, other),
            _ => (other, one),
        };
        let refuse = |what: &str| format!("{blame} is {what}, {constant} is not");
        Ok(match class {
            Class::Number => {
                let mut operand =
                    |value: &Value| self.operand(value, number).ok_or_else(|| refuse("a number"));
                Test::Numbers(operand(one)?, comparison, operand(other)?)
            }
            Class::Time => {
                let hint = "; write YYYY-MM-DD or YYYY-MM-DD HH:MM:SS";
                let mut operand = |value: &Value| {
                    self.operand(value, time).ok_or_else(|| refuse("a point in time") + hint)
                };
                Test::Times(operand(one)?, comparison, operand(other)?)
            }
            Class::Boolean => {
                let mut operand =
                    |value: &Value| self.operand(value, boolean).ok_or_else(|| refuse("a boolean"));
                Test::Booleans(operand(one)?, comparison, operand(other)?)
            }
            Class::Text => {
                let mut operand =
                    |value: &Value| self.operand(value, text).ok_or_else(|| refuse("a text"));
                Test::Texts(operand(one)?, comparison, operand(other)?)
            }
        })
    }

    /// None for a constant in quotes: it is what it is compared with.
    fn class(&mut self, value: &Value) -> Result<Option<Class>, String> {
        Ok(match value {
            Value::Column(name) => Some(match self.column(name)?.1 {
                Kind::Date | Kind::Timestamp => Class::Time,
                Kind::Boolean => Class::Boolean,
                Kind::Text | Kind::Other => Class::Text,
                _ => Class::Number,
            }),
            Value::Number(_) => Some(Class::Number),
            Value::Boolean(_) => Some(Class::Boolean),
            Value::Text(_) => None,
        })
    }

    fn operand<T>(
        &mut self,
        value: &Value,
        constant: fn(&Value) -> Option<T>,
    ) -> Option<Operand<T>> {
        match value {
            Value::Column(name) => {
                self.columns.iter().position(|other| other == name).map(Operand::Column)
            }
            value => constant(value).map(Operand::Constant),
        }
    }

    /// Place and kind of a column, which is read from now on.
    fn column(&mut self, name: &str) -> Result<(usize, Kind), String> {
        let kind = self.rows.columns().find(|(other, _)| *other == name).map(|(_, kind)| kind);
        let Some(kind) = kind else {
            let names: Vec<_> = self.rows.columns().map(|(name, _)| format!("{name:?}")).collect();
            return Err(format!("no column {name:?}; there are: {}", names.join(", ")));
        };
        let place = self.columns.iter().position(|other| other == name).unwrap_or_else(|| {
            self.columns.push(name.to_owned());
            self.columns.len() - 1
        });
        Ok((place, kind))
    }
}

fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => Decimal::parse(text).ok(),
        _ => None,
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Text(text) => Timestamp::parse(text),
        _ => None,
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Boolean(value) => Some(*value),
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}
