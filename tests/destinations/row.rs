//! What a row says of its type, and what its counterpart has to do.

/// One type of destination.
pub(crate) struct Row {
    /// As `type` has it.
    pub(crate) name: &'static str,
    /// Starts a destination that has [`Login::right`], and listens.
    pub(crate) start: fn() -> Box<dyn Counterpart>,
    /// What it wants of those who come.
    pub(crate) login: Has<Login>,
    /// What it says of a message of [`REFUSED`].
    pub(crate) refusal: Has<Refusal>,
    /// What is too large for it.
    pub(crate) limit: Has<Limit>,
    /// How raw traffic shows the login: `*` where the secret is.
    pub(crate) login_seen: Has<&'static str>,
}

/// What most types have.
pub(crate) enum Has<T> {
    Yes(T),
    /// Not, and why.
    No(&'static str),
}

/// Credentials.
pub(crate) struct Login {
    /// Stands in [`Counterpart::keys`]: what is right, as text.
    pub(crate) right: &'static str,
    /// What stands there instead while it is wrong.
    pub(crate) wrong: &'static str,
    /// What the log says then, with the key: "look at `token`".
    pub(crate) named: &'static str,
    /// Whether both are secrets, that no log may show.
    pub(crate) is_secret: bool,
}

/// The answer to one message.
pub(crate) struct Refusal {
    /// Words of the reason in `rejects`.
    pub(crate) said: &'static str,
}

/// How large a message may be.
pub(crate) struct Limit {
    /// More parameters of a message, as JSON without braces: `"text":"xxx"`. With these it is too
    /// large.
    pub(crate) large: fn() -> String,
    /// Words of the reason in `rejects`: those of weir where it knows the limit before.
    pub(crate) said: &'static str,
}

/// The far end of a row.
pub(crate) trait Counterpart {
    /// The keys of the stream beside `name`, `type`, `channels`, `retry` and `rejects`, with the
    /// right credentials.
    fn keys(&self) -> String;

    /// It is away: who connects is refused, and connections that are there end.
    fn leave(&mut self);

    /// It is there again, at the same address.
    fn come_back(&mut self);

    /// `seq` of each message that it took, in order; repeats too.
    fn taken(&self) -> Vec<u64>;
}

/// The ident of the message that is refused: an IMEI, since some destinations want one. It has a
/// parameter `mark` as well, for those that see no ident.
pub(crate) const REFUSED: &str = "352093089999999";

/// The value of `mark` in the message that is refused.
pub(crate) const MARK: &str = "refuse-me";

/// Idents of the others, in turns: the message of number N has that of N modulo their count.
pub(crate) const IDENTS: [&str; 3] = ["352093081234567", "352093081234575", "352093081234583"];
