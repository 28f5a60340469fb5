//! Sessions: connections that are kept when an execution has ended, for the executions after it.
//! In: executions that take a session's connection and give it back. Out: what ListSessions shows.
//!
//! One execution at a time has the connection (`session`). While none has it, the session waits for
//! the next as long as its lifetime says (`lifetime`), and is closed by a task of its own. All
//! sessions of this server are in `registry`.

mod lifetime;
mod registry;
mod session;

pub(crate) use lifetime::SessionStatus;
pub(crate) use registry::Sessions;
pub(crate) use session::KeptSession;
