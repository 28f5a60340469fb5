//! Several programs share one stand-in. A program attaches to a folder: it joins the server that
//! runs there, or starts the program `loader-local`, which runs as long as it is used. In: the
//! folder; out: an [`Attachment`] with the server's [`Endpoints`]. The server itself is in the
//! crate `loader-local`, which takes the locks and writes the files that are defined here.
//!
//! # Who holds what
//! The locks are advisory locks (`flock`) on files in `DIR/.loader`. The system gives a lock back
//! when its holder ends, however it ends, so a killed program leaves none behind. The process that
//! serves DIR holds `server.lock`. The programs that use the server share `clients.lock`; a server
//! that is no longer used takes it exclusively and keeps it until it is gone. `attach.lock` lets
//! one program at a time look for a server.
//!
//! A client takes its share of `clients.lock` before it looks for a server, and a server that
//! leaves holds that lock alone until it is gone. So a client either finds a server that cannot
//! leave, or waits and then finds none. For example, when the last load ends while a new load
//! starts, the new load either keeps the server or starts another. It never connects to a server
//! that is stopping.
//!
//! # Who may use it
//! The server takes requests that are signed with the folder's access key, and no others. The key
//! is random, and lies in `DIR/.loader`, which only the owner of the folder can open. So a program
//! may use the server when its user may use the folder.

mod access_key;
mod attachment;
mod endpoints;
mod error;
mod lock;
mod log_tail;
mod program;
mod spawned;
mod state_dir;

pub use access_key::AccessKey;
pub use attachment::{Attachment, attach};
pub use endpoints::{Endpoints, EndpointsFile, REGION};
pub use error::AttachError;
pub use lock::{Lock, Mode};
pub use log_tail::log_tail;
pub use program::Program;
pub use state_dir::{STATE_DIR, StateDir};
