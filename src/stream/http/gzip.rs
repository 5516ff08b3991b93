//! gzip (RFC 1952): one member, written piece by piece.
//!
//! ```text
//! member = 1f 8b  08 method  00 flags  00000000 time  00 extra  ff system  deflate  crc32  length
//! ```
//! The last two are little-endian, of what was put in.

use miniz_oxide::deflate::core::CompressorOxide;
use miniz_oxide::deflate::core::TDEFLFlush;
use miniz_oxide::deflate::core::TDEFLStatus;
use miniz_oxide::deflate::core::compress_to_output;
use miniz_oxide::deflate::core::create_comp_flags_from_zip_params;

/// A member that is being written. Costs 250 KiB, whatever its length, and what it has become.
pub(super) struct Gzip {
    deflate: CompressorOxide,
    sum: crc::Digest<'static, u32>,
    /// Bytes that were put in, as far as 32 bits count.
    len: u32,
    out: Vec<u8>,
}

impl Gzip {
    pub(super) fn new() -> Self {
        let flags = create_comp_flags_from_zip_params(LEVEL, RAW, 0);
        Self {
            deflate: CompressorOxide::new(flags),
            sum: SUM.digest(),
            len: 0,
            out: HEAD.to_vec(),
        }
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.sum.update(bytes);
        // the format counts so
        // a sum of 32 bits, as the format has it, also where a `usize` has no more
        let len = u32::try_from(bytes.len() as u64 & 0xffff_ffff).unwrap_or_default();
        self.len = self.len.wrapping_add(len);
        self.compress(bytes, TDEFLFlush::None);
    }

    /// All of it.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.compress(&[], TDEFLFlush::Finish);
        self.out
            .extend_from_slice(&self.sum.finalize().to_le_bytes());
        self.out.extend_from_slice(&self.len.to_le_bytes());
        self.out
    }

    fn compress(&mut self, bytes: &[u8], flush: TDEFLFlush) {
        let out = &mut self.out;
        let (status, used) = compress_to_output(&mut self.deflate, bytes, flush, |piece| {
            out.extend_from_slice(piece);
            true
        });
        debug_assert!(
            matches!(status, TDEFLStatus::Okay | TDEFLStatus::Done) && used == bytes.len(),
            "memory takes all that is written to it"
        );
    }
}

/// Of RFC 1952, which is that of Ethernet.
static SUM: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Of 1 to 9. Messages are much alike: more gains little and holds the only thread up.
const LEVEL: i32 = 3;

/// Deflate without a frame of its own.
const RAW: i32 = -15;

#[cfg(test)]
mod tests {
    use super::*;
    use miniz_oxide::inflate::decompress_to_vec;

    /// In bytes.
    const COST: u64 = 250 << 10;

    fn read(member: &[u8]) -> Vec<u8> {
        let (deflated, tail) = member[HEAD.len()..].split_at(member.len() - HEAD.len() - 8);
        let bytes = decompress_to_vec(deflated).unwrap();
        assert_eq!(tail[..4], SUM.checksum(&bytes).to_le_bytes());
        assert_eq!(tail[4..], u32::try_from(bytes.len()).unwrap().to_le_bytes());
        bytes
    }

    #[test]
    fn what_is_put_in_comes_out_however_it_is_cut() {
        let text: String = (0..20_000).map(|n| format!("{{\"n\":{n}}},")).collect();
        for step in [1, 7, 300, 65_536, text.len()] {
            let mut gzip = Gzip::new();
            text.as_bytes()
                .chunks(step)
                .for_each(|piece| gzip.put(piece));
            let member = gzip.finish();
            assert_eq!(read(&member), text.as_bytes(), "{step}");
            assert!(member.len() < text.len() / 3, "{}", member.len());
        }
        assert_eq!(read(&Gzip::new().finish()), b"");
    }

    #[test]
    fn it_costs_what_it_says_whatever_its_length() {
        let piece = [b'x'; 1000];
        let cost = |count| {
            let counted = allocation_counter::measure(|| {
                let mut gzip = Gzip::new();
                (0..count).for_each(|_| gzip.put(&piece));
                assert!(!gzip.finish().is_empty());
            });
            counted.bytes_max
        };
        let (short, long) = (cost(1), cost(1000));
        assert!((COST - (50 << 10)..=COST).contains(&short), "{short}");
        assert!(long < short + 16 * 1024, "{short} {long}");
    }

    #[test]
    fn what_cannot_be_compressed_grows_by_little() {
        let mut random = fastrand::Rng::with_seed(7);
        let bytes: Vec<u8> = (0..256 << 10).map(|_| random.u8(..)).collect();
        let mut gzip = Gzip::new();
        gzip.put(&bytes);
        let member = gzip.finish();
        assert_eq!(read(&member), bytes);
        assert!(member.len() < bytes.len() + 1024, "{}", member.len());
    }
}
