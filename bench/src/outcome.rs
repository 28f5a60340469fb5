//! How a measurement ends. What goes wrong is shown to the developer who runs it, so an error is
//! kept as it came.

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
