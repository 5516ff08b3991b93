//! DNS, the part that a gateway needs: from one host name to its addresses, as datagrams to
//! exchange, over TCP where an answer is too long for one. No sockets and no clock; no cache, no
//! DNSSEC.
//!
//! [`Config`] and [`hosts`] read the machine's files, [`Lookup`] decides what is asked when,
//! [`Query`] and [`Reply`] are what travels.

mod files;
mod lookup;
mod packet;

pub use files::Config;
pub use files::hosts;
pub use lookup::Error;
pub use lookup::Lookup;
pub use lookup::Over;
pub use lookup::Step;
pub use packet::DATAGRAM_MAX;
pub use packet::Failure;
pub use packet::Kind;
pub use packet::NAME_MAX;
pub use packet::Name;
pub use packet::Query;
pub use packet::Reply;
pub use packet::STREAM_MAX;

use std::net::IpAddr;

/// Most addresses of one family that are taken from an answer or a file.
pub const ADDRESSES_MAX: usize = 8;

/// The order in which addresses are tried: IPv6 first, then in turn (RFC 8305, section 4), each
/// once, at most [`ADDRESSES_MAX`] of a family.
///
/// Within a family their order stays. None comes back that no other machine can have: an answer
/// of `0.0.0.0` is how filters block a name, and connecting to it reaches this machine.
#[must_use]
pub fn in_order(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let mut families = [Vec::new(), Vec::new()];
    let [v6, v4] = &mut families;
    for address in addresses {
        let family = if address.is_ipv6() {
            &mut *v6
        } else {
            &mut *v4
        };
        let is_usable = !address.is_unspecified() && !address.is_multicast();
        if is_usable && family.len() < ADDRESSES_MAX && !family.contains(address) {
            family.push(*address);
        }
    }
    (0..ADDRESSES_MAX)
        .flat_map(|index| families.iter().filter_map(move |family| family.get(index)))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<IpAddr> {
        text.split(' ')
            .map(|address| address.parse().unwrap())
            .collect()
    }

    #[test]
    fn families_take_turns_and_version_6_begins() {
        let found = in_order(&addresses("10.0.0.1 10.0.0.2 10.0.0.3 fd00::1 fd00::2"));
        assert_eq!(
            found,
            addresses("fd00::1 10.0.0.1 fd00::2 10.0.0.2 10.0.0.3")
        );
    }

    #[test]
    fn no_address_comes_twice_and_none_that_means_nobody() {
        let found = in_order(&addresses("0.0.0.0 10.0.0.1 :: 10.0.0.1 224.0.0.1"));
        assert_eq!(found, addresses("10.0.0.1"));
    }

    #[test]
    fn no_more_come_back_than_the_bound() {
        let many: Vec<IpAddr> = (0..100)
            .map(|last| IpAddr::from([10, 0, 0, last]))
            .collect();
        assert_eq!(in_order(&many), many[..ADDRESSES_MAX]);
    }
}
