//! `weir reload`: has a running daemon read its configuration again, and says what came of it.

use super::Exit;
use super::client::Client;
use super::client::Target;
use super::client::Trouble;
use crate::api::Reloaded;
use crate::config;
use crate::config::Severity;
use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;

/// Asks the API. Where systemd says which process it is, a daemon that cannot be asked (its API is
/// off, or was somewhere else before the change) gets a signal instead, once the files are right.
pub(super) fn reload(target: Target) -> Exit {
    let signalled = main_pid().filter(|_| target.api.is_none());
    let config = target.config.clone();
    let is_off = || super::load(config.clone()).config.api.listen.is_none();
    if let Some(pid) = signalled
        && is_off()
    {
        return signal(pid, &super::load(config));
    }
    let client = match Client::find(target) {
        Ok(client) => client,
        Err(exit) => return exit,
    };
    match (client.ask("POST", "/reload", None), signalled) {
        (Ok(done), _) => {
            done.iter().for_each(say);
            Exit::Done
        }
        (Err(Trouble::Connection(_)), Some(pid)) => signal(pid, &super::load(config)),
        (Err(trouble), _) => client.explain(&trouble),
    }
}

/// Warnings are said as `weir check` says them.
fn say(done: &Reloaded) {
    let Reloaded { warnings, changes } = done;
    warnings.iter().for_each(|warning| eprintln!("{warning}"));
    say!("the configuration was read again");
    if changes.is_empty() {
        say!("nothing has changed");
    }
    changes.iter().for_each(|change| say!("{change}"));
}

/// Has the files looked at here first: a signal has no answer.
fn signal(pid: Pid, loaded: &config::Loaded) -> Exit {
    eprint!("{}", config::render(&loaded.diagnostics));
    let errors = config::count(&loaded.diagnostics, Severity::Error);
    if errors > 0 || loaded.unusable.is_some() {
        return Exit::Usage;
    }
    match kill_process(pid, Signal::HUP) {
        Ok(()) => {
            say!("the daemon is told by a signal: its log says what came of it");
            Exit::Done
        }
        Err(error) => {
            eprintln!("error: the daemon cannot be told: {error}");
            Exit::Failed
        }
    }
}

/// The daemon's process, as systemd says it to `ExecReload=`.
fn main_pid() -> Option<Pid> {
    let pid = std::env::var("MAINPID").ok()?.parse().ok()?;
    Pid::from_raw(pid)
}
