//! How a measurement ends. Errors are shown to the developer who runs the program, so any error is
//! kept as it came.

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
