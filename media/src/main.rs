//! Entry point of `reelmill-media`.

fn main() {}
