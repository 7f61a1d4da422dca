//! The consume loop and one file per job kind.
