//! Tries from inside what the jail forbids. `reelmill-media --self-test` prints what it found.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde::Serialize;

/// Written and removed again.
const INSIDE: &str = "self-test";

/// What was tried, whether the jail stopped it, and whether it should.
#[derive(Debug, Serialize)]
pub struct Attempt {
    pub tried: &'static str,
    pub forbidden: bool,
    pub stopped: bool,
}

/// Tries everything once and cleans up after itself. `outside` is a path that exists or could be
/// made, and lies outside the scratch directory.
#[must_use]
pub fn self_test(outside: &Path) -> Vec<Attempt> {
    let forbidden = |tried, stopped| Attempt { tried, forbidden: true, stopped };
    let needed = |tried, stopped| Attempt { tried, forbidden: false, stopped };
    vec![
        forbidden("open a TCP socket", TcpListener::bind(("127.0.0.1", 0)).is_err()),
        forbidden("open a UDP socket", UdpSocket::bind(("127.0.0.1", 0)).is_err()),
        forbidden("open a Unix socket", UnixListener::bind("socket").is_err()),
        forbidden("read /etc/passwd", fs::read("/etc/passwd").is_err()),
        forbidden("list the processes of the machine", fs::read_dir("/proc").is_err()),
        forbidden("write outside the scratch directory", fs::write(outside, b"escaped").is_err()),
        forbidden("write above the scratch directory", writes_above_stay_inside()),
        forbidden("run a program", Command::new("/bin/true").status().is_err()),
        needed("start a thread", thread::Builder::new().spawn(|| ()).is_err()),
        needed("write in the scratch directory", fs::write(INSIDE, b"inside").is_err()),
        needed("remove from the scratch directory", fs::remove_file(INSIDE).is_err()),
    ]
}

/// With a root directory of its own, `..` of the scratch directory is the scratch directory.
fn writes_above_stay_inside() -> bool {
    fs::write("../reelmill-escape", b"escaped").is_err() || fs::remove_file("reelmill-escape").is_ok()
}
