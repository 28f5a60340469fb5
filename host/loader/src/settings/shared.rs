//! What a settings file says of its tables and of its profiles. A project of thousands of tables
//! makes the settings of each from those of all, which costs nothing while this is shared.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Entries by their names.
pub(crate) type Shared<T> = Arc<BTreeMap<String, T>>;

/// The entries, to be changed; those of a map that others hold are copied first.
pub(super) fn entries_mut<T: Clone>(
    map: &mut Option<Shared<T>>,
) -> impl Iterator<Item = (&String, &mut T)> {
    map.iter_mut().flat_map(|map| Arc::make_mut(map).iter_mut())
}
