//! `bind`: where a connection leaves from.

use super::context::ValueError;
use crate::net::Bind;
use std::net::IpAddr;

/// An address of this machine, or the name of an interface.
pub(crate) fn local(text: &str) -> Result<Bind, ValueError> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return match address.is_unspecified() {
            true => Err(ValueError::new("that is every address").hint("leave `bind` out")),
            false => Ok(Bind::Address(address)),
        };
    }
    let of_name = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | ':');
    if text.is_empty() || text.len() > INTERFACE_LEN_MAX || !text.chars().all(of_name) {
        return Err(ValueError::new("neither an address nor an interface")
            .hint("write it like `10.0.0.7` or `wwan0`"));
    }
    Ok(Bind::Interface(text.to_owned()))
}

/// Bytes of an interface's name: `IFNAMSIZ` without the NUL behind.
const INTERFACE_LEN_MAX: usize = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_leaves_from_an_address_or_an_interface() {
        let address = "fd00::7".parse().unwrap();
        assert_eq!(local("fd00::7"), Ok(Bind::Address(address)));
        assert_eq!(local("wwan0"), Ok(Bind::Interface("wwan0".into())));
        assert!(local("0.0.0.0").is_err());
        assert!(local("an interface").is_err());
        assert!(local("10.0.0.7:80").is_err());
    }
}
