//! One direction of one connection: what was seen of it last, so that a secret is known again
//! where it comes in pieces.

use super::close::Close;
use super::known::Forms;
use super::packet;
use super::text;
use std::ops::Range;

/// One direction of one connection.
#[derive(Debug, Default)]
pub struct Veil {
    /// The last bytes, as they were.
    tail: Vec<u8>,
    /// They are of a secret that ends so.
    open: Option<Close>,
}

impl Veil {
    /// What may be seen of the bytes of `unit` from `from` on, in as many bytes. What stands before
    /// has passed already and begins where a unit of the protocol does.
    #[must_use]
    pub fn shown(&mut self, forms: &Forms, unit: &[u8], from: usize) -> Vec<u8> {
        let (before, fresh) = unit.split_at_checked(from).unwrap_or((unit, &[]));
        let tail_len = forms.longest().clamp(TAIL, TAIL_MAX);
        if self.tail.is_empty() {
            // somebody began to look in the middle
            self.tail = last(before, tail_len).to_vec();
        }
        let start = self.tail.len();
        let mut window = std::mem::take(&mut self.tail);
        window.extend_from_slice(fresh);
        let mut hidden = Vec::new();
        forms.find(&window, &mut hidden);
        self.find_in_text(&window, start, &mut hidden);
        let mut shown = fresh.to_vec();
        cover(&mut shown, start, hidden);
        let mut hidden = Vec::new();
        packet::find(unit, &mut hidden);
        cover(&mut shown, from, hidden);
        self.tail = last(&window, tail_len).to_vec();
        shown
    }

    fn find_in_text(&mut self, window: &[u8], start: usize, hidden: &mut Vec<Range<usize>>) {
        if let Some(close) = self.open {
            let end = close.end(window, start);
            hidden.push(start..end.unwrap_or(window.len()));
            self.open = Some(close).filter(|_| end.is_none());
        }
        for secret in text::find(window) {
            match secret.close.end(window, secret.start) {
                Some(end) => hidden.push(secret.start..end),
                None => {
                    hidden.push(secret.start..window.len());
                    self.open = Some(secret.close);
                }
            }
        }
    }
}

/// Covers ranges of what begins at `start`.
fn cover(shown: &mut [u8], start: usize, hidden: Vec<Range<usize>>) {
    for range in hidden {
        let (from, to) = (
            range.start.saturating_sub(start),
            range.end.saturating_sub(start),
        );
        let to = to.min(shown.len());
        if let Some(secret) = shown.get_mut(from.min(to)..to) {
            secret.fill(b'*');
        }
    }
}

fn last(bytes: &[u8], len: usize) -> &[u8] {
    bytes
        .get(bytes.len().saturating_sub(len)..)
        .unwrap_or_default()
}

/// Bytes that are kept of what passed: longer than any name of a secret.
const TAIL: usize = 256;

/// The same, where the configuration holds a secret that is longer.
const TAIL_MAX: usize = 8 * 1024;

#[cfg(test)]
mod tests;
