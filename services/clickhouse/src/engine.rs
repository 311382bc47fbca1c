//! The engine of this process, and the sessions that requests run in.

use std::collections::HashMap;
use std::ffi::CString;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::exception::Code;
use crate::ffi::{Connection, Library};
use crate::sessions::{Asked, Place, Sessions};
use crate::wait::Waiter;
use crate::watch::REQUEST;
use crate::{Access, Error, Exception, access, directory, exit, writes};

/// Statements that run at once, each on a connection and a thread of its own.
pub const MAX_RUNNING: usize = 16;
/// Requests that are read, wait for a connection, or run. One more is answered with code 202.
pub const MAX_REQUESTS: usize = 256;
/// How long a request waits for one of [`MAX_RUNNING`] connections before it is answered with code 202.
pub const MAX_WAIT: Duration = Duration::from_secs(60);

/// The ClickHouse engine with its data directory. Clones share it; it is closed by [`close`](Self::close), or with the
/// last clone. A process can hold only one data directory at a time.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    library: &'static Library,
    data: PathBuf,
    arguments: Vec<CString>,
    /// Keeps the engine up between requests: it stops with its last connection.
    keeper: Mutex<Option<Keeper>>,
    running: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    interrupted: watch::Sender<bool>,
    sessions: Arc<Sessions>,
    about: About,
    access: Access,
}

/// What holds the data directory: the first connection, then the lock.
struct Keeper {
    _connection: Connection,
    _lock: File,
}

/// Every engine of this process, for its exit.
static OPEN: Mutex<Vec<Weak<Inner>>> = Mutex::new(Vec::new());

/// What the engine says about itself, asked once.
pub(crate) struct About {
    pub(crate) version: String,
    pub(crate) timezone: String,
    /// Content types by format, in lower case.
    pub(crate) content_types: HashMap<String, String>,
}

impl Engine {
    /// Loads the library and starts the engine on the data directory, which is made when it is missing. Takes about a
    /// third of a second and blocks.
    ///
    /// # Errors
    ///
    /// The library can't be loaded; the directory can't be used, is held by another engine, or was last written by a
    /// newer one; the engine refuses to start.
    pub fn open(library: &Path, data: &Path, access: Access) -> Result<Self, Error> {
        let unusable = |source| Error::Data { path: data.to_owned(), source };
        std::fs::create_dir_all(data).map_err(unusable)?;
        let data = data.canonicalize().map_err(unusable)?;
        let lock = directory::lock(&data)?;
        let arguments = arguments(&data, access).map_err(unusable)?;
        let library = Library::load(library)?;
        writes::set_closing(false);
        let mut keeper = library.connect(&arguments).ok_or_else(|| directory::not_started(&data))?;
        exit::close_and_end(close_all);
        let about = About::ask(&mut keeper).map_err(Error::Answer)?;
        directory::claim(&data, &about.version)?;
        let inner = Arc::new(Inner {
            library,
            data,
            arguments,
            keeper: Mutex::new(Some(Keeper { _connection: keeper, _lock: lock })),
            running: Arc::new(Semaphore::new(MAX_RUNNING)),
            requests: Arc::new(Semaphore::new(MAX_REQUESTS)),
            interrupted: watch::Sender::new(false),
            sessions: Arc::default(),
            about,
            access,
        });
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&inner));
        Ok(Self { inner })
    }

    /// The version of ClickHouse, for example `26.7.2.1`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.inner.about.version
    }

    /// Closes the data directory as soon as the statements that run have ended. Every later request is refused.
    pub fn close(&self) {
        self.inner.running.close();
        writes::set_closing(true);
        self.inner.sessions.end_all();
        drop(self.inner.keeper.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Cancels what runs, and wakes up what waits for the network. Blocks for a moment.
    pub(crate) fn interrupt(&self) {
        self.inner.interrupted.send_replace(true);
        self.kill("query NOT LIKE 'KILL QUERY%'");
    }

    /// Cancels the statement of one request, if it runs. Blocks for a moment.
    pub(crate) fn cancel(&self, request: u64) {
        self.kill(&format!("Settings['{REQUEST}'] = '{request}'"));
    }

    fn kill(&self, which: &str) {
        // Held meanwhile, so that the engine is neither closed nor, where it is closed already, opened again.
        let keeper = self.inner.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        if keeper.is_none() {
            return;
        }
        let statement = format!("KILL QUERY WHERE {which} ASYNC");
        let connection = self.connect();
        let killed = connection.map(|mut connection| connection.query(statement.as_bytes(), "Null", &[]).map(|_| ()));
        if let Some(Err(error)) = killed {
            tracing::warn!(%error, "statements that run can't be cancelled");
        }
    }

    /// Ends the sessions that were not used for their timeout. Blocks for a moment when there are some.
    pub(crate) fn end_idle_sessions(&self) {
        self.inner.sessions.end_idle(Instant::now());
    }

    /// How a request's thread waits for the network.
    pub(crate) fn waiter(&self, runtime: Handle) -> Waiter {
        Waiter::new(runtime, self.inner.interrupted.subscribe())
    }

    /// Waits until no statement runs.
    pub(crate) async fn idle(&self) {
        let all = u32::try_from(MAX_RUNNING).unwrap_or(u32::MAX);
        drop(self.inner.running.acquire_many(all).await);
    }

    pub(crate) fn data(&self) -> &Path {
        &self.inner.data
    }

    /// Whether a statement may read files by itself.
    pub(crate) fn is_confined(&self) -> bool {
        self.inner.access == Access::Inside
    }

    /// A connection of its own; `None` when the engine gives none.
    pub(crate) fn connect(&self) -> Option<Connection> {
        self.inner.library.connect(&self.inner.arguments)
    }

    pub(crate) fn about(&self) -> &About {
        &self.inner.about
    }

    /// The right to be read, to wait and to run, held for the whole request.
    pub(crate) fn admit(&self) -> Result<OwnedSemaphorePermit, Exception> {
        Arc::clone(&self.inner.requests).try_acquire_owned().map_err(|_| {
            let message = format!("Too many simultaneous queries. Maximum: {MAX_REQUESTS}, running or waiting");
            Exception::new(Code::TooManySimultaneousQueries, message)
        })
    }

    /// The session that a request asks for, or else a fresh one, so that nothing leaks from one request to the next;
    /// opening one takes 0.15 ms. Blocks while [`MAX_RUNNING`] others are open.
    pub(crate) fn session(&self, waiter: &Waiter, asked: &Asked) -> Result<Session, Exception> {
        let closing = || Exception::new(Code::Aborted, "The embedded ClickHouse is shutting down");
        let running = Arc::clone(&self.inner.running).acquire_owned();
        let permit = waiter.wait(async { tokio::time::timeout(MAX_WAIT, running).await }).ok_or_else(closing)?;
        let permit = permit.map_err(|_| {
            let message = format!("No connection became free in {} s. Maximum: {MAX_RUNNING}", MAX_WAIT.as_secs());
            Exception::new(Code::TooManySimultaneousQueries, message)
        })?;
        let permit = permit.map_err(|_| closing())?;
        let (place, kept) = match asked.id.as_str() {
            "" => (None, None),
            _ => self.inner.sessions.take(asked).map(|(place, connection)| (Some(place), connection))?,
        };
        let connection = kept.or_else(|| self.connect()).ok_or_else(closing)?;
        Ok(Session { connection, place, _permit: permit })
    }
}

fn arguments(data: &Path, access: Access) -> std::io::Result<Vec<CString>> {
    let option =
        |name: &[u8], path: &Path| Ok::<_, std::io::Error>(CString::new([name, path.as_os_str().as_bytes()].concat())?);
    let mut arguments = vec![c"clickhouse".to_owned(), option(b"--path=", data)?];
    if access == Access::Inside {
        arguments.push(option(b"--config-file=", &access::write(data)?)?);
    }
    Ok(arguments)
}

/// Closes every engine at the exit of the process. One in which a statement still runs is closed by the next start, as after
/// a kill.
fn close_all() {
    let open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.iter().filter_map(Weak::upgrade).for_each(|inner| Engine { inner }.close());
}

/// A connection for one request.
pub(crate) struct Session {
    pub(crate) connection: Connection,
    place: Option<Place>,
    _permit: OwnedSemaphorePermit,
}

impl Session {
    /// Whether another request may go on with it.
    pub(crate) fn is_kept(&self) -> bool {
        self.place.is_some()
    }

    /// Keeps it for the next request, where it is one to be kept; otherwise, or when it is dropped, it ends.
    pub(crate) fn keep(self) {
        if let Some(place) = self.place {
            place.keep(self.connection);
        }
    }
}

impl About {
    fn ask(connection: &mut Connection) -> Result<Self, Exception> {
        let mut ask = |sql: &str| {
            let answer = connection.query(sql.as_bytes(), "TSV", &[]);
            answer.map(|chunk| String::from_utf8_lossy(chunk.bytes()).trim_end().to_owned())
        };
        let formats = ask("SELECT lower(name), content_type FROM system.formats WHERE is_output")?;
        let pairs = formats.lines().filter_map(|line| line.split_once('\t'));
        Ok(Self {
            version: ask("SELECT version()")?,
            timezone: ask("SELECT timezone()")?,
            content_types: pairs.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect(),
        })
    }
}
