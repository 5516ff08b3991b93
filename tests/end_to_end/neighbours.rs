//! Tests beside each other: each talks to the programs that it started, and to no neighbour's.

use crate::weir::Folder;
use crate::weir::free_port;
use crate::weir::ports::hold;
use crate::weir::ports::kernels_range;
use crate::weir::program::Program;
use crate::weir::program::listens;
use crate::weir::program::mosquitto;
use std::collections::HashSet;
use std::net::TcpListener;
use std::net::TcpStream;

#[test]
fn a_port_is_given_once_and_not_by_the_kernel_to_a_connection() {
    let ports: HashSet<u16> = (0..200).map(|_| free_port()).collect();
    assert_eq!(ports.len(), 200);
    let (kernels, listener) = (kernels_range(), TcpListener::bind("127.0.0.1:0").unwrap());
    let taken = listener.local_addr().unwrap().port();
    assert!(kernels.contains(&taken), "{taken} is not of {kernels:?}");
    for port in ports {
        assert!(hold(port).is_none(), "{port} is given a second time");
        assert!(!kernels.contains(&port), "{port} is one of {kernels:?}");
    }
}

#[test]
fn a_server_that_finds_its_port_taken_is_started_on_another() {
    let neighbour = TcpListener::bind(("127.0.0.1", free_port())).unwrap();
    let taken = neighbour.local_addr().unwrap().port();
    let (folder, mut tried) = (Folder::new("taken"), Vec::new());
    let (server, port) = Program::serve(|port| {
        // what another program took in the moment between
        let port = if tried.is_empty() { taken } else { port };
        tried.push(port);
        let config = format!("listener {port} 127.0.0.1\nuser root\n");
        mosquitto(&folder.write("mosquitto.conf", &config))
    });
    assert_eq!((tried.len(), tried[1]), (2, port));
    assert!(listens(server.id(), port), "the one that was started");
    assert!(TcpStream::connect(("127.0.0.1", taken)).is_ok());
    assert!(!listens(server.id(), taken), "the neighbour's is not its");
}
