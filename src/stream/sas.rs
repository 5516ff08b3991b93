//! Azure's shared access signature: a login that is made of a key and a date, and says what it
//! opens and until when. Knows no platform.
//!
//! Source: Microsoft, "Control access to IoT Hub by using shared access signatures" and
//! "Authenticate access to Event Hubs with shared access signatures". The two differ in the key:
//! IoT Hub's is base64 and is decoded first, that of a policy of Event Hubs is the text as it
//! stands.

use crate::template::write_escaped;
use base64::prelude::BASE64_STANDARD as BASE64;
use base64::prelude::Engine as _;
use ring::hmac;
use std::time::Duration;

/// What is shown to Azure for `resource`, such as `HOST/devices/DEVICE` or `https://HOST/HUB`.
/// `until` is since 1970, of which whole seconds count; `policy` names the key where a hub has
/// several. A key may have any length.
#[must_use]
pub fn token(key: &[u8], resource: &str, policy: Option<&str>, until: Duration) -> String {
    let mut token = "SharedAccessSignature sr=".to_owned();
    let from = token.len();
    write_escaped(resource, &mut token);
    // what is signed is the resource as it is written, not as it is meant
    let resource = token.get(from..).unwrap_or_default();
    let signed = format!("{resource}\n{}", until.as_secs());
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let signature = BASE64.encode(hmac::sign(&key, signed.as_bytes()));
    token.push_str("&sig=");
    write_escaped(&signature, &mut token);
    token.push_str(&format!("&se={}", until.as_secs()));
    if let Some(policy) = policy {
        token.push_str("&skn=");
        write_escaped(policy, &mut token);
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by azure-iot-device 2.14.0 and azure-eventhub 5.15.1 at 1,790,000,000.
    #[test]
    fn a_token_is_that_of_microsofts_own_libraries() {
        let text = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
        let until = Duration::new(1_790_003_600, 999);
        let bytes = BASE64.decode(text).unwrap();
        let device = "testhub.azure-devices.net/devices/dev 1";
        assert_eq!(
            token(&bytes, device, None, until),
            "SharedAccessSignature sr=testhub.azure-devices.net%2Fdevices%2Fdev%201\
             &sig=suFkOJ08gdAn9r3zf3JKBCZ5LIppIjexrb9WSdb%2BSo4%3D&se=1790003600"
        );
        let hub = "https://testns.servicebus.windows.net/Hub1";
        assert_eq!(
            token(text.as_bytes(), hub, Some("send"), until),
            "SharedAccessSignature sr=https%3A%2F%2Ftestns.servicebus.windows.net%2FHub1\
             &sig=t7bnKPiLs0MeX1H57eoqAJGlVsCcJMaf6i%2FuEEEKiCQ%3D&se=1790003600&skn=send"
        );
    }
}
