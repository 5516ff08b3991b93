//! `azure-iot-hub`: a contract server, since there is no hub to be had; `tests/judges` has a real
//! broker and Microsoft's own SDK. Whatever is wrong, a hub ends the connection.

use crate::contract::{Contract, Taken};
use crate::row::{Counterpart, Has, Login, MARK, Refusal, Row};
use crate::tls::{Issued, Secure};
use bytes::BytesMut;
use rumqttc::{ConnAck, ConnectReturnCode, Packet, PubAck};
use std::io::{Read, Write};
use std::time::Duration;
use ::weir::stream::sas;

pub(crate) const ROW: Row = Row {
    name: "azure-iot-hub",
    start: hub,
    login: Has::Yes(Login {
        right: "cmlnaHQ=",
        wrong: "d3Jvbmc=",
        named: "not authorized; look at `host`, `device` and `key`",
        is_secret: true,
    }),
    refusal: Has::Yes(Refusal { said: "closed by" }),
    limit: Has::No("no message of the ring has 256 KB"),
    login_seen: Has::Yes("********************************"),
};

fn hub() -> Box<dyn Counterpart> {
    let issued = Issued::new("hub");
    let over = issued.over();
    let server = Contract::start(move |socket, taken| {
        // an error is an end of the connection
        serve(over(socket), taken).ok();
    });
    server.with_keys(move |port| {
        let tls = issued.key();
        format!("host = \"localhost:{port}\"\ndevice = \"dev-1\"\nkey = \"cmlnaHQ=\"\n{tls}")
    })
}

fn serve(mut socket: Secure, taken: &Taken) -> std::io::Result<()> {
    let (mut input, mut chunk) = (BytesMut::new(), [0; 4096]);
    loop {
        let mut out = BytesMut::new();
        while let Ok(packet) = Packet::read(&mut input, 256 * 1024) {
            let answer = match packet {
                Packet::Connect(login) => {
                    let said = login.login.unwrap();
                    let code = match is_right(&login.client_id, &said.username, &said.password) {
                        true => ConnectReturnCode::Success,
                        false => ConnectReturnCode::NotAuthorized,
                    };
                    Packet::ConnAck(ConnAck::new(code, false))
                }
                Packet::Publish(publish) => {
                    let text = String::from_utf8(publish.payload.to_vec()).unwrap();
                    let is_for_device = publish.topic.starts_with("devices/dev-1/messages/events/");
                    if text.contains(MARK) || !is_for_device {
                        return Ok(());
                    }
                    taken.add_json(&text);
                    Packet::PubAck(PubAck::new(publish.pkid))
                }
                Packet::PingReq => Packet::PingResp,
                _ => return Ok(()),
            };
            answer.write(&mut out, usize::MAX).unwrap();
        }
        socket.write_all(&out)?;
        match socket.read(&mut chunk)? {
            0 => return Ok(()),
            count => input.extend_from_slice(&chunk[..count]),
        }
    }
}

fn is_right(client: &str, user: &str, password: &str) -> bool {
    let until = password.split("&se=").nth(1).unwrap_or_default().parse();
    let until = Duration::from_secs(until.unwrap_or(0));
    let wanted = sas::token(b"right", "localhost/devices/dev-1", None, until);
    client == "dev-1" && user.starts_with("localhost/dev-1/?api-version=") && password == wanted
}
