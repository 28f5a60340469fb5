//! Views through the Data API of the local stand-in: found, dropped, restored and recovered; and why
//! a COPY failed.
//!
//! One server for each test; each test is a story on relations of its own. What a killed run leaves
//! behind is made by hand here; killing the program itself is the end-to-end tests' work.

mod dependents;
mod journal;
mod load_errors;
mod restore;
mod support;
