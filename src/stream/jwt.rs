//! A JSON Web Token signed by RS256: a login that is made of a private key and claims. Knows no
//! platform.
//!
//! Source: RFC 7519, RFC 7515 section 3.3, RFC 7518 section 3.3.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine as _};
use ring::rand::SystemRandom;
use ring::signature::RSA_PKCS1_SHA256;
use ring::signature::RsaKeyPair;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::fmt;

/// Who signs: an RSA key of 2048 to 8192 bits. Costs its 1 to 5 KiB.
pub struct Signer {
    pair: RsaKeyPair,
    /// The first part of each token.
    head: String,
}

impl Signer {
    /// A key as PEM, PKCS #8 or PKCS #1, and the name under which the platform knows it.
    ///
    /// # Errors
    /// In words without any of the key, when it is none that can sign.
    pub fn new(pem: &str, key_id: &str) -> Result<Self, String> {
        let pair = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
            Ok(PrivateKeyDer::Pkcs8(der)) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Pkcs1(der)) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            Ok(_) => return Err("it is no RSA key".to_owned()),
            Err(_) => return Err("it is no PEM".to_owned()),
        };
        let pair = pair.map_err(|error| error.to_string())?;
        let head = serde_json::json!({ "alg": "RS256", "kid": key_id, "typ": "JWT" });
        let head = BASE64.encode(head.to_string());
        Ok(Self { pair, head })
    }

    /// The token that says this; none where the machine has no randomness.
    #[must_use]
    pub fn token(&self, claims: &serde_json::Value) -> Option<String> {
        let mut token = format!("{}.{}", self.head, BASE64.encode(claims.to_string()));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        let random = SystemRandom::new();
        let signed = self
            .pair
            .sign(&RSA_PKCS1_SHA256, &random, token.as_bytes(), &mut signature);
        signed.ok()?;
        token.push('.');
        BASE64.encode_string(&signature, &mut token);
        Some(token)
    }
}

/// The public half of two keys says whether they are one.
impl PartialEq for Signer {
    fn eq(&self, other: &Self) -> bool {
        let public = |signer: &Self| signer.pair.public().as_ref().to_vec();
        self.head == other.head && public(self) == public(other)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::RSA_PKCS1_2048_8192_SHA256;
    use ring::signature::UnparsedPublicKey;

    fn account() -> serde_json::Value {
        let text = include_str!("../../tests/support/service_account.json");
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_token_has_three_parts_of_which_the_last_is_right() {
        let pem = account()["private_key"].as_str().unwrap().to_owned();
        let signer = Signer::new(&pem, "key-1").unwrap();
        let token = signer.token(&serde_json::json!({ "iss": "a" })).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        // {"alg":"RS256","kid":"key-1","typ":"JWT"} and {"iss":"a"}
        assert_eq!(
            signed,
            "eyJhbGciOiJSUzI1NiIsImtpZCI6ImtleS0xIiwidHlwIjoiSldUIn0.eyJpc3MiOiJhIn0"
        );
        let public = signer.pair.public().as_ref().to_vec();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
        let signature = BASE64.decode(signature).unwrap();
        assert!(public.verify(signed.as_bytes(), &signature).is_ok());
        assert!(signer == Signer::new(&pem, "key-1").unwrap());
        assert!(signer != Signer::new(&pem, "key-2").unwrap());
    }

    #[test]
    fn what_cannot_sign_is_told_without_showing_it() {
        let der = BASE64.encode("no key at all, but secret");
        let broken = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n");
        for pem in ["secret", &broken] {
            let why = Signer::new(pem, "").unwrap_err();
            assert!(!why.contains("secret") && !why.contains(&der), "{why}");
        }
    }
}
