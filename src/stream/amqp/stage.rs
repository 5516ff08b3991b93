//! The way of a connection.

/// How far a connection is: what the broker has to answer next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing was sent yet.
    Connected,
    /// What is spoken.
    ProtocolSent,
    /// Who we are.
    LoginSent,
    /// Which virtual host.
    OpenSent,
    /// That a channel is wanted.
    ChannelSent,
    /// That each publish is to be answered.
    SelectSent,
    /// Whether the exchange is there.
    ExchangeSent,
    /// Messages can go.
    Ready,
    /// The broker has said why it ends the connection.
    Ended,
}
