//! `type = "mqtt"`: any broker, as the configuration says.

use super::profile::Limits;
use super::profile::Login;
use super::profile::Profile;
use super::profile::Publish;
use crate::clock::Now;
use crate::stream::engine::Outgoing;
use crate::stream::render::View;
use crate::stream::settings::Mqtt;
use crate::stream::settings::Payload;
use crate::template::Escape;

impl Profile for Mqtt {
    fn limits(&self) -> Limits {
        Limits {
            version: self.version,
            window: self.window,
            packet_max: None,
            keep_alive: self.keep_alive,
            retain: self.retain,
        }
    }

    fn login(&self, client_id: &str, _now: Now) -> Login {
        Login {
            client_id: self.client_id.as_deref().unwrap_or(client_id).to_owned(),
            user: self.username.clone(),
            password: self.password.clone(),
            until: None,
            clean_session: self.clean_session,
            will: self.will.clone(),
        }
    }

    fn write(
        &self,
        view: &mut View<'_>,
        message: &Outgoing<'_>,
        publish: &mut Publish,
    ) -> Result<(), String> {
        view.template(&self.topic, Escape::None, message, &mut publish.topic)?;
        let (open, close): (&[u8], &[u8]) = match self.payload {
            Payload::Object => (b"", b""),
            Payload::Array => (b"[", b"]"),
        };
        publish.payload.extend_from_slice(open);
        let written = view.object(message, &mut publish.payload);
        written.map_err(|error| error.to_string())?;
        publish.payload.extend_from_slice(close);
        Ok(())
    }
}
