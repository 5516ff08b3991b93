//! Whether the kernel says that its clock is synchronised.
//!
//! Nothing that weir is built of offers this system call, so here is the one place with `unsafe`.

#![expect(
    unsafe_code,
    reason = "adjtimex has no safe wrapper in a crate that is linked anyway"
)]

/// Whether something keeps the date right, as far as the kernel knows: an NTP program does and
/// has told it so, and the date was not set by anything else since. No right is needed to ask.
/// Where it cannot be asked the answer is no.
pub(super) fn is_synchronised() -> bool {
    let mut question = std::mem::MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: `timex` is made of integers, so all zeros is one; as `modes` it means that nothing
    // is to be changed. The kernel writes no more than one `timex`, and the pointer is to one.
    let state = unsafe { libc::adjtimex(question.as_mut_ptr()) };
    state >= 0 && state != libc::TIME_ERROR
}

#[cfg(test)]
mod tests {
    #[test]
    fn asking_changes_nothing_and_gives_the_same_answer() {
        let first = super::is_synchronised();
        assert!((0..100).all(|_| super::is_synchronised() == first));
    }
}
