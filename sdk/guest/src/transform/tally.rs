//! Numbers that closures count for the report of a load.

use std::rc::Rc;

/// A count for the report of a load, such as how many values were shortened. It comes from
/// [`Rows::counter`](crate::Rows::counter), and closures own it or a clone of it: all clones count
/// together.
///
/// ```
/// # use loader_sdk::{Error, Rows};
/// fn steps(rows: &mut Rows) -> Result<(), Error> {
///     let shortened = rows.counter("shortened");
///     rows.map("note", move |note| {
///         shortened.add(u64::from(note.is_some_and(|note| note.len() > 10)));
///         Ok(note.map(|note| note.chars().take(10).collect::<String>()))
///     })?;
///     Ok(())
/// }
/// ```
// Not atomic, because a session and its closures stay on one thread.
#[derive(Debug, Clone, Default)]
pub struct Tally(Rc<std::cell::Cell<u64>>);

impl Tally {
    /// Adds to the count. The count stops at the largest `u64`.
    ///
    /// ```
    /// # use loader_sdk::Tally;
    /// fn seen(tally: &Tally) { tally.add(1) }
    /// ```
    pub fn add(&self, count: u64) {
        self.0.set(self.0.get().saturating_add(count));
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.get()
    }
}
