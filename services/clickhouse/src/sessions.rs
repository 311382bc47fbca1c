//! Sessions that outlive a request: `session_id`, with the temporary tables and settings that its statements have made.
//!
//! As in ClickHouse a session runs one statement at a time, and ends when it was not used for its timeout.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::Exception;
use crate::exception::Code;
use crate::ffi::Connection;

/// Sessions that are kept at once; one more is refused (202).
const MAX_SESSIONS: usize = 256;
/// ClickHouse's `default_session_timeout`.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// ClickHouse's `max_session_timeout`.
const MAX_TIMEOUT: Duration = Duration::from_secs(3600);

/// What a request says about its session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Empty: the request has a session of its own.
    pub(crate) id: String,
    /// `session_timeout` as it came, in seconds.
    pub(crate) timeout: String,
    /// `session_check`: the session must be there already.
    pub(crate) must_exist: bool,
    /// `close_session`: it ends with this request.
    pub(crate) closes: bool,
}

impl Asked {
    fn timeout(&self) -> Result<Duration, Exception> {
        if self.timeout.is_empty() {
            return Ok(DEFAULT_TIMEOUT);
        }
        let seconds = self.timeout.parse().map_err(|_| {
            Exception::new(Code::InvalidSessionTimeout, format!("Invalid session timeout: '{}'", self.timeout))
        })?;
        let timeout = Duration::from_secs(seconds);
        if timeout > MAX_TIMEOUT {
            let message =
                format!("Session timeout '{seconds}' is larger than max_session_timeout: {}", MAX_TIMEOUT.as_secs());
            return Err(Exception::new(Code::InvalidSessionTimeout, message));
        }
        Ok(timeout)
    }
}

enum Session {
    /// A request has its connection.
    Busy,
    Idle {
        connection: Connection,
        until: Instant,
    },
}

/// The sessions of an engine.
#[derive(Default)]
pub(crate) struct Sessions {
    by_id: Mutex<HashMap<String, Session>>,
}

impl Sessions {
    /// Takes a session's connection for a request; `None` where the session is new.
    ///
    /// # Errors
    ///
    /// It is not there and must be (372), is used by another request (373), has an invalid timeout (374), or is one too
    /// many (202).
    pub(crate) fn take(self: &Arc<Self>, asked: &Asked) -> Result<(Place, Option<Connection>), Exception> {
        let (id, timeout) = (&asked.id, asked.timeout()?);
        self.end_idle(Instant::now());
        let mut by_id = self.lock();
        let connection = match by_id.remove(id) {
            Some(Session::Busy) => {
                by_id.insert(id.clone(), Session::Busy);
                let message = format!("Session {id} is locked by a concurrent client");
                return Err(Exception::new(Code::SessionIsLocked, message));
            }
            Some(Session::Idle { connection, .. }) => Some(connection),
            None if asked.must_exist => {
                return Err(Exception::new(Code::SessionNotFound, format!("Session {id} not found")));
            }
            None if by_id.len() >= MAX_SESSIONS => {
                let message = format!("Too many sessions. Maximum: {MAX_SESSIONS}");
                return Err(Exception::new(Code::TooManySimultaneousQueries, message));
            }
            None => None,
        };
        by_id.insert(id.clone(), Session::Busy);
        drop(by_id);
        let closes = asked.closes;
        Ok((Place { sessions: Arc::clone(self), id: id.clone(), timeout, closes }, connection))
    }

    /// Ends the sessions whose time has passed.
    pub(crate) fn end_idle(&self, now: Instant) {
        // Under the lock, so that the engine is not closed meanwhile.
        self.lock().retain(|_, session| !matches!(session, Session::Idle { until, .. } if *until <= now));
    }

    /// Ends all sessions; those that a request uses end with it.
    pub(crate) fn end_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session's place while a request has its connection. When it is dropped without [`keep`](Self::keep), the session
/// has ended.
pub(crate) struct Place {
    sessions: Arc<Sessions>,
    id: String,
    timeout: Duration,
    closes: bool,
}

impl Place {
    /// Gives the connection back for the next request, unless the session ends with this one.
    pub(crate) fn keep(self, connection: Connection) {
        if !self.closes {
            let idle = Session::Idle { connection, until: Instant::now() + self.timeout };
            // Nothing is there when the engine has ended all sessions meanwhile.
            if let Some(place) = self.sessions.lock().get_mut(&self.id) {
                *place = idle;
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_id = self.sessions.lock();
        if matches!(by_id.get(&self.id), Some(Session::Busy)) {
            by_id.remove(&self.id);
        }
    }
}
