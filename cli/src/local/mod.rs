//! The services of the local default: private instances of the same real things that a cluster runs.
//!
//! One file each: Postgres, RabbitMQ, and an S3 server in this process. Every one keeps its data in the
//! folder it is given, continues with it on the next start, and ends with the process that started it.

pub mod postgres;
pub mod process;
pub mod rabbitmq;
pub mod s3;
pub mod secret_file;

pub use postgres::Postgres;
pub use rabbitmq::RabbitMq;
pub use s3::S3Server;

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

use anyhow::Context as _;

/// A TCP port that nobody listens on at 127.0.0.1; `preferred` when it is free, so that addresses survive a restart.
///
/// # Errors
/// The system has no free port left.
pub fn free_port(preferred: Option<u16>) -> anyhow::Result<u16> {
    if let Some(port) = preferred
        && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
    {
        return Ok(port);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
    Ok(listener.local_addr().context("read the free port")?.port())
}

/// The port that `file` names when it is free, else `preferred`, else any; `file` then names it.
///
/// # Errors
/// The system has no free port left, or the file cannot be written.
pub fn kept_port(file: &Path, preferred: Option<u16>) -> anyhow::Result<u16> {
    let kept = fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok());
    let port = free_port(kept.or(preferred))?;
    secret_file::write(file, port.to_string().as_bytes())?;
    Ok(port)
}
