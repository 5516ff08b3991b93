//! `weir demo` in a program that was built without it.

use super::Exit;

/// Says what is missing.
pub(super) fn run(_: Option<&str>) -> Exit {
    eprintln!(
        "error: this program was built without the demo\n\
         hint: build it with the cargo feature `demo`, which is on by default"
    );
    Exit::Usage
}
