//! How many files the process may have open.

use crate::config::Config;
use rustix::process::Resource;
use rustix::process::getrlimit;
use rustix::process::setrlimit;

/// A connection is an open file, and a process is given fewer than a configuration may want.
pub(super) fn allow(config: &Config) {
    let connections = config
        .channels
        .iter()
        .map(|channel| channel.max_connections);
    let connections = u64::try_from(connections.sum::<usize>()).unwrap_or(u64::MAX);
    let wanted = connections.saturating_add(FILES_BESIDES);
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let allowed = limit.maximum.map_or(wanted, |maximum| wanted.min(maximum));
    limit.current = Some(allowed);
    let raised = setrlimit(Resource::Nofile, limit).is_ok();
    if !raised || allowed < wanted {
        log::warn!(
            "`max_connections` of all channels is {connections} together, and the system allows \
             fewer open files: `LimitNOFILE=` of systemd, `ulimit -n`"
        );
    }
}

/// Those that are no connections of channels: the ring, streams, the API, sockets that listen.
const FILES_BESIDES: u64 = 128;
