//! The number by which a tracker names itself.

/// Whether it names nobody: who has no number, or has lost it, says zeros, and all of these would
/// be one device.
pub(super) fn is_of_nobody(ident: &str) -> bool {
    ident.bytes().all(|byte| byte == b'0')
}
