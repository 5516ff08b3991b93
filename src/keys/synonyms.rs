//! What people write who have used other programs.

/// Flags as others write them, in small letters.
pub(super) const YES_AND_NO: [(&str, bool); 14] = [
    ("true", true),
    ("yes", true),
    ("on", true),
    ("1", true),
    ("y", true),
    ("enable", true),
    ("enabled", true),
    ("false", false),
    ("no", false),
    ("off", false),
    ("0", false),
    ("n", false),
    ("disable", false),
    ("disabled", false),
];

/// Keys as others name them.
pub(super) const OTHER_NAMES: [(&str, &str); 14] = [
    ("user", "username"),
    ("pass", "password"),
    ("host", "url"),
    ("broker", "url"),
    ("server", "url"),
    ("endpoint", "url"),
    ("host", "address"),
    ("server", "address"),
    ("port", "listen"),
    ("ssl", "tls"),
    ("cert", "certificate"),
    ("cafile", "ca"),
    ("id", "ident"),
    ("file", "path"),
];
