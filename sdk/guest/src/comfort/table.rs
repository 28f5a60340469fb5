//! What the builder knows of its columns: where they are, where each comes from, and the plan that
//! follows.

use std::fmt::Write;
use std::sync::Arc;

use super::rows::{Column, From};
use super::step::{Source, Step};
use super::{Columns, Kind, Rows};
use crate::{Error, Plan};

/// So many names are listed by an error.
const MAX_LISTED: usize = 40;

impl Rows {
    pub(super) fn order<S: AsRef<str>>(
        &mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<(&mut Rows, usize), Error> {
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
        Ok((self, count))
    }

    pub(super) fn put_step(
        &mut self,
        place: Option<usize>,
        name: &str,
        kind: Kind,
        step: Step,
    ) -> &mut Rows {
        let column = Column { name: name.to_owned(), kind, from: From::Step(self.steps.len()) };
        self.steps.push(step);
        match place {
            Some(place) => self.columns[place] = column,
            None => self.columns.push(column),
        }
        self
    }

    /// Where a step finds the columns that it reads.
    pub(super) fn sources(&self, columns: &impl Columns) -> Result<Vec<(Arc<str>, Source)>, Error> {
        columns.names().into_iter().map(|name| Ok((name.into(), self.source(name)?))).collect()
    }

    fn source(&self, name: &str) -> Result<Source, Error> {
        let Column { from, kind, .. } = &self.columns[self.find(name)?];
        let unreadable = |why: &str| {
            Err(Error::new(
                "unreadable-column",
                format!("column {name:?} {why}, so that no step can read it"),
            )
            .column(name))
        };
        match from {
            From::Input(_) if *kind == Kind::Other => {
                unreadable("holds a type that is only passed through")
            }
            From::Input(index) => Ok(Source::Input(*index)),
            From::Step(step) => Ok(Source::Step(*step)),
            From::Constant(value) => Ok(Source::Constant(Arc::clone(value))),
            From::Cast(_) => unreadable("is cast by the host afterwards"),
            From::Host(_) => unreadable("is filled by the host"),
        }
    }

    pub(super) fn find(&self, name: &str) -> Result<usize, Error> {
        self.place(name)?.ok_or_else(|| self.no_column(name))
    }

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

    pub(super) fn refuse_existing(&self, name: &str) -> Result<(), Error> {
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
        let similar = |column: &&Column| column.name.trim().eq_ignore_ascii_case(name.trim());
        if let Some(column) = self.columns.iter().find(similar) {
            let _ = write!(message, "; did you mean {:?}?", column.name);
        }
        let names: Vec<_> = self
            .columns
            .iter()
            .take(MAX_LISTED)
            .map(|column| format!("{:?}", column.name))
            .collect();
        let _ = match self.columns.len().checked_sub(MAX_LISTED) {
            None | Some(0) => write!(message, "; there are: {}", names.join(", ")),
            Some(more) => write!(message, "; there are: {} and {more} more", names.join(", ")),
        };
        Error::new("no-column", message).column(name)
    }

    /// The input columns that steps read, ascending.
    pub(crate) fn inputs(&self) -> Vec<usize> {
        let read = self.steps.iter().flat_map(|step| &step.inputs);
        let mut inputs: Vec<usize> = read
            .filter_map(|(_, source)| match source {
                Source::Input(index) => Some(*index),
                Source::Step(_) | Source::Constant(_) => None,
            })
            .collect();
        inputs.sort_unstable();
        inputs.dedup();
        inputs
    }

    /// The steps whose columns are part of the output, in its order.
    pub(crate) fn outputs(&self) -> Vec<usize> {
        let step =
            |column: &Column| if let From::Step(step) = column.from { Some(step) } else { None };
        self.columns.iter().filter_map(step).collect()
    }

    pub(crate) fn plan(&self) -> Result<Plan, Error> {
        let mut plan = Plan::new(&self.input);
        plan.read(&self.inputs());
        for Column { name, kind, from } in &self.columns {
            match from {
                From::Input(index) => plan.passthrough(*index, name),
                From::Cast(index) => plan.cast(*index, name, kind.data_type()?),
                From::Constant(value) => plan.literal(name, Arc::clone(value)),
                From::Host(value) => plan.host_value(name, *value),
                From::Step(_) => plan.computed(name, kind.data_type()?, &[]),
            }
        }
        Ok(plan)
    }
}
