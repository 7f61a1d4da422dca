//! Ways out over the network.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;

use super::Attempt;
use super::raw::opens;

const SOCKET: &str = "self-test.socket";

pub fn attempts() -> Vec<Attempt> {
    let unix = UnixListener::bind(SOCKET);
    let _gone = fs::remove_file(SOCKET);
    let netlink = [libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE].map(positive);
    let raw = [libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP].map(positive);
    vec![
        Attempt::forbidden("open a TCP socket", TcpListener::bind(("127.0.0.1", 0)).is_err()),
        Attempt::forbidden("open a UDP socket", UdpSocket::bind(("127.0.0.1", 0)).is_err()),
        Attempt::forbidden("open a Unix socket", unix.is_err()),
        Attempt::forbidden("open a netlink socket", !opens(libc::SYS_socket, &netlink)),
        Attempt::forbidden("open a raw socket", !opens(libc::SYS_socket, &raw)),
    ]
}

/// Constants of the C library are small and positive, and of type `int`.
const fn positive(constant: libc::c_int) -> usize {
    constant.unsigned_abs() as usize
}
