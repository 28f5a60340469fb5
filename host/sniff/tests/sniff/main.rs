//! What is found out about files: single ones that mislead, and hundreds that a generator writes in
//! dialects on which the sniffer was not tuned.

mod generated;
mod misleading;
mod tables;
