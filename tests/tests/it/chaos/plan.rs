//! What fails, when, and for how long: drawn from a seed.

use crate::link::input::Disorder;

/// Linkers that there may be; the last comes and goes.
pub const SEATS: usize = 3;

/// Which connections of a linker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wire {
    Kafka,
    ClickHouse,
}

/// What may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A linker is killed (SIGKILL), and started again.
    Kill,
    /// All linkers are.
    KillAll,
    /// A linker is suspended (SIGSTOP), and goes on.
    Suspend,
    /// A linker is stopped in order (SIGTERM), and comes back.
    Stop,
    /// The last linker comes, if it is away, or goes for longer.
    Third,
    /// The broker is stopped in order, and started again.
    BrokerStop,
    /// The broker is killed, and started again.
    BrokerKill,
    /// ClickHouse is killed, and started again.
    ClickHouseKill,
    /// ClickHouse is suspended, and goes on.
    ClickHouseSuspend,
    /// Connections are closed, and new ones refused.
    Cut(Wire),
    /// Answers take a second.
    Slow(Wire),
    /// Few bytes a second pass.
    Narrow(Wire),
    /// What one side sends does not arrive, while the connection stays open.
    HalfClosed(Wire),
    /// Every connection is broken off after some bytes.
    BrokenOff(Wire),
    /// The disk of ClickHouse is full.
    DiskFull,
}

impl Kind {
    pub const ALL: [Kind; 20] = [
        Kind::Kill,
        Kind::KillAll,
        Kind::Suspend,
        Kind::Stop,
        Kind::Third,
        Kind::BrokerStop,
        Kind::BrokerKill,
        Kind::ClickHouseKill,
        Kind::ClickHouseSuspend,
        Kind::Cut(Wire::Kafka),
        Kind::Cut(Wire::ClickHouse),
        Kind::Slow(Wire::Kafka),
        Kind::Slow(Wire::ClickHouse),
        Kind::Narrow(Wire::Kafka),
        Kind::Narrow(Wire::ClickHouse),
        Kind::HalfClosed(Wire::Kafka),
        Kind::HalfClosed(Wire::ClickHouse),
        Kind::BrokenOff(Wire::Kafka),
        Kind::BrokenOff(Wire::ClickHouse),
        Kind::DiskFull,
    ];

    /// Its name in the figures.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Kill => "linker killed",
            Kind::KillAll => "all linkers killed",
            Kind::Suspend => "linker suspended",
            Kind::Stop => "linker stopped and back",
            Kind::Third => "third linker joins or leaves",
            Kind::BrokerStop => "broker restarted",
            Kind::BrokerKill => "broker killed",
            Kind::ClickHouseKill => "ClickHouse killed",
            Kind::ClickHouseSuspend => "ClickHouse suspended",
            Kind::Cut(Wire::Kafka) => "Kafka cut",
            Kind::Cut(Wire::ClickHouse) => "ClickHouse cut",
            Kind::Slow(Wire::Kafka) => "Kafka slow",
            Kind::Slow(Wire::ClickHouse) => "ClickHouse slow",
            Kind::Narrow(Wire::Kafka) => "Kafka narrow",
            Kind::Narrow(Wire::ClickHouse) => "ClickHouse narrow",
            Kind::HalfClosed(Wire::Kafka) => "Kafka half-closed",
            Kind::HalfClosed(Wire::ClickHouse) => "ClickHouse half-closed",
            Kind::BrokenOff(Wire::Kafka) => "Kafka broken off",
            Kind::BrokenOff(Wire::ClickHouse) => "ClickHouse broken off",
            Kind::DiskFull => "disk full",
        }
    }

    /// What it befalls: two faults at once befall different things.
    fn part(self) -> u8 {
        match self {
            Kind::Kill | Kind::KillAll | Kind::Suspend | Kind::Stop | Kind::Third => 0,
            Kind::BrokerStop | Kind::BrokerKill => 1,
            Kind::ClickHouseKill | Kind::ClickHouseSuspend | Kind::DiskFull => 2,
            Kind::Cut(Wire::Kafka)
            | Kind::Slow(Wire::Kafka)
            | Kind::Narrow(Wire::Kafka)
            | Kind::HalfClosed(Wire::Kafka)
            | Kind::BrokenOff(Wire::Kafka) => 3,
            Kind::Cut(Wire::ClickHouse)
            | Kind::Slow(Wire::ClickHouse)
            | Kind::Narrow(Wire::ClickHouse)
            | Kind::HalfClosed(Wire::ClickHouse)
            | Kind::BrokenOff(Wire::ClickHouse) => 4,
        }
    }
}

/// A fault: what, on whom, and when, in milliseconds from the start of its round.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub kind: Kind,
    /// One of the linkers that are always there. Faults of all of them ignore it.
    pub seat: usize,
    /// Faults of connections befall all linkers, or one.
    pub befalls_all: bool,
    /// The direction that a half-closed connection loses.
    pub is_upstream: bool,
    pub begins_ms: u64,
    pub ends_ms: u64,
}

/// One fault, or two at once, after a pause.
#[derive(Clone, Debug)]
pub struct Round {
    pub pause_ms: u64,
    pub faults: Vec<Fault>,
}

/// The same seed gives the same rounds.
pub struct Plan {
    draws: Disorder,
    deck: Vec<Kind>,
    is_long: bool,
}

impl Plan {
    /// Faults of a long plan may last longer.
    pub fn new(seed: u64, is_long: bool) -> Self {
        Plan { draws: Disorder::with_seed(seed), deck: Vec::new(), is_long }
    }

    /// The next round: every kind comes once before any comes again.
    pub fn next_round(&mut self) -> Round {
        let pause_ms = self.draws.below(2_000);
        let first = self.draw(None);
        let mut faults = vec![first];
        if self.draws.below(4) == 0 {
            faults.push(self.draw(Some(first.kind)));
        }
        Round { pause_ms, faults }
    }

    fn draw(&mut self, beside: Option<Kind>) -> Fault {
        if self.deck.is_empty() {
            self.deck = Kind::ALL.to_vec();
        }
        let fits = |kind: Kind| beside.is_none_or(|other| other.part() != kind.part());
        let fitting: Vec<usize> = (0..self.deck.len()).filter(|place| fits(self.deck[*place])).collect();
        let kind = match fitting.is_empty() {
            // A deck's last card may not fit: then a fault that fits beside anything but its own kind.
            true if beside.is_some_and(|other| other.part() == 0) => Kind::Slow(Wire::Kafka),
            true => Kind::Suspend,
            false => self.deck.swap_remove(fitting[self.draws.below(fitting.len() as u64) as usize]),
        };
        let most = match (self.is_long, self.draws.below(6)) {
            (false, _) => 5_000,
            (true, 0) => 45_000,
            (true, _) => 12_000,
        };
        let begins_ms = self.draws.below(1_500);
        Fault {
            kind,
            seat: self.draws.below(SEATS as u64 - 1) as usize,
            befalls_all: self.draws.below(2) == 0,
            is_upstream: self.draws.below(2) == 0,
            begins_ms,
            ends_ms: begins_ms + 200 + self.draws.below(most),
        }
    }
}
