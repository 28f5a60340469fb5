//! Shared lists on their way to another process: their items, one after the other.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn serialize<T: Serialize, S: Serializer>(
    items: &Arc<[T]>,
    to: S,
) -> Result<S::Ok, S::Error> {
    items.as_ref().serialize(to)
}

pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Arc<[T]>, D::Error> {
    Vec::deserialize(from).map(Into::into)
}

/// The same for a list that may be missing.
pub(crate) mod optional {
    use super::{Arc, Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(
        items: &Option<Arc<[T]>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        items.as_deref().serialize(to)
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Arc<[T]>>, D::Error> {
        Ok(Option::<Vec<T>>::deserialize(from)?.map(Into::into))
    }
}
