//! An S3 server in this process, its objects in a folder: what the local default and the tests store media in.
//!
//! The protocol (signatures, presigned addresses, XML, chunked bodies) is the crate `s3s`. The storage is ours:
//! `s3s-fs` 0.14.1 lists parts without their ETags, deletes an upload before it assembles it, and stores a body
//! before it compares its checksum. Here a small record names the files that hold an object's bytes, and
//! replacing that record is the one step that counts.

mod api;
mod body;
mod key;
mod listing;
mod object;
mod server;
mod store;
mod upload;

pub use server::{Credentials, S3Server, Settings};
