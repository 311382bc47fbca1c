//! A term of leadership: what is remembered, and the couriers that deliver.

use std::collections::BTreeMap;
use std::sync::Arc;

use clickhouse::error::Error;
use ringtrace_kit::clock;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Alerter;
use crate::crash::{Matcher, Sender};
use crate::deliver::{Courier, Ledger, Notice, Wanted};
use crate::rules::Rules;
use crate::store::{Remembered, Store};

/// See the module's text.
pub(super) struct Term<'a> {
    pub(super) rules: &'a Rules,
    pub(super) store: &'a Store,
    pub(super) remembered: Remembered,
    /// When rules with long windows were last evaluated, in milliseconds of wall time.
    pub(super) slow_at: i64,
    pub(super) risk_at: i64,
    wanted: watch::Sender<Arc<Wanted>>,
    couriers: JoinSet<()>,
    /// The log clock, for what goes on beside evaluation; it ends with the term.
    pub(super) clock: watch::Sender<Option<i64>>,
    _beside: JoinSet<()>,
}

/// Writes down what receivers were told.
struct Book(Store);

impl Ledger for Book {
    async fn told(&self, receiver: &str, notice: &Notice) {
        let told = [(receiver, notice.fingerprint.as_str(), notice.fired_at, Some(notice.state))];
        if let Err(error) = self.0.write_told(&told, clock::wall_ms()).await {
            tracing::warn!(receiver, %error, "a delivery is not written down: after a restart it is repeated");
        }
    }
}

impl<'a> Term<'a> {
    /// Takes over what the leader before has left.
    ///
    /// # Errors
    /// As ClickHouse says.
    pub(super) async fn begin(alerter: &'a Alerter, store: &'a Store, sender: &Sender) -> Result<Self, Error> {
        let remembered = store.remember().await?;
        let (wanted, _) = watch::channel(Arc::new(Wanted::new()));
        let (clock, ticks) = watch::channel(None);
        let mut beside = JoinSet::new();
        beside.spawn(Matcher::new(store.clone(), sender.clone(), alerter.config.rules).run(ticks));
        let mut term = Term {
            rules: &alerter.rules,
            store,
            remembered,
            slow_at: 0,
            risk_at: 0,
            wanted,
            couriers: JoinSet::new(),
            clock,
            _beside: beside,
        };
        term.publish();
        let book = Arc::new(Book(store.clone()));
        for receiver in &alerter.rules.receivers {
            let told: BTreeMap<_, _> = term.remembered.told.get(&receiver.name).cloned().unwrap_or_default();
            let courier = Courier::new(receiver.clone(), term.wanted.subscribe(), told, Arc::clone(&book));
            term.couriers.spawn(courier.run());
        }
        Ok(term)
    }

    /// Lets couriers see the board as it is now.
    pub(super) fn publish(&self) {
        let wall = clock::wall_ms();
        let alerts = self.remembered.board.alerts.values();
        let notices = alerts.filter_map(|alert| Notice::of(alert, self.rules, wall));
        let wanted: Wanted = notices.map(|notice| (notice.fingerprint.clone(), notice)).collect();
        self.wanted.send_if_modified(|held| {
            let differs = **held != wanted;
            if differs {
                *held = Arc::new(wanted);
            }
            differs
        });
    }

    /// Lets couriers finish what is on its way, for a moment; what they don't get rid of is owed.
    pub(super) async fn end(mut self) {
        super::measures::hide(&self.rules.rules);
        drop(self.wanted);
        let all = async { while self.couriers.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(std::time::Duration::from_secs(5), all).await;
    }
}
