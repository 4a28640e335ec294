//! Handing the listening sockets and the state over to a new process.
//!
//! The process that serves listens on the upgrade socket, a Unix socket in a directory that nobody else can enter. The
//! new one connects to it when it has made sure that it could serve its own configuration:
//!
//! ```text
//!   new                                             old
//!    │  {"version":1,"wants":{"takeover":…}}\n       │  serves
//!    ├──────────────────────────────────────────────▶│
//!    │  length of what follows, 8 bytes, big-endian; │
//!    │  with them the listening sockets              │
//!    │◀──────────────────────────────────────────────┤
//!    │  {"listening":[…],"heritage":{…}}             │
//!    │◀──────────────────────────────────────────────┤
//!    │                                               │  accepts connections still
//!    │  serving\n                                    │
//!    ├──────────────────────────────────────────────▶│
//!    │  draining\n                                   │
//!    │◀──────────────────────────────────────────────┤  accepts no more, finishes, ends
//! ```
//!
//! Until the new one says that it serves, nothing has changed for the old one: if the new one goes away, it was never
//! there. A process of another protocol version is refused with a line that says so.
//!
//! Who asks for the new process to be started: see [`successor`].

mod give;
mod successor;
mod take;
mod wire;

pub use give::{Giver, serve};
pub use successor::{Asker, Became, ask_for_successor, start_apart};
pub use take::{Predecessor, TakeError, is_running, take_over};
