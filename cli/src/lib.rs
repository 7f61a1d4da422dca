//! The parts of `reelmill` that tests and tools use, too: the private services of the local default.

pub mod local;
