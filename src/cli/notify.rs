//! What systemd is told while the daemon runs: that it is ready, alive, how it stands, that it
//! ends. Nothing where it was not started by systemd; nothing here waits.

use crate::daemon::Daemon;
use crate::daemon::minute;
use crate::daemon::sleep;
use rustix::time::ClockId;
use rustix::time::clock_gettime;
use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// Every channel listens, or has said why not.
pub(super) fn ready() {
    send("READY=1");
}

/// The configuration is read again, until [`ready`].
pub(super) fn reloading() {
    let now = Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default();
    send(&format!("RELOADING=1\nMONOTONIC_USEC={}", now.as_micros()));
}

/// It ends.
pub(super) fn stopping() {
    send("STOPPING=1\nSTATUS=stopping");
}

/// Tells that the loop turns, at a third of the time that systemd allows, for ever.
pub(super) async fn feed_watchdog() {
    let Some(every) = watchdog_every() else {
        return;
    };
    loop {
        match every < MINUTE {
            true => sleep(Some(every)).await,
            false => minute().await,
        }
        send("WATCHDOG=1");
    }
}

/// Tells how the daemon stands whenever that has changed, for ever: `systemctl status` shows it.
pub(super) async fn keep_telling(daemon: Daemon) {
    if std::env::var_os(SOCKET).is_none() {
        return;
    }
    let mut told = String::new();
    loop {
        let change = daemon.line_changes();
        let line = daemon.in_one_line();
        if line != told {
            send(&format!("STATUS={line}"));
            told = line;
        }
        if change.await {
            sleep(Some(TELL_EVERY)).await;
        }
    }
}

fn watchdog_every() -> Option<Duration> {
    let micros: u64 = std::env::var("WATCHDOG_USEC").ok()?.parse().ok()?;
    Some(Duration::from_micros((micros / 3).max(1_000)))
}

/// One message to systemd's socket.
fn send(text: &str) {
    let Some(path) = std::env::var_os(SOCKET) else {
        return;
    };
    let sent = UnixDatagram::unbound().and_then(|socket| {
        socket.set_nonblocking(true)?;
        match abstract_name(&path) {
            Some(address) => socket.send_to_addr(text.as_bytes(), &address),
            None => socket.send_to(text.as_bytes(), &path),
        }
    });
    if let Err(error) = sent {
        log::debug!("systemd is not notified: {error}");
    }
}

/// systemd writes an abstract address with `@` for its leading NUL.
fn abstract_name(path: &OsStr) -> Option<SocketAddr> {
    let name = path.to_str()?.strip_prefix('@')?;
    SocketAddr::from_abstract_name(name).ok()
}

/// The variable that names systemd's socket.
const SOCKET: &str = "NOTIFY_SOCKET";

/// From then on nothing has to wake by itself.
const MINUTE: Duration = Duration::from_mins(1);

/// Between two looks at least.
const TELL_EVERY: Duration = Duration::from_secs(5);
