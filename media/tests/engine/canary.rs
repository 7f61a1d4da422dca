//! What hostile files of the corpus ask for, laid out and watched: an address that they would call,
//! and a file that they would read.

use std::fs;
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::LazyLock;

use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};

/// The address in the playlists.
static LISTENER: LazyLock<TcpListener> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:18999").unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
});

/// The file in the playlists.
const FILE: &str = "/tmp/ssrf-canary.ts";
const CONTENT: &[u8] = b"nobody reads this";

/// Laid out as long as it lives.
pub struct Canary(OwnedFd);

impl Canary {
    pub fn lay_out() -> Self {
        LazyLock::force(&LISTENER);
        fs::write(FILE, CONTENT).unwrap();
        let watch = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        let touched = WatchFlags::OPEN | WatchFlags::ACCESS | WatchFlags::MODIFY | WatchFlags::ATTRIB;
        add_watch(&watch, FILE, touched | WatchFlags::DELETE_SELF).unwrap();
        Self(watch)
    }

    /// Nobody called, and nobody touched the file.
    pub fn is_untouched(&self) -> bool {
        let mut buffer = [MaybeUninit::uninit(); 512];
        LISTENER.accept().is_err() && Reader::new(&self.0, &mut buffer).next().is_err()
    }
}
