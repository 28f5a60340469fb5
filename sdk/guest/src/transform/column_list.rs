//! The list of columns between two steps: their order, where each column comes from, and the errors
//! for a name that no column has, that several columns have, or that is taken already.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{Field, Schema};

use super::columns::Columns;
use super::kind::Kind;
use super::step::{Inputs, Source};
use crate::error::Error;
use crate::plan::{HostValue, Plan};

/// How many names an error lists at most.
const MAX_LISTED: usize = 40;

#[derive(Debug)]
pub(super) struct ColumnList {
    columns: Vec<NamedColumn>,
}

#[derive(Debug, Clone)]
pub(super) struct NamedColumn {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) origin: Origin,
}

/// Where a column comes from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// The input column with this index, as it is.
    Input(usize),
    /// The input column with this index, which the host casts.
    Cast(usize),
    Constant(ArrayRef),
    Host(HostValue),
    /// The step with this index among all steps, steps that only reject rows included.
    Step(usize),
}

impl ColumnList {
    pub(super) fn new(input: &Schema) -> ColumnList {
        let column = |(index, field): (usize, &Arc<Field>)| NamedColumn {
            name: field.name().clone(),
            kind: Kind::of(field),
            origin: Origin::Input(index),
        };
        ColumnList { columns: input.fields().iter().enumerate().map(column).collect() }
    }

    pub(super) fn all(&self) -> &[NamedColumn] {
        &self.columns
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name == name)
    }

    /// The column of this name. Errors: `no-column`, `ambiguous-column`.
    pub(super) fn column(&mut self, name: &str) -> Result<&mut NamedColumn, Error> {
        let place = self.find(name)?;
        Ok(&mut self.columns[place])
    }

    pub(super) fn remove(&mut self, name: &str) -> Result<(), Error> {
        let place = self.find(name)?;
        self.columns.remove(place);
        Ok(())
    }

    /// Adds a column behind the others. Errors: `column-exists`.
    pub(super) fn add(&mut self, column: NamedColumn) -> Result<(), Error> {
        self.refuse_existing(&column.name)?;
        self.columns.push(column);
        Ok(())
    }

    /// Puts a column in place of another column, or behind the others.
    pub(super) fn put(&mut self, place: Option<usize>, column: NamedColumn) {
        match place {
            Some(place) => self.columns[place] = column,
            None => self.columns.push(column),
        }
    }

    pub(super) fn rename(&mut self, name: &str, new_name: &str) -> Result<(), Error> {
        let place = self.find(name)?;
        if name != new_name {
            self.refuse_existing(new_name)?;
        }
        self.columns[place].name = new_name.to_owned();
        Ok(())
    }

    /// Puts these columns first, in this order, and returns how many they are. A name that is given
    /// twice counts once.
    pub(super) fn order<S: AsRef<str>>(
        &mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<usize, Error> {
        let mut chosen: Vec<usize> = Vec::new();
        for name in names {
            let place = self.find(name.as_ref())?;
            if !chosen.contains(&place) {
                chosen.push(place);
            }
        }
        let count = chosen.len();
        let others =
            (0..self.columns.len()).filter(|place| !chosen.contains(place)).collect::<Vec<_>>();
        self.columns =
            chosen.iter().chain(&others).map(|place| self.columns[*place].clone()).collect();
        Ok(count)
    }

    /// Leaves out all columns but the first `count`.
    pub(super) fn keep_first(&mut self, count: usize) {
        self.columns.truncate(count);
    }

    /// Where a step finds the columns that it reads.
    pub(super) fn sources(&self, columns: &impl Columns) -> Result<Inputs, Error> {
        columns.names().into_iter().map(|name| Ok((name.into(), self.source(name)?))).collect()
    }

    // The host casts columns and fills its own only once the session has returned, so no step can
    // read these.
    fn source(&self, name: &str) -> Result<Source, Error> {
        let NamedColumn { origin, kind, .. } = &self.columns[self.find(name)?];
        let why = match origin {
            Origin::Input(_) if *kind == Kind::Other => "holds a type that is only passed through",
            Origin::Input(index) => return Ok(Source::Input(*index)),
            Origin::Step(step) => return Ok(Source::Step(*step)),
            Origin::Constant(value) => return Ok(Source::Constant(Arc::clone(value))),
            Origin::Cast(_) => "is cast by the host afterwards",
            Origin::Host(_) => "is filled by the host",
        };
        let message = format!("column {name:?} {why}, so that no step can read it");
        Err(Error::new("unreadable-column", message).column(name))
    }

    pub(super) fn find(&self, name: &str) -> Result<usize, Error> {
        self.place(name)?.ok_or_else(|| self.no_column(name))
    }

    // A header may have a name twice. That is an error only here, when a step uses the name:
    // columns that no step names are passed through.
    pub(super) fn place(&self, name: &str) -> Result<Option<usize>, Error> {
        let mut places = (0..self.columns.len()).filter(|place| self.columns[*place].name == name);
        let place = places.next();
        match places.next() {
            None => Ok(place),
            Some(_) => {
                let message = format!(
                    "there are several columns named {name:?}; give them names of their own first"
                );
                Err(Error::new("ambiguous-column", message).column(name))
            }
        }
    }

    fn refuse_existing(&self, name: &str) -> Result<(), Error> {
        if self.has(name) {
            let message = format!(
                "there is a column {name:?} already; drop or rename it first, or take another name"
            );
            return Err(Error::new("column-exists", message).column(name));
        }
        Ok(())
    }

    fn no_column(&self, name: &str) -> Error {
        let mut message = format!("no column {name:?}");
        // Blanks at the ends and capitals are what people do not see in a header: "Email " for
        // "email".
        let similar = |column: &&NamedColumn| column.name.trim().eq_ignore_ascii_case(name.trim());
        if let Some(column) = self.columns.iter().find(similar) {
            let _ = write!(message, "; did you mean {:?}?", column.name);
        }
        let _ = write!(message, "; there are: {}", self.listed());
        Error::new("no-column", message).column(name)
    }

    fn listed(&self) -> String {
        let listed = self.columns.iter().take(MAX_LISTED);
        let names =
            listed.map(|column| format!("{:?}", column.name)).collect::<Vec<_>>().join(", ");
        match self.columns.len().saturating_sub(MAX_LISTED) {
            0 => names,
            more => format!("{names} and {more} more"),
        }
    }

    /// The steps whose columns are part of the output, in its order. A step whose column was
    /// dropped or computed anew is not among them.
    pub(super) fn computed(&self) -> Vec<usize> {
        let step = |column: &NamedColumn| match column.origin {
            Origin::Step(step) => Some(step),
            _ => None,
        };
        self.columns.iter().filter_map(step).collect()
    }

    /// Makes these columns the output of a plan.
    // A computed column names no inputs here: `Rows::plan` has named those of all steps already.
    // The plan numbers computed columns in the order of these calls, and `computed` above lists the
    // steps in the same order, so that a session's n-th array is the plan's n-th computed column.
    pub(super) fn add_to(&self, plan: &mut Plan) -> Result<(), Error> {
        for NamedColumn { name, kind, origin } in &self.columns {
            match origin {
                Origin::Input(index) => plan.passthrough(*index, name),
                Origin::Cast(index) => plan.cast(*index, name, kind.data_type()?),
                Origin::Constant(value) => plan.literal(name, Arc::clone(value)),
                Origin::Host(value) => plan.host_value(name, *value),
                Origin::Step(_) => plan.computed(name, kind.data_type()?, &[]),
            }
        }
        Ok(())
    }
}
