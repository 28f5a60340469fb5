//! Fits an expression to the columns of the file: finds the columns that it reads, and the kind of
//! each comparison. For example, `amount > 10` compares numbers, also when `amount` is a text
//! column.

use loader_sdk::{Decimal, Kind, Rows, Timestamp};

use crate::expression::{Comparison, Expression, Value};

/// An expression that can be evaluated.
pub(crate) struct Checked {
    /// The columns that it reads; tests name columns by their place here.
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
// The order matters: of two classes that meet, the later one decides (`compare` takes the larger).
// So a text column against a number is read as numbers, and a DATE against a number is an error
// about points in time.
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
            Expression::In(value, constants) => Test::Or(self.any_equal(value, constants)?),
            Expression::IsNull(Value::Column(name)) => Test::IsNull(self.column(name)?.0),
            Expression::IsNull(constant) => {
                return Err(format!("{constant} is a constant, never null"));
            }
            Expression::Is(value) => self.is_true(value)?,
        })
    }

    fn any_equal(&mut self, value: &Value, constants: &[Value]) -> Result<Vec<Test>, String> {
        let equal = |constant| self.compare(value, Comparison::Equal, constant);
        constants.iter().map(equal).collect()
    }

    fn is_true(&mut self, value: &Value) -> Result<Test, String> {
        match self.class(value)? {
            Some(Class::Boolean) => self.compare(value, Comparison::Equal, &Value::Boolean(true)),
            _ => Err(format!("{value} is not a boolean; compare it with a value")),
        }
    }

    fn tests(&mut self, parts: &[Expression]) -> Result<Vec<Test>, String> {
        parts.iter().map(|part| self.test(part)).collect()
    }

    /// A comparison of two values. Against a number, the fields of a text column are read as
    /// numbers.
    // `None` is less than any class, so a constant in quotes takes the class of the other side, and
    // two such constants are compared as texts.
    fn compare(
        &mut self,
        one: &Value,
        comparison: Comparison,
        other: &Value,
    ) -> Result<Test, String> {
        let class = self.class(one)?.max(self.class(other)?).unwrap_or(Class::Text);
        Ok(match class {
            Class::Number => {
                let (one, other) = self.operands(one, other, number, "a number")?;
                Test::Numbers(one, comparison, other)
            }
            Class::Time => {
                let hint = "; write YYYY-MM-DD or YYYY-MM-DD HH:MM:SS";
                let operands = self.operands(one, other, time, "a point in time");
                let (one, other) = operands.map_err(|why| why + hint)?;
                Test::Times(one, comparison, other)
            }
            Class::Boolean => {
                let (one, other) = self.operands(one, other, boolean, "a boolean")?;
                Test::Booleans(one, comparison, other)
            }
            Class::Text => {
                let (one, other) = self.operands(one, other, text, "a text")?;
                Test::Texts(one, comparison, other)
            }
        })
    }

    /// Both sides as values of one class. The error names the constant as the side that does not
    /// fit.
    fn operands<T>(
        &mut self,
        one: &Value,
        other: &Value,
        constant: fn(&Value) -> Option<T>,
        what: &str,
    ) -> Result<(Operand<T>, Operand<T>), String> {
        match (self.operand(one, constant), self.operand(other, constant)) {
            (Some(one), Some(other)) => Ok((one, other)),
            _ => Err(match one {
                Value::Column(_) => format!("{one} is {what}, {other} is not"),
                _ => format!("{other} is {what}, {one} is not"),
            }),
        }
    }

    /// The class of a value. A constant in quotes has none of its own: `'2024-02-01'` is a time
    /// beside a DATE and a text beside a VARCHAR.
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
                // Always found: `class` has looked at both sides before, and `column` enters them.
                self.columns.iter().position(|other| other == name).map(Operand::Column)
            }
            value => constant(value).map(Operand::Constant),
        }
    }

    /// Place and kind of a column, which is entered as a column to read.
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
