//! Claiming the addresses before the server starts.
//!
//! Pingora opens them on threads of its own and panics there if one is taken. They are tried beforehand instead, so that
//! the start fails with an error that names the address; and a port that the kernel is to choose is chosen here, so that
//! it can be told.

use super::StartError;
use crate::config::Settings;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;

/// All addresses of a configuration.
pub struct AllClaimed {
    /// The listeners', in their order.
    pub listeners: Vec<Claimed>,
    /// The admin address.
    pub admin: Claimed,
}

/// An address that can be listened on.
pub struct Claimed {
    /// The address, its port never 0.
    pub address: SocketAddr,
    /// Keeps a port that the kernel chose from being given to another: bound, but not listening, so that no connection
    /// ever arrives there.
    held: Option<Socket>,
}

impl Claimed {
    /// Whether a socket of ours is bound to it, so that the one that listens must share the port.
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }
}

/// Claims all addresses. In an `upgrade` the running instance has them, and hands them over.
pub fn claim(settings: &Settings, upgrade: bool) -> Result<AllClaimed, StartError> {
    let claim_one = |address: SocketAddr| {
        if upgrade {
            return Ok(Claimed { address, held: None });
        }
        try_address(address).map_err(|reason| StartError::Address { address, reason })
    };
    let listeners = settings.listeners.iter().map(|listener| claim_one(listener.address));
    Ok(AllClaimed {
        listeners: listeners.collect::<Result<_, _>>()?,
        admin: claim_one(settings.admin.address)?,
    })
}

fn try_address(address: SocketAddr) -> io::Result<Claimed> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.port() != 0 {
        socket.bind(&address.into())?;
        // Another listener on the address shows only now.
        socket.listen(1)?;
        return Ok(Claimed { address, held: None });
    }
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    let address = socket.local_addr()?.as_socket().unwrap_or(address);
    Ok(Claimed { address, held: Some(socket) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_chosen_and_held() {
        let claimed = try_address("127.0.0.1:0".parse().unwrap()).unwrap();
        assert_ne!(claimed.address.port(), 0);
        assert!(claimed.is_held());
        let other = try_address("127.0.0.1:0".parse().unwrap()).unwrap();
        assert_ne!(claimed.address, other.address);
    }

    #[test]
    fn a_taken_address_is_an_error() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        assert_eq!(try_address(address).err().unwrap().kind(), io::ErrorKind::AddrInUse);
        drop(taken);
        assert!(!try_address(address).unwrap().is_held());
    }
}
