//! Serial lines: opened so that nothing blocks, and set to bytes as they are.

use super::socket::Socket;
use super::watched::Watched;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::termios::ControlModes;
use rustix::termios::OptionalActions;
use rustix::termios::QueueSelector;
use rustix::termios::SpecialCodeIndex;
use rustix::termios::tcflush;
use rustix::termios::tcgetattr;
use rustix::termios::tcsetattr;
use smol::Async;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;

/// A serial line, eight bits to a byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The device.
    pub path: PathBuf,
    /// Bits a second.
    pub baud: u32,
    /// The ninth bit.
    pub parity: Parity,
    /// Whether a byte ends with two stop bits.
    pub two_stop_bits: bool,
}

/// What a ninth bit says of the eight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    /// There is none.
    None,
    /// It makes the number of ones even.
    Even,
    /// It makes the number of ones odd.
    Odd,
}

/// Opens a line; what the device had received before is thrown away.
///
/// # Errors
/// As the system says: not there, no right to, not a serial line, no such speed.
pub fn open(line: &Line) -> io::Result<Socket> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(&line.path, flags, Mode::empty())?);
    set(&file, line)?;
    Ok(Socket::Serial(Watched::new(Async::new_nonblocking(file)?)))
}

fn set(file: &File, line: &Line) -> io::Result<()> {
    let mut settings = tcgetattr(file)?;
    settings.make_raw();
    let modes = &mut settings.control_modes;
    modes.remove(ControlModes::CSIZE | ControlModes::PARENB | ControlModes::PARODD);
    modes.remove(ControlModes::CSTOPB | ControlModes::CRTSCTS);
    // no modem is asked whether it is ready
    modes.insert(ControlModes::CS8 | ControlModes::CREAD | ControlModes::CLOCAL);
    modes.set(ControlModes::PARENB, line.parity != Parity::None);
    modes.set(ControlModes::PARODD, line.parity == Parity::Odd);
    modes.set(ControlModes::CSTOPB, line.two_stop_bits);
    settings.special_codes[SpecialCodeIndex::VMIN] = 1;
    settings.special_codes[SpecialCodeIndex::VTIME] = 0;
    settings.set_speed(line.baud)?;
    tcsetattr(file, OptionalActions::Now, &settings)?;
    tcflush(file, QueueSelector::IFlush)?;
    Ok(())
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "serial:{}?baud={}", self.path.display(), self.baud)?;
        match self.parity {
            Parity::None => {}
            Parity::Even => f.write_str("&parity=even")?,
            Parity::Odd => f.write_str("&parity=odd")?,
        }
        match self.two_stop_bits {
            true => f.write_str("&stop=2"),
            false => Ok(()),
        }
    }
}
