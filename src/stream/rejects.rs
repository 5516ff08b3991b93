//! Rejects: what a stream gave up or cannot send, as lines of a bounded file, for whoever looks
//! into it or sends it once more. Decides nothing, and holds nothing up: what cannot be written is
//! lost, and said. The driver writes them.
//!
//! ```text
//! {"reason":"400 Bad Request: …","seq":17,"message":{"ident":"352",…}}      one a line
//! ```

use super::engine::Engine;
use super::render::MessageView;
use super::settings::Transform;
use crate::message::ValueRef;
use crate::message::json;

/// The lines of what was refused since the last call, each message as it stands in the ring. Asked
/// for before the engine settles; what is told once is not told again.
pub fn take_lines(engine: &mut Engine) -> Vec<u8> {
    let (transform, mut lines) = (Transform::default(), Vec::new());
    let mut view = MessageView::new(&transform);
    while let Some((message, reason)) = engine.take_rejected() {
        let head = [
            ("reason", ValueRef::Text(&reason)),
            ("seq", ValueRef::U64(message.seq.0)),
        ];
        json::write(head.into_iter(), &mut lines);
        // the message goes before the brace that ends the head
        lines.pop();
        lines.extend_from_slice(b",\"message\":");
        if view.object(&message, &mut lines).is_err() {
            lines.extend_from_slice(b"null");
        }
        lines.extend_from_slice(b"}\n");
    }
    lines
}
