//! The command `weir`.

fn main() {}
