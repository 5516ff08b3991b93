//! Wialon Retranslator 1.0: one packet a message, over TCP.
//!
//! It knows packets, not connections: who waits for [`ACK`], and for how long, is the link's
//! affair. Source: Gurtam, "Wialon Retranslator v1.0".
//!
//! # Packet
//! ```text
//! packet = size u32 LE · uid, NUL · time u32 BE [s since 1970] · flags u32 BE · block*
//! block  = 0BBB · size u32 BE · hidden u8 · type u8 · name, NUL · value
//!
//! type   1 text, NUL   2 position   3 i32 BE   4 f64 LE   5 i64 BE   6 image
//! position = longitude f64 LE · latitude f64 LE · altitude f64 LE [m]
//!          · speed u16 BE [km/h] · course u16 BE [deg] · satellites u8
//! ```
//! Sizes count what stands behind them. The receiver answers each packet that it takes with one
//! [`ACK`], in order, and says nothing of one that it does not take. Senders set flags and the
//! hidden byte badly: [`decode()`] relies on neither.
//!
//! # Which parameter becomes which block
//! | parameter | block | type |
//! | --- | --- | --- |
//! | `position.latitude`, `longitude`, `altitude`, `speed`, `direction`, `satellites` | (1) | 2 |
//! | `din`, `din.N` | `avl_inputs`, flag 0x02: one bit an input, 1 is the lowest | 3, hidden |
//! | `dout`, `dout.N` | `avl_outputs`, flag 0x04 | 3, hidden |
//! | `driver.code`, without it `ibutton.code` | `avl_driver`, flag 0x20 | 1, hidden |
//! | `alarm.status` | flag 0x10 when it is true | |
//! | `external.powersource.voltage`, `battery.voltage` | `pwr_ext`, `pwr_int` | 4 |
//! | `ain.N` | `adcN` | 4 |
//! | `gsm.signal.level`, `engine.ignition.status` | `gsm`, `ign` | 3 |
//! | integers, true and false | their name | 3, beyond 32 bits 5, beyond 63 bits 1 |
//! | numbers with a fraction | their name | 4 |
//! | text, arrays and objects | their name | 1, NULs cut out |
//! | `position.valid` when true, `null` | nothing | |
//! | `ident`, `timestamp` | nothing: uid and time of the packet say it | |
//! | `server.timestamp`, `channel.name`, `protocol.name`, `device.name`, `peer` | nothing (2) | |
//!
//! (1) `posinfo`, flag 0x01, hidden; what is missing is 0, speed and direction are rounded.
//!
//! (2) They say how it came to the gateway, which is of no use beyond it.
//!
//! Without two coordinates that can be ones there is no `posinfo`, and what there is of a position
//! goes under its names. A value that its block cannot hold, as a text for `din`, goes under its
//! name too. In names, `_` stands for `.` and for all that is not printable ASCII; they are cut
//! after [`NAME_MAX`] bytes, and get `_` behind them where Wialon would take them for its own.
//! Lost on the way: fractions of a second, repeated names, the difference of `true` and 1.
//!
//! [`message()`] goes the same way back. Inputs and outputs come back as `din` and `dout`, a
//! position with 0 for what was missing and with `position.valid`; names get the dots of the known
//! name that is written so, or stay as they are; what is a switch by its name is true or false
//! again. Of flags only 0x10 is believed: no block says that. `mcc`, `mnc`, `lac` and `cell_id`,
//! which others send, become `gsm.…`. Images and what is of no type above are left out.

mod decode;
mod encode;
mod restore;

pub use decode::Block;
pub use decode::BlockValue;
pub use decode::Blocks;
pub use decode::DecodeError;
pub use decode::Packet;
pub use decode::decode;
pub use encode::EncodeError;
pub use encode::encode;
pub use restore::MessageError;
pub use restore::message;

/// A position as the block `posinfo` holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Degrees, east is positive.
    pub longitude: f64,
    /// Degrees, north is positive.
    pub latitude: f64,
    /// Metres.
    pub altitude: f64,
    /// Kilometres an hour.
    pub speed: u16,
    /// Degrees from north, clockwise, 0 to 359.
    pub direction: u16,
    /// How many the fix came from.
    pub satellites: u8,
}

/// The receiver's answer to one packet that it takes.
pub const ACK: u8 = 0x11;

/// Longest packet, without the four bytes that say how long; the protocol itself has no bound. A
/// receiver needs as much memory for each connection.
pub const PACKET_MAX: usize = 64 * 1024;

/// Most blocks of a packet that becomes a message.
pub const BLOCKS_MAX: usize = 1024;

/// Longest name of a block, in bytes.
pub const NAME_MAX: usize = 38;

/// There is a block `posinfo`.
pub const FLAG_POSITION: u32 = 0x01;
/// There is a block `avl_inputs`.
pub const FLAG_INPUTS: u32 = 0x02;
/// There is a block `avl_outputs`.
pub const FLAG_OUTPUTS: u32 = 0x04;
/// Somebody asks for help.
pub const FLAG_ALARM: u32 = 0x10;
/// There is a block `avl_driver`.
pub const FLAG_DRIVER: u32 = 0x20;

const BLOCK_MARK: [u8; 2] = [0x0B, 0xBB];

const TYPE_TEXT: u8 = 1;
const TYPE_BINARY: u8 = 2;
const TYPE_I32: u8 = 3;
const TYPE_F64: u8 = 4;
const TYPE_I64: u8 = 5;

const POSITION_NAME: &str = "posinfo";
const INPUTS_NAME: &str = "avl_inputs";
const OUTPUTS_NAME: &str = "avl_outputs";
const DRIVER_NAME: &str = "avl_driver";
const IMAGE_NAME: &str = "image";
