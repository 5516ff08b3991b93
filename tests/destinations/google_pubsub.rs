//! `google-pubsub`: a contract server, since Google's emulator is in no registry; `tests/judges`
//! has Google's own libraries. It takes a request as a whole or not at all.

use crate::contract::{Request, Taken, numbers, secure_web};
use crate::row::{Counterpart, Has, Login, MARK, Refusal, Row};
use crate::tls::Issued;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde_json::Value;

pub(crate) const ROW: Row = Row {
    name: "google-pubsub",
    start: pubsub,
    login: Has::Yes(Login {
        right: "service_account.json",
        wrong: "other_account.json",
        named: "look at `credentials`, and at the clock of this machine",
        is_secret: false,
    }),
    refusal: Has::Yes(Refusal {
        said: "a mark",
    }),
    limit: Has::No("no message of the ring has 10 MB"),
    login_seen: Has::Yes("\r\nauthorization: Bearer ********************************"),
};

fn pubsub() -> Box<dyn Counterpart> {
    let issued = Issued::new("pubsub");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support");
    secure_web(issued.over(), answer).with_keys(move |port| {
        let tls = issued.key();
        format!(
            "topic = \"projects/p-1/topics/t-1\"\nendpoint = \"localhost:{port}\"\n{tls}\n\
             credentials = \"{folder}/service_account.json\""
        )
    })
}

fn answer(request: &Request, taken: &Taken) -> (u16, String) {
    if request.path != "/v1/projects/p-1/topics/t-1:publish" {
        return error(404, "NOT_FOUND", "no such topic");
    }
    if !is_signed(request.value("authorization").unwrap_or_default()) {
        return error(401, "UNAUTHENTICATED", "who is there?");
    }
    let body: Value = serde_json::from_str(&request.body).unwrap();
    let messages = body["messages"].as_array().unwrap();
    let key = |message: &Value| message["orderingKey"].as_str().unwrap().to_owned();
    if messages.iter().any(|message| key(message) != key(&messages[0])) {
        return error(400, "INVALID_ARGUMENT", "two ordering keys");
    }
    let data = messages.iter().map(|message| {
        let data = BASE64_STANDARD.decode(message["data"].as_str().unwrap());
        String::from_utf8(data.unwrap()).unwrap()
    });
    let data: String = data.collect();
    if data.contains(MARK) {
        return error(400, "INVALID_ARGUMENT", "a mark");
    }
    numbers(&data).into_iter().for_each(|number| taken.add(number));
    let ids: Vec<String> = (0..messages.len()).map(|id| id.to_string()).collect();
    (200, serde_json::json!({ "messageIds": ids }).to_string())
}

/// Whether the account of the test has signed a token for Google that holds now.
fn is_signed(authorization: &str) -> bool {
    let account: Value =
        serde_json::from_str(include_str!("../support/service_account.json")).unwrap();
    let pem = account["private_key"].as_str().unwrap();
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
    let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public().as_ref());
    let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
    let (signed, signature) = token.rsplit_once('.').unwrap_or_default();
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    let claims = signed.split('.').nth(1).unwrap_or_default();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap_or_default();
    public.verify(signed.as_bytes(), &signature).is_ok()
        && claims["aud"] == "https://pubsub.googleapis.com/"
        && claims["iss"] == account["client_email"]
}

fn error(code: u16, status: &str, message: &str) -> (u16, String) {
    let error = serde_json::json!({ "code": code, "message": message, "status": status });
    (code, serde_json::json!({ "error": error }).to_string())
}
