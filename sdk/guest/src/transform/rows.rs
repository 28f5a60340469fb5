//! The builder: a list of named columns that each step changes. A step that names a column that is
//! not there is refused when it is added, before any row is read.

use arrow_schema::Schema;

use super::cell::Cell;
use super::column_list::{ColumnList, NamedColumn, Origin};
use super::columns::{Columns, One, Shape};
use super::decimal::Decimal;
use super::kind::Kind;
use super::reject::Reject;
use super::step::{self, CellStep};
use super::tally::Tally;
use super::value::{Value, constant};
use crate::error::Error;
use crate::plan::{Context, HostValue, Plan};

/// The columns of a table on their way through a transform's steps.
///
/// The list begins with the columns of the input. Each method is one step and sees the columns that
/// the steps before it made. The columns after the last step are the output, in their order. A
/// column that no step reads never enters the sandbox. Later steps do not see a rejected row.
///
/// Errors: `no-column`, with the names of up to 40 columns; `column-exists`; `ambiguous-column`.
///
/// ```
/// use loader_sdk::{Error, HostValue, NoConfig, Reject, Rows, Transform, testing::Sample};
///
/// struct Customers;
///
/// impl Transform for Customers {
///     type Config = NoConfig;
///
///     fn steps(_config: NoConfig, rows: &mut Rows) -> Result<(), Error> {
///         rows.reject_when("age", Reject::new("minor", "under 18"), |age| Ok(age.integer()?.is_some_and(|age| age < 18)))?;
///         rows.map("email", |email| Ok(email.map(str::to_lowercase)))?;
///         rows.derive("name", ["first", "last"], |[first, last]| {
///             Ok(first.text().zip(last.text()).map(|(first, last)| format!("{first} {last}")))
///         })?;
///         rows.drop("first")?.drop("last")?.rename("id", "customer_id")?;
///         rows.constant("source", "crm")?.host_value("loaded_at", HostValue::RunStartedAt)?;
///         rows.order_first(["customer_id", "name"])?;
///         Ok(())
///     }
/// }
///
/// let sample = Sample::new(["id", "first", "last", "age", "email"])
///     .row(["7", "Ada", "Byron", "36", "Ada@Example.com"])
///     .row(["8", "Tim", "Small", "9", "tim@example.com"]);
/// assert_eq!(sample.run::<Customers>("").unwrap().to_string(), "\
/// customer_id,name,age,email,source,loaded_at
/// 7,Ada Byron,36,ada@example.com,crm,<run.started-at>
/// row 2: minor: under 18
/// ");
/// ```
#[derive(Debug)]
pub struct Rows {
    input: Schema,
    table: String,
    keys: Vec<String>,
    pub(super) columns: ColumnList,
    pub(super) steps: Vec<CellStep>,
    pub(super) counters: Vec<(String, Tally)>,
}

impl Rows {
    pub(super) fn new(context: &Context, input: &Schema) -> Rows {
        Rows {
            columns: ColumnList::new(input),
            input: input.clone(),
            table: context.table.clone(),
            keys: context.keys.clone(),
            steps: Vec::new(),
            counters: Vec::new(),
        }
    }

    /// Returns the name of the target table.
    ///
    /// ```
    /// # fn steps(rows: &loader_sdk::Rows) {
    /// let is_archive = rows.table().ends_with("_archive");
    /// # }
    /// ```
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Returns the names of the merge keys, as columns of the target; none when rows are appended.
    ///
    /// ```
    /// # fn steps(rows: &loader_sdk::Rows) {
    /// let is_key = rows.keys().iter().any(|key| key == "email");
    /// # }
    /// ```
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Lists the columns as they are after the steps so far, with their kinds.
    ///
    /// ```
    /// # use loader_sdk::{Error, Kind, Rows};
    /// fn trim_all_text(rows: &mut Rows) -> Result<(), Error> {
    ///     let texts: Vec<String> =
    ///         rows.columns().filter(|(_, kind)| *kind == Kind::Text).map(|(name, _)| name.to_owned()).collect();
    ///     for name in &texts {
    ///         rows.map(name, |text| Ok(text.map(|text| text.trim().to_owned())))?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn columns(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.columns.all().iter().map(|column| (column.name.as_str(), column.kind))
    }

    /// Tells whether there is a column of this name. Capitals count: `Email` is not `email`.
    ///
    /// ```
    /// # use loader_sdk::{Error, Rows};
    /// fn steps(rows: &mut Rows) -> Result<(), Error> {
    ///     if rows.has("internal_note") {
    ///         rows.drop("internal_note")?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn has(&self, name: &str) -> bool {
        self.columns.has(name)
    }

    /// Computes a column anew from its own text. NULL comes and goes as None; an empty text is not
    /// NULL. The column keeps its place and takes the type that the closure returns, see [`Value`].
    ///
    /// ```
    /// # use loader_sdk::{Date, Error, Reject, Rows};
    /// fn steps(rows: &mut Rows) -> Result<(), Error> {
    ///     rows.map("day", |text: Option<&str>| match text {
    ///         None | Some("0000-00-00") => Ok(None),
    ///         Some(text) => Date::parse(text).map(Some).ok_or(Reject::new("bad-day", "days are YYYY-MM-DD")),
    ///     })?;
    ///     Ok(())
    /// }
    /// ```
    pub fn map<T: Value>(
        &mut self,
        name: &str,
        f: impl Fn(Option<&str>) -> Result<Option<T>, Reject> + 'static,
    ) -> Result<&mut Rows, Error> {
        // The source is looked up before the column is replaced: a second `map` reads the first's.
        let place = self.columns.find(name)?;
        let column = name.to_owned();
        let f = move |cell: Cell<'_>| f(cell.text()).map_err(|reject| reject.or_column(&column));
        let step = CellStep::values::<One, T, _>(self.columns.sources(&name)?, f);
        Ok(self.put_step(Some(place), name, T::KIND, step))
    }

    /// Computes a column from other columns. It replaces the column of this name, or comes last
    /// when there is none.
    ///
    /// ```
    /// # use loader_sdk::{Error, Rows};
    /// fn steps(rows: &mut Rows) -> Result<(), Error> {
    ///     rows.derive("is_large", "quantity", |quantity| Ok(quantity.integer()?.map(|quantity| quantity > 100)))?;
    ///     Ok(())
    /// }
    /// ```
    pub fn derive<C, T, F>(&mut self, name: &str, from: C, f: F) -> Result<&mut Rows, Error>
    where
        C: Columns,
        T: Value,
        F: for<'a> Fn(<C::Shape as Shape>::Cells<'a>) -> Result<Option<T>, Reject> + 'static,
    {
        let place = self.columns.place(name)?;
        let step = CellStep::values::<C::Shape, T, F>(self.columns.sources(&from)?, f);
        Ok(self.put_step(place, name, T::KIND, step))
    }

    /// Computes an exact number from other columns, as [`Rows::derive`] does. `(12, 2)` gives a
    /// DECIMAL(12,2). Precision is 1 to 18 or 38, scale at most the precision and at most 37.
    ///
    /// Digits past the scale are rounded half away from zero. A number with too many digits before
    /// the point rejects the row with the code `out-of-range`.
    ///
    /// ```
    /// # use loader_sdk::{Error, Rounding, Rows};
    /// fn steps(rows: &mut Rows) -> Result<(), Error> {
    ///     rows.derive_decimal("net", ["gross", "tax"], (12, 2), |[gross, tax]| {
    ///         let (Some(gross), Some(tax)) = (gross.decimal()?, tax.decimal()?) else { return Ok(None) };
    ///         Ok(gross.minus(tax))
    ///     })?;
    ///     Ok(())
    /// }
    /// ```
    pub fn derive_decimal<C, F>(
        &mut self,
        name: &str,
        from: C,
        precision_and_scale: (u8, u8),
        f: F,
    ) -> Result<&mut Rows, Error>
    where
        C: Columns,
        F: for<'a> Fn(<C::Shape as Shape>::Cells<'a>) -> Result<Option<Decimal>, Reject> + 'static,
    {
        let kind = Kind::Decimal(precision_and_scale.0, precision_and_scale.1);
        kind.data_type().map_err(|error| error.column(name))?;
        let place = self.columns.place(name)?;
        let inputs = self.columns.sources(&from)?;
        let step =
            CellStep::decimals::<C::Shape, F>(inputs, name.to_owned(), precision_and_scale, f);
        Ok(self.put_step(place, name, kind, step))
    }

    /// Rejects the rows for which the closure returns true. The load leaves them out, and lists
    /// them with the reason.
    ///
    /// ```
    /// # use loader_sdk::{Error, Reject, Rows};
    /// fn steps(rows: &mut Rows) -> Result<(), Error> {
    ///     let reason = Reject::new("test-order", "orders of the test shop are not loaded");
    ///     rows.reject_when("shop", reason, |shop| Ok(shop.text() == Some("TEST")))?;
    ///     Ok(())
    /// }
    /// ```
    pub fn reject_when<C, F>(&mut self, from: C, reason: Reject, f: F) -> Result<&mut Rows, Error>
    where
        C: Columns,
        F: for<'a> Fn(<C::Shape as Shape>::Cells<'a>) -> Result<bool, Reject> + 'static,
    {
        let step = CellStep::reject_when::<C::Shape, F>(self.columns.sources(&from)?, reason, f);
        self.steps.push(step);
        Ok(self)
    }

    /// Has the host cast an input column, exactly or by rejecting the row. The column does not
    /// enter the sandbox, so no later step can read it.
    ///
    /// Errors: also `not-an-input` for a column that the plugin makes, which has its type already.
    ///
    /// ```
    /// # use loader_sdk::{Error, Kind, Rows};
    /// fn steps(rows: &mut Rows) -> Result<(), Error> {
    ///     rows.cast("price", Kind::Decimal(12, 2))?;
    ///     Ok(())
    /// }
    /// ```
    pub fn cast(&mut self, name: &str, to: Kind) -> Result<&mut Rows, Error> {
        to.data_type().map_err(|error| error.column(name))?;
        let column = self.columns.column(name)?;
        match column.origin {
            // A second cast replaces the first one: the host casts once, from the input's type.
            Origin::Input(index) | Origin::Cast(index) => {
                column.kind = to;
                column.origin = Origin::Cast(index);
                Ok(self)
            }
            Origin::Constant(_) | Origin::Host(_) | Origin::Step(_) => {
                let message = format!(
                    "column {name:?} is made by this plugin; only a column of the input is cast"
                );
                Err(Error::new("not-an-input", message).column(name))
            }
        }
    }

    /// Gives a column another name. The column keeps its place.
    ///
    /// ```
    /// # fn steps(rows: &mut loader_sdk::Rows) -> Result<(), loader_sdk::Error> {
    /// rows.rename("Kd-Nr", "customer_id")?;
    /// # Ok(()) }
    /// ```
    pub fn rename(&mut self, name: &str, new_name: &str) -> Result<&mut Rows, Error> {
        self.columns.rename(name, new_name)?;
        Ok(self)
    }

    /// Leaves a column out.
    ///
    /// ```
    /// # fn steps(rows: &mut loader_sdk::Rows) -> Result<(), loader_sdk::Error> {
    /// rows.drop("internal_note")?;
    /// # Ok(()) }
    /// ```
    pub fn drop(&mut self, name: &str) -> Result<&mut Rows, Error> {
        self.columns.remove(name)?;
        Ok(self)
    }

    /// Leaves out all columns but these, and puts them into this order.
    ///
    /// ```
    /// # fn steps(rows: &mut loader_sdk::Rows) -> Result<(), loader_sdk::Error> {
    /// rows.select(["customer_id", "name"])?;
    /// # Ok(()) }
    /// ```
    pub fn select<S: AsRef<str>>(
        &mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<&mut Rows, Error> {
        let chosen = self.columns.order(names)?;
        self.columns.keep_first(chosen);
        Ok(self)
    }

    /// Puts these columns first, in this order. The others follow in the order that they have.
    ///
    /// ```
    /// # fn steps(rows: &mut loader_sdk::Rows) -> Result<(), loader_sdk::Error> {
    /// rows.order_first(["customer_id", "name"])?;
    /// # Ok(()) }
    /// ```
    pub fn order_first<S: AsRef<str>>(
        &mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<&mut Rows, Error> {
        self.columns.order(names)?;
        Ok(self)
    }

    /// Adds a column with the same value in every row.
    ///
    /// ```
    /// # fn steps(rows: &mut loader_sdk::Rows) -> Result<(), loader_sdk::Error> {
    /// rows.constant("source", "crm")?.constant("version", 3)?;
    /// # Ok(()) }
    /// ```
    pub fn constant<T: Value>(&mut self, name: &str, value: T) -> Result<&mut Rows, Error> {
        let origin = Origin::Constant(constant(Some(value)));
        self.columns.add(NamedColumn { name: name.to_owned(), kind: T::KIND, origin })?;
        Ok(self)
    }

    /// Adds a column with a value that the host knows, such as the file's name or the row's number.
    /// No step can read the column, because the host fills it afterwards.
    ///
    /// ```
    /// # use loader_sdk::{Error, HostValue, Rows};
    /// # fn steps(rows: &mut Rows) -> Result<(), Error> {
    /// rows.host_value("loaded_from", HostValue::SourceFileName)?;
    /// # Ok(()) }
    /// ```
    pub fn host_value(&mut self, name: &str, value: HostValue) -> Result<&mut Rows, Error> {
        let kind = match value {
            HostValue::RunStartedAt => Kind::Timestamp,
            HostValue::SourceRow => Kind::BigInteger,
            HostValue::RunId | HostValue::SourceFileName | HostValue::SourceUri => Kind::Text,
        };
        let origin = Origin::Host(value);
        self.columns.add(NamedColumn { name: name.to_owned(), kind, origin })?;
        Ok(self)
    }

    /// Makes a number for the report of the load. It begins with 0; see [`Tally`].
    ///
    /// ```
    /// # fn steps(rows: &mut loader_sdk::Rows) {
    /// let invalid = rows.counter("invalid");
    /// # }
    /// ```
    pub fn counter(&mut self, name: &str) -> Tally {
        let tally = Tally::default();
        self.counters.push((name.to_owned(), tally.clone()));
        tally
    }

    fn put_step(
        &mut self,
        place: Option<usize>,
        name: &str,
        kind: Kind,
        step: CellStep,
    ) -> &mut Rows {
        let origin = Origin::Step(self.steps.len());
        self.steps.push(step);
        self.columns.put(place, NamedColumn { name: name.to_owned(), kind, origin });
        self
    }

    /// The input columns that steps read, ascending.
    pub(super) fn inputs(&self) -> Vec<usize> {
        step::inputs(&self.steps)
    }

    pub(super) fn plan(&self) -> Result<Plan, Error> {
        let mut plan = Plan::new(&self.input);
        // Named for all steps at once, because a step that only rejects rows has no column in the
        // plan that could name its inputs.
        plan.read(&self.inputs());
        self.columns.add_to(&mut plan)?;
        Ok(plan)
    }
}
