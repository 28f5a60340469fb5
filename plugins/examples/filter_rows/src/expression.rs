//! An expression as it was read, before it is fitted to columns.

use std::fmt;

use loader_sdk::Decimal;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Or(Vec<Expression>),
    And(Vec<Expression>),
    Not(Box<Expression>),
    Compare(Value, Comparison, Value),
    IsNull(Value),
    In(Value, Vec<Value>),
    /// A column that is true or false itself, as `is_test` is in `not is_test`.
    Is(Value),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Column(String),
    Number(Decimal),
    Text(String),
    Boolean(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Column(name) => formatter.write_str(name),
            Value::Number(number) => write!(formatter, "{number}"),
            Value::Text(text) => write!(formatter, "'{text}'"),
            Value::Boolean(value) => write!(formatter, "{value}"),
        }
    }
}
