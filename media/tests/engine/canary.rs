//! What hostile files of the corpus ask for, laid out and watched: an address that they would call,
//! and a file that they would read.

use std::fs;
use std::io::ErrorKind;
use std::mem::MaybeUninit;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::LazyLock;

use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};

/// The file in the playlists.
const FILE: &str = "/tmp/ssrf-canary.ts";
const CONTENT: &[u8] = b"nobody reads this";

/// Laid out once for all tests, which would alarm each other.
static CANARY: LazyLock<Canary> = LazyLock::new(Canary::lay_out);

pub struct Canary {
    /// At the address in the playlists; `None` when another run of these tests listens there, which
    /// hears it as well.
    listener: Option<TcpListener>,
    watch: OwnedFd,
}

impl Canary {
    pub fn laid_out() -> &'static Self {
        &CANARY
    }

    fn lay_out() -> Self {
        let listener = match TcpListener::bind("127.0.0.1:18999") {
            Ok(listener) => Some(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse => None,
            Err(error) => panic!("{error}"),
        };
        if let Some(listener) = &listener {
            listener.set_nonblocking(true).unwrap();
        }
        // One that an earlier run left is not touched: somebody else may watch it.
        if !fs::metadata(FILE).is_ok_and(|file| file.len() == CONTENT.len() as u64) {
            fs::write(FILE, CONTENT).unwrap();
        }
        let watch = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        let touched = WatchFlags::OPEN | WatchFlags::ACCESS | WatchFlags::MODIFY | WatchFlags::ATTRIB;
        add_watch(&watch, FILE, touched | WatchFlags::DELETE_SELF).unwrap();
        Self { listener, watch }
    }

    /// Nobody called, and nobody touched the file.
    pub fn is_untouched(&self) -> bool {
        let mut buffer = [MaybeUninit::uninit(); 512];
        let heard = self.listener.as_ref().is_some_and(|listener| listener.accept().is_ok());
        !heard && Reader::new(&self.watch, &mut buffer).next().is_err()
    }
}

/// The alarm goes off.
#[test]
fn a_canary_that_is_touched_tells() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let watch = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
    add_watch(&watch, file.path(), WatchFlags::OPEN).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let canary = Canary { listener: Some(listener), watch };
    assert!(canary.is_untouched());
    fs::read(file.path()).unwrap();
    assert!(!canary.is_untouched());
    assert!(canary.is_untouched(), "the alarm was heard");
    let _call = TcpStream::connect(address).unwrap();
    assert!(!canary.is_untouched());
}
