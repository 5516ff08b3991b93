//! An HTTP client that others wrote, for the API and the channels that speak HTTP: `ureq`, over
//! TCP and over a Unix socket.

use std::io::Read as _;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use ureq::Agent;
use ureq::Error;
use ureq::config::Config;
use ureq::http::Request;
use ureq::http::Uri;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::Buffers;
use ureq::unversioned::transport::ConnectionDetails;
use ureq::unversioned::transport::Connector;
use ureq::unversioned::transport::LazyBuffers;
use ureq::unversioned::transport::NextTimeout;
use ureq::unversioned::transport::Transport;

/// What a server answered: its status and its text.
pub(crate) type Answer = (u16, String);

/// Asks who listens on a port of this machine.
pub(crate) fn ask_port(
    port: u16,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let url = format!("http://127.0.0.1:{port}{target}");
    let agent = Agent::new_with_config(config());
    ask(&agent, method, &url, headers, body)
}

/// Asks who listens on a Unix socket.
pub(crate) fn ask_socket(path: &Path, method: &str, target: &str, body: &str) -> Answer {
    let agent = Agent::with_parts(config(), Socket(path.to_owned()), Nowhere);
    let url = format!("http://localhost{target}");
    ask(&agent, method, &url, &[], body)
}

fn ask(agent: &Agent, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = match method {
        "GET" | "DELETE" => agent.run(request.body(()).unwrap()),
        _ => {
            let request = request.header("content-type", "application/json");
            agent.run(request.body(body).unwrap())
        }
    };
    let mut answer = answer.unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), text)
}

/// An answer is an answer, whatever its status is.
fn config() -> Config {
    let config = Agent::config_builder().http_status_as_error(false);
    let config = config.max_redirects(0).max_idle_connections(0);
    config.timeout_global(Some(PATIENCE)).build()
}

/// Connects to a Unix socket, whatever the URL names.
#[derive(Debug)]
struct Socket(PathBuf);

impl Connector for Socket {
    type Out = Connection;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Connection>, Error> {
        let socket = UnixStream::connect(&self.0)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let buffers = LazyBuffers::new(BUFFER, BUFFER);
        Ok(Some(Connection { socket, buffers }))
    }
}

#[derive(Debug)]
struct Connection {
    socket: UnixStream,
    buffers: LazyBuffers,
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        let output = &self.buffers.output()[..amount];
        Ok(self.socket.write_all(output)?)
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        let read = self.socket.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        true
    }
}

/// There is no name to be resolved where a path is.
#[derive(Debug)]
struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(([127, 0, 0, 1], 0).into());
        Ok(addresses)
    }
}

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Of what is sent, and of what comes, in bytes.
const BUFFER: usize = 64 * 1024;
