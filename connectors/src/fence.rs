//! A TCP stream that lets no byte out after a deadline, and knows whether one has left.
//!
//! A time-out around a call is no fence: a process that was stopped sends when it wakes, and a
//! timer that fires does not recall what another task is writing (both measured). So the clock is
//! read under a lock right before every single write, below TLS and HTTP.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::SystemTime;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Until when a call may write, and what it has written.
#[derive(Debug)]
pub(crate) struct Fence {
    deadline: Instant,
    /// The same time on the wall clock: the monotonic one stands still while a machine sleeps.
    wall_deadline: SystemTime,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The handshakes are over: what is written from now on is the request.
    armed: bool,
    left: bool,
    closed: bool,
}

impl Fence {
    /// Opens a fence that shuts by itself at `deadline`.
    pub(crate) fn until(deadline: Instant) -> Arc<Self> {
        let wall_deadline = SystemTime::now() + deadline.saturating_duration_since(Instant::now());
        Arc::new(Self { deadline, wall_deadline, state: Mutex::default() })
    }

    pub(crate) const fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.deadline || SystemTime::now() >= self.wall_deadline
    }

    /// From here on a written byte is a byte of the request.
    pub(crate) fn arm(&self) {
        self.state().armed = true;
    }

    /// Shuts the fence for good and tells whether a byte of the request has left.
    ///
    /// After this nothing can leave any more, so that `false` is a promise.
    pub(crate) fn close(&self) -> bool {
        let mut state = self.state();
        state.closed = true;
        state.left
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is three flags, whole at any time: a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stream. What is still in the kernel's buffer when it is dropped too late is thrown away.
#[derive(Debug)]
pub(crate) struct FencedStream {
    stream: TcpStream,
    fence: Arc<Fence>,
}

impl FencedStream {
    pub(crate) const fn new(stream: TcpStream, fence: Arc<Fence>) -> Self {
        Self { stream, fence }
    }
}

impl AsyncRead for FencedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for FencedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, fence } = self.get_mut();
        let mut state = fence.state();
        if state.closed || fence.is_over() {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the deadline is over")));
        }
        let written = Pin::new(stream).poll_write(cx, buf);
        state.left |= state.armed && matches!(written, Poll::Ready(Ok(1..)));
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for FencedStream {
    fn drop(&mut self) {
        if self.fence.is_over() {
            // Best effort: a reset instead of a late delivery of buffered bytes.
            let _ = self.stream.set_zero_linger();
        }
    }
}
