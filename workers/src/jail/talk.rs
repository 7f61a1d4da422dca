//! The conversation with a child that may have been taken over: all that it says is bounded.

use std::io;

use domain::engine::{Event, Request};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Child;

/// The longest line that the child may print, bytes.
const LINE_BYTES_MAX: u64 = 256 * 1024;
/// All that it may print. The progress of hours is a megabyte.
pub(super) const STDOUT_BYTES_MAX: usize = 4 << 20;
/// How much of the child's standard error is kept, bytes.
pub(super) const STDERR_BYTES_MAX: usize = 8 * 1024;

/// What was said.
pub(super) struct Talk {
    /// The last event came.
    pub answered: bool,
    /// The end of its log.
    pub stderr: String,
}

/// Asks, and hears the child until it closes its pipes.
pub(super) async fn converse(
    child: &mut Child,
    request: &Request,
    on_event: &mut (impl FnMut(Event) + Send),
) -> io::Result<Talk> {
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::Error::other("the pipes of the child were taken already"));
    };
    let request = serde_json::to_vec(request)?;
    // All three at once: a child that floods one pipe must not block on it while we wait on another.
    let ask = async {
        // A child that dies early closes the pipe; what it said elsewhere tells more than this.
        let _ = stdin.write_all(&request).await;
        drop(stdin);
        Ok::<(), io::Error>(())
    };
    let ((), answered, stderr) = tokio::try_join!(ask, read_events(stdout, on_event), drain(stderr))?;
    Ok(Talk { answered, stderr })
}

async fn read_events(
    stdout: impl AsyncRead + Unpin,
    on_event: &mut (impl FnMut(Event) + Send),
) -> io::Result<bool> {
    let mut reader = BufReader::new(stdout);
    let mut answered = false;
    let mut line = Vec::new();
    let mut heard = 0;
    loop {
        line.clear();
        let read = (&mut reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await?;
        if read == 0 {
            return Ok(answered);
        }
        heard += read;
        if line.last() != Some(&b'\n') {
            return Err(io::Error::other("the engine printed a line that never ends"));
        }
        if answered || heard > STDOUT_BYTES_MAX {
            return Err(io::Error::other("the engine goes on printing"));
        }
        let event: Event = serde_json::from_slice(&line)?;
        answered = matches!(event, Event::Probed(_) | Event::Finished { .. } | Event::Rejected { .. });
        on_event(event);
    }
}

/// Reads to the end and keeps the tail, so that a chatty child neither blocks nor fills memory.
async fn drain(mut stderr: impl AsyncRead + Unpin) -> io::Result<String> {
    let mut tail: Vec<u8> = Vec::new();
    let mut buffer = [0_u8; 4096];
    loop {
        let read = stderr.read(&mut buffer).await?;
        if read == 0 {
            return Ok(String::from_utf8_lossy(&tail).into_owned());
        }
        tail.extend_from_slice(&buffer[..read]);
        if tail.len() > STDERR_BYTES_MAX {
            tail.drain(..tail.len() - STDERR_BYTES_MAX);
        }
    }
}
