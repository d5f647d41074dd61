//! The commands: demo, dev, test.
fn main() {}
