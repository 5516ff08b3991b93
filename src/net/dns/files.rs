//! What the machine's own files say about names: `resolv.conf` and `hosts`, as bytes. Reads no
//! file itself, and forgives what it does not know: other programs own these files.

#![deny(clippy::arithmetic_side_effects)]

use super::in_order;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::time::Duration;

/// Whom to ask and how patiently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// 1 to 3, in the order in which they are asked.
    pub servers: Vec<SocketAddr>,
    /// Tried behind a name without dots before the name alone; at most 3 domains.
    pub search: Vec<String>,
    /// How long a server is waited for before the next is asked, 1 to 10 s.
    pub timeout: Duration,
    /// How many times a question is sent, at least once to each server, 1 to 5.
    pub tries: usize,
}

impl Config {
    /// Reads a `resolv.conf`: `nameserver`, `search` or `domain` (the last one counts) and
    /// `options timeout:` and `attempts:`; a server may have a port, as in `[192.0.2.1]:5353`.
    ///
    /// Where it names no server, one on this machine is asked.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let mut config = Self {
            servers: Vec::new(),
            search: Vec::new(),
            timeout: TIMEOUT,
            tries: TRIES,
        };
        for line in lines(text) {
            config.take(line);
        }
        if config.servers.is_empty() {
            config.servers.push((Ipv4Addr::LOCALHOST, PORT).into());
        }
        config.tries = config.tries.max(config.servers.len());
        config
    }

    fn take(&mut self, line: &str) {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("nameserver") => {
                let server = words.next().and_then(server);
                let room = SERVERS_MAX.saturating_sub(self.servers.len());
                self.servers.extend(server.into_iter().take(room));
            }
            Some("search" | "domain") => {
                self.search = words.take(SEARCH_MAX).map(domain).collect();
            }
            Some("options") => words.for_each(|option| self.option(option)),
            _ => {}
        }
    }

    fn option(&mut self, option: &str) {
        match option.split_once(':') {
            Some(("timeout", value)) => {
                let asked = value.parse().map_or(self.timeout, Duration::from_secs);
                self.timeout = asked.clamp(TIMEOUT_MIN, TIMEOUT_MAX);
            }
            Some(("attempts", value)) => {
                self.tries = value.parse().unwrap_or(self.tries).clamp(1, TRIES_MAX);
            }
            _ => {}
        }
    }
}

/// The addresses that a `hosts` file has for `name`, [`in_order`]; case does not matter.
///
/// None where it does not have the name; empty where it blocks it with `0.0.0.0`.
#[must_use]
pub fn hosts(text: &[u8], name: &str) -> Option<Vec<IpAddr>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let address = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let address = words.next()?.parse().ok()?;
        words
            .any(|word| word.eq_ignore_ascii_case(name))
            .then_some(address)
    };
    let found: Vec<IpAddr> = lines(text).filter_map(address).collect();
    (!found.is_empty()).then(|| in_order(&found))
}

/// Lines without comments; none that is not UTF-8.
fn lines(text: &[u8]) -> impl Iterator<Item = &str> {
    text.split(|byte| *byte == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok())
        .filter_map(|line| line.split(['#', ';']).next())
}

fn server(text: &str) -> Option<SocketAddr> {
    let Some((address, port)) = text
        .strip_prefix('[')
        .and_then(|text| text.split_once("]:"))
    else {
        return Some((text.parse::<IpAddr>().ok()?, PORT).into());
    };
    Some((address.parse::<IpAddr>().ok()?, port.parse().ok()?).into())
}

fn domain(text: &str) -> String {
    text.trim_matches('.').to_string()
}

/// Most servers that are asked.
pub(super) const SERVERS_MAX: usize = 3;

/// Most domains that are searched.
const SEARCH_MAX: usize = 3;

const PORT: u16 = 53;

const TIMEOUT: Duration = Duration::from_secs(2);
const TIMEOUT_MIN: Duration = Duration::from_secs(1);
const TIMEOUT_MAX: Duration = Duration::from_secs(10);

const TRIES: usize = 3;
const TRIES_MAX: usize = 5;

const _: () = assert!(SERVERS_MAX <= TRIES_MAX, "each server is asked once");

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(text: &str) -> Vec<String> {
        let config = Config::parse(text.as_bytes());
        config.servers.iter().map(SocketAddr::to_string).collect()
    }

    #[test]
    fn servers_come_in_order_and_no_more_than_three() {
        let text = "nameserver 192.0.2.1 # first\n\tnameserver\tfd00::1\nnameserver nonsense\n\
                    nameserver [192.0.2.2]:5353\nnameserver 192.0.2.4\n";
        assert_eq!(
            servers(text),
            ["192.0.2.1:53", "[fd00::1]:53", "192.0.2.2:5353"]
        );
    }

    #[test]
    fn without_a_server_this_machine_is_asked() {
        assert_eq!(servers("# empty\n"), ["127.0.0.1:53"]);
        assert_eq!(servers("nameserver\n"), ["127.0.0.1:53"]);
    }

    #[test]
    fn patience_is_three_times_two_seconds_unless_the_file_says_otherwise() {
        let patience = |text: &str| {
            let config = Config::parse(text.as_bytes());
            (config.tries, config.timeout.as_secs())
        };
        assert_eq!(patience(""), (3, 2));
        assert_eq!(patience("options rotate timeout:1 attempts:2\n"), (2, 1));
        assert_eq!(patience("options timeout:0 attempts:0\n"), (1, 1));
        assert_eq!(patience("options timeout:99999 attempts:99999\n"), (5, 10));
        assert_eq!(patience("options timeout:x attempts:-1\n"), (3, 2));
    }

    #[test]
    fn each_server_is_asked_once_even_if_fewer_attempts_are_wanted() {
        let text = "nameserver 192.0.2.1\nnameserver 192.0.2.2\noptions attempts:1\n";
        assert_eq!(Config::parse(text.as_bytes()).tries, 2);
    }

    #[test]
    fn the_last_of_search_and_domain_counts() {
        let text = b"domain a.example\nsearch b.example. c.example d e f\n";
        assert_eq!(Config::parse(text).search, ["b.example", "c.example", "d"]);
    }

    #[test]
    fn hosts_are_found_by_any_of_their_names() {
        let text = b"127.0.0.1 localhost\n10.0.0.7\tbroker.lan Broker # old\n\xFF\xFE broken\n\
                     fd00::7 broker\n#10.0.0.8 broker\n10.0.0.9 broker2\nnonsense broker\n";
        let found = |name| hosts(text, name).unwrap_or_default();
        let expected: [IpAddr; 2] = ["fd00::7", "10.0.0.7"].map(|address| address.parse().unwrap());
        assert_eq!(found("BROKER."), expected);
        assert!(hosts(text, "10.0.0.7").is_none());
    }

    #[test]
    fn a_blocked_name_has_no_address_but_is_there() {
        assert_eq!(
            hosts(b"0.0.0.0 ads.example\n", "ads.example"),
            Some(Vec::new())
        );
        assert_eq!(hosts(b"0.0.0.0 ads.example\n", "a.example"), None);
    }
}
