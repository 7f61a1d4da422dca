//! Entry point of `reelmill`.

fn main() {}
