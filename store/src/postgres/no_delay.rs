//! What is said to a server goes to it at once.
//!
//! sqlx 0.9.0 leaves Nagle's algorithm (RFC 896) on, as its versions before did not: the last piece of a
//! statement that is larger than one segment then waits until the server has acknowledged the others. A
//! tenant's other writers wait with it, which costs them a fifth of what they record. Nothing of sqlx
//! reaches a connection's socket, so it is found among those of this process. This file goes when sqlx
//! says `TCP_NODELAY` again.

/// Has what this process sends to a port, on every connection that there is to it now, sent at once. It is
/// best done after each connecting. Where the system does not let it, nothing changes but the speed.
#[cfg(target_os = "linux")]
pub(super) fn send_at_once(port: u16) {
    use rustix::{
        net::{getpeername, sockopt::set_tcp_nodelay},
        process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open},
    };
    use std::net::SocketAddr;
    let Ok(process) = pidfd_open(getpid(), PidfdFlags::empty()) else {
        return;
    };
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    for entry in open.flatten() {
        let Some(number) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        // A second handle of the same file, which is closed again: whoever has the first may close it
        // meanwhile.
        let Ok(file) = pidfd_getfd(&process, number, PidfdGetfdFlags::empty()) else {
            continue;
        };
        // Of what is no socket, or one that leads elsewhere, nothing.
        let peer = getpeername(&file).ok().flatten();
        if peer
            .and_then(|peer| SocketAddr::try_from(peer).ok())
            .is_some_and(|peer| peer.port() == port)
            && let Err(error) = set_tcp_nodelay(&file, true)
        {
            tracing::debug!("a connection to port {port} does not send at once: {error}");
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn send_at_once(_port: u16) {}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn what_goes_to_the_port_goes_at_once_and_nothing_else_is_touched() {
        let connected = || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            (
                TcpStream::connect(address).unwrap(),
                listener,
                address.port(),
            )
        };
        let (ours, _listener, port) = connected();
        let (other, _other_listener, _) = connected();
        send_at_once(port);
        assert!(ours.nodelay().unwrap());
        assert!(!other.nodelay().unwrap());
    }
}
