//! The steps of a run, in the order in which they run; README and the report have the same list. A
//! step never calls another: `line.rs` does.

pub(crate) mod plugins;

pub(crate) mod source;

pub(crate) mod catalog;

pub(crate) mod recover;

pub(crate) mod infer;

pub(crate) mod plan;

pub(crate) mod check_evolution;

pub(crate) mod stage;

pub(crate) mod evolve;

pub(crate) mod load;

pub(crate) mod cleanup;
