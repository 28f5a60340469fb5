//! A type of Arrow on its way to another process: as the one column of an IPC schema message.

use arrow::datatypes::{DataType, Field, Schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<S: Serializer>(data_type: &DataType, to: S) -> Result<S::Ok, S::Error> {
    let schema = Schema::new(vec![Field::new("", data_type.clone(), true)]);
    loader_ipc::encode_schema(&schema).serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DataType, D::Error> {
    let message = Vec::<u8>::deserialize(from)?;
    let schema = loader_ipc::trusted::decode_schema(&message).map_err(D::Error::custom)?;
    let column = schema.fields().first().ok_or_else(|| D::Error::custom("no column"))?;
    Ok(column.data_type().clone())
}
