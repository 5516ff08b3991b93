//! Whoever looks at the traffic of a stream sees how it logs in, and no secret.

use crate::asking::ask;
use crate::row::Has;
use crate::row::Row;
use crate::scenarios::Play;
use crate::weir::eventually;
use base64::prelude::BASE64_STANDARD as BASE64;
use base64::prelude::Engine as _;

/// First with a login that is wrong, then with the right one; each begins while somebody looks.
pub(crate) fn shows_no_secret(row: &Row) {
    let login = match &row.login {
        Has::Yes(login) => Some(login),
        Has::No(_) => None,
    };
    let wrong = login.map(|login| (login.right, login.wrong));
    let (mut play, mut seen) = (Play::start(row, wrong), Seen::default());
    seen.look(&play);
    play.send(0..10);
    if let Some(login) = login {
        eventually("it is not let in", || {
            seen.look(&play);
            play.weir.log().contains(login.named)
        });
        play.weir.reload(&play.config(None));
        seen.look(&play);
    }
    play.await_all_taken(10);
    play.counterpart.leave();
    seen.look(&play);
    play.send(10..20);
    play.counterpart.come_back();
    eventually("all arrive, and the login is seen", || {
        seen.look(&play);
        play.count("backlog") == 0 && seen.has_login(row)
    });
    assert!(!seen.out.is_empty());
    let secrets = login.filter(|login| login.is_secret);
    let secrets = secrets.map_or_else(Vec::new, |login| vec![login.right, login.wrong]);
    for bytes in [&seen.came, &seen.out] {
        let text = String::from_utf8_lossy(bytes);
        for secret in &secrets {
            assert!(!shows(bytes, secret), "`{secret}` is seen:\n{text}");
        }
    }
}

/// All that was seen.
#[derive(Default)]
struct Seen {
    after: u64,
    came: Vec<u8>,
    out: Vec<u8>,
}

impl Seen {
    fn look(&mut self, play: &Play) {
        let path = format!("/streams/cloud/packets?after={}", self.after);
        let (code, answer) = ask(&play.weir, "GET", &path, "");
        assert_eq!(code, 200, "{answer}");
        for packet in answer["result"].as_array().unwrap() {
            self.after = packet["id"].as_u64().unwrap();
            let data = BASE64.decode(packet["data"].as_str().unwrap()).unwrap();
            match packet["type"].as_str() {
                Some("in") => self.came.extend(data),
                _ => self.out.extend(data),
            }
        }
    }

    fn has_login(&self, row: &Row) -> bool {
        match row.login_seen {
            Has::Yes(login) => has(&self.out, login.as_bytes()),
            Has::No(_) => true,
        }
    }
}

/// As it is, turned around, or within base64, wherever it begins there.
fn shows(bytes: &[u8], secret: &str) -> bool {
    let middle = |text: String| text.as_bytes()[4..text.len() - 6].to_vec();
    let within = (0..3).map(|shift| middle(BASE64.encode(" ".repeat(shift) + secret)));
    let within = within.filter(|_| secret.len() > 8);
    let turned = secret.bytes().rev().collect();
    let mut forms = within.chain([secret.as_bytes().to_vec(), turned]);
    forms.any(|form| has(bytes, &form))
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
