//! The steps of a load, in the order in which they run. A step never calls another; `pipeline.rs`
//! does.

pub mod recover;

pub mod source;

pub mod infer;

pub mod plan;

pub mod transform;

pub mod conform;

pub mod stage;

pub mod rejects;

pub mod evolve;

pub mod load;

pub mod cleanup;
