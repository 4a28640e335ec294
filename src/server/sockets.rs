//! The listening sockets: opened here, or taken over from the process before, and lent to Pingora.
//!
//! Pingora would open them on threads of its own and panic there if an address is taken. Opened beforehand, the start
//! fails with an error that names the address, a port that the kernel is to choose is known, and the sockets can be
//! handed to the process that takes over from this one.

use super::StartError;
use crate::config::Settings;
use parking_lot::Mutex;
use pingora_core::server::{Fds, ListenFds};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::IntoRawFd;
use std::sync::Arc;

/// How many connections may wait to be accepted; the kernel has a limit of its own.
const BACKLOG: i32 = 65_535;

/// All sockets of a configuration.
#[derive(Debug)]
pub struct Sockets {
    /// The listeners', in their order.
    pub listeners: Vec<Listening>,
    /// The admin address's.
    pub admin: Listening,
}

/// A listening socket.
#[derive(Debug)]
pub struct Listening {
    /// The address that was asked for, its port perhaps 0.
    pub asked: SocketAddr,
    /// The address that it has, its port never 0.
    pub address: SocketAddr,
    /// The socket. Connections wait in it until someone accepts them.
    pub socket: Socket,
}

impl Sockets {
    /// Opens those that are not among `taken_over`, which are used up to the ones that the configuration has no place for.
    pub fn open(settings: &Settings, mut taken_over: Vec<Listening>) -> Result<Self, StartError> {
        let mut open_one = |asked: SocketAddr| {
            let known = taken_over.iter().position(|one| one.asked == asked || one.address == asked);
            match known {
                Some(known) => Ok(Listening { asked, ..taken_over.remove(known) }),
                None => {
                    Listening::open(asked).map_err(|reason| StartError::Address { address: asked, reason })
                }
            }
        };
        let listeners = settings.listeners.iter().map(|listener| open_one(listener.address));
        Ok(Self { listeners: listeners.collect::<Result<_, _>>()?, admin: open_one(settings.admin.address)? })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Listening> {
        self.listeners.iter().chain([&self.admin])
    }

    /// The sockets as Pingora takes them: copies, by address.
    pub fn lend(&self) -> io::Result<ListenFds> {
        let mut lent = Fds::new();
        for listening in self.iter() {
            lent.add(listening.address.to_string(), listening.socket.try_clone()?.into_raw_fd());
        }
        Ok(Arc::new(Mutex::new(lent)))
    }
}

impl Listening {
    fn open(asked: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(asked), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&asked.into())?;
        socket.listen(BACKLOG)?;
        Self::of(asked, socket)
    }

    /// A socket that listens already.
    pub fn of(asked: SocketAddr, socket: Socket) -> io::Result<Self> {
        let address = socket.local_addr()?.as_socket();
        let address = address.ok_or_else(|| io::Error::other("the socket has no internet address"))?;
        Ok(Self { asked, address, socket })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(address: &str) -> io::Result<Listening> {
        Listening::open(address.parse().unwrap())
    }

    #[test]
    fn a_port_is_chosen() {
        let (one, other) = (open("127.0.0.1:0").unwrap(), open("127.0.0.1:0").unwrap());
        assert_ne!(one.address.port(), 0);
        assert_ne!(one.address, other.address);
    }

    #[test]
    fn a_taken_address_is_an_error() {
        let taken = open("127.0.0.1:0").unwrap();
        let address = taken.address.to_string();
        assert_eq!(open(&address).err().unwrap().kind(), io::ErrorKind::AddrInUse);
        drop(taken);
        open(&address).unwrap();
    }
}
