//! The C interface of `libchdb.so`, made safe: with `confine`, `exit`, `imports` and `writes` the only modules with
//! unsafe code.
//!
//! The functions and their rules are those of `chdb.h`: a connection runs one statement at a time, every result and
//! insert stream is destroyed exactly once, and every connection is closed exactly once. Here a statement borrows its
//! connection mutably, and `Drop` destroys.
#![allow(unsafe_code, reason = "the engine is a C library")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::path::Path;
use std::ptr::NonNull;

use crate::{Error, Exception, exit, writes};

type ConnectionHandle = *mut c_void;
type ResultHandle = *mut c_void;
type InsertHandle = *mut c_void;

/// Declares the table of C functions and how it is filled from the library.
macro_rules! functions {
    ($($field:ident = $symbol:literal: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        struct Functions { $($field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)* }

        impl Functions {
            fn load(library: &libloading::Library) -> Result<Self, libloading::Error> {
                // SAFETY: each type is the one that chdb.h of the pinned version declares for its symbol, and the
                // library is never unloaded, so that the pointers stay valid.
                Ok(Self { $($field: unsafe { *library.get($symbol)? },)* })
            }
        }
    };
}

functions! {
    set_signal_handlers_enabled = b"chdb_set_signal_handlers_enabled\0": fn(c_int);
    connect = b"chdb_connect\0": fn(c_int, *mut *mut c_char) -> *mut ConnectionHandle;
    close = b"chdb_close_conn\0": fn(*mut ConnectionHandle);
    query = b"chdb_query_with_params_n\0": fn(
        ConnectionHandle, *const u8, usize, *const u8, usize,
        *const *const u8, *const usize, *const *const u8, *const usize, usize
    ) -> ResultHandle;
    stream = b"chdb_stream_query_with_params_n\0": fn(
        ConnectionHandle, *const u8, usize, *const u8, usize,
        *const *const u8, *const usize, *const *const u8, *const usize, usize
    ) -> ResultHandle;
    fetch = b"chdb_stream_fetch_result\0": fn(ConnectionHandle, ResultHandle) -> ResultHandle;
    cancel_query = b"chdb_stream_cancel_query\0": fn(ConnectionHandle, ResultHandle);
    insert = b"chdb_stream_insert_with_params_n\0": fn(
        ConnectionHandle, *const u8, usize, *const u8, usize,
        *const *const u8, *const usize, *const *const u8, *const usize, usize
    ) -> InsertHandle;
    append = b"chdb_stream_append\0": fn(InsertHandle, *const c_void, usize) -> c_int;
    done = b"chdb_stream_done\0": fn(InsertHandle) -> ResultHandle;
    insert_error = b"chdb_stream_insert_error\0": fn(InsertHandle) -> *const c_char;
    destroy_insert = b"chdb_destroy_insert_stream\0": fn(InsertHandle);
    destroy_result = b"chdb_destroy_query_result\0": fn(ResultHandle);
    buffer = b"chdb_result_buffer\0": fn(ResultHandle) -> *const u8;
    length = b"chdb_result_length\0": fn(ResultHandle) -> usize;
    error = b"chdb_result_error\0": fn(ResultHandle) -> *const c_char;
    rows = b"chdb_result_rows_read\0": fn(ResultHandle) -> u64;
    result_bytes = b"chdb_result_bytes_read\0": fn(ResultHandle) -> u64;
    read_rows = b"chdb_result_storage_rows_read\0": fn(ResultHandle) -> u64;
    read_bytes = b"chdb_result_storage_bytes_read\0": fn(ResultHandle) -> u64;
    written_rows = b"chdb_result_rows_written\0": fn(ResultHandle) -> u64;
    written_bytes = b"chdb_result_bytes_written\0": fn(ResultHandle) -> u64;
}

/// The loaded library. It is never unloaded: the engine's threads outlive every connection.
pub(crate) struct Library {
    functions: Functions,
}

impl Library {
    /// Loads the library and turns its process-wide signal handlers off: signals belong to the program around it.
    pub(crate) fn load(path: &Path) -> Result<&'static Self, Error> {
        let failed = |source| Error::Library { path: path.to_owned(), source };
        // SAFETY: loading runs the library's initialisers, which it is made for; it is leaked below.
        let library = Box::leak(Box::new(unsafe { libloading::Library::new(path) }.map_err(failed)?));
        let functions = Functions::load(library).map_err(failed)?;
        if !writes::guard(functions.connect as usize) {
            tracing::error!("this libchdb.so calls write in an unknown way: a full disk may damage tables");
        }
        if !exit::keep_statics(functions.connect as usize) {
            tracing::warn!("this libchdb.so calls __cxa_atexit in an unknown way: it may crash when the process exits");
        }
        // SAFETY: takes a flag, and is called before the first connection, as chdb.h asks.
        unsafe { (functions.set_signal_handlers_enabled)(0) };
        Ok(Box::leak(Box::new(Self { functions })))
    }

    /// Opens a connection; the first one of the process starts the engine. `None` when the engine refuses.
    pub(crate) fn connect(&'static self, arguments: &[CString]) -> Option<Connection> {
        let mut argv: Vec<*mut c_char> = arguments.iter().map(|argument| argument.as_ptr().cast_mut()).collect();
        let count = c_int::try_from(argv.len()).ok()?;
        // SAFETY: argv holds `count` pointers to strings that end with NUL and live through the call, which copies them.
        let handle = unsafe { (self.functions.connect)(count, argv.as_mut_ptr()) };
        NonNull::new(handle).map(|handle| Connection { functions: &self.functions, handle })
    }
}

/// Values for the `{name:Type}` placeholders of a statement, as pairs of name and value in ClickHouse's escaped form.
pub(crate) type Parameters = [(String, String)];

struct RawParameters {
    names: Vec<*const u8>,
    name_lengths: Vec<usize>,
    values: Vec<*const u8>,
    value_lengths: Vec<usize>,
}

impl RawParameters {
    fn new(parameters: &Parameters) -> Self {
        Self {
            names: parameters.iter().map(|(name, _)| name.as_ptr()).collect(),
            name_lengths: parameters.iter().map(|(name, _)| name.len()).collect(),
            values: parameters.iter().map(|(_, value)| value.as_ptr()).collect(),
            value_lengths: parameters.iter().map(|(_, value)| value.len()).collect(),
        }
    }
}

/// One session of the engine: its own database, settings and temporary tables.
pub(crate) struct Connection {
    functions: &'static Functions,
    handle: NonNull<ConnectionHandle>,
}

// SAFETY: chdb.h lets a connection be used from any thread, one at a time; every use borrows it mutably.
unsafe impl Send for Connection {}

type Start = unsafe extern "C" fn(
    ConnectionHandle,
    *const u8,
    usize,
    *const u8,
    usize,
    *const *const u8,
    *const usize,
    *const *const u8,
    *const usize,
    usize,
) -> *mut c_void;

impl Connection {
    /// Runs one statement and returns its whole result.
    pub(crate) fn query(&mut self, sql: &[u8], format: &str, parameters: &Parameters) -> Result<Chunk, Exception> {
        let result = self.start(self.functions.query, sql, format, parameters);
        Chunk::new(self.functions, result)
    }

    /// Starts a SELECT whose result is fetched piece by piece. The engine refuses other statements before it runs them.
    pub(crate) fn stream(&mut self, sql: &[u8], format: &str, parameters: &Parameters) -> Result<Rows<'_>, Exception> {
        let result = self.start(self.functions.stream, sql, format, parameters);
        let result = Chunk::new(self.functions, result)?;
        Ok(Rows { connection: self, result, finished: false })
    }

    /// Starts an INSERT (without its `FORMAT` clause), whose data is then appended.
    pub(crate) fn insert(
        &mut self,
        sql: &[u8],
        format: &str,
        parameters: &Parameters,
    ) -> Result<Insert<'_>, Exception> {
        let handle = self.start(self.functions.insert, sql, format, parameters);
        let handle = NonNull::new(handle).ok_or_else(|| Exception::from_engine("the engine gave no insert stream"))?;
        let insert = Insert { functions: self.functions, handle, connection: PhantomData };
        match insert.error() {
            Some(error) => Err(Exception::from_engine(&error)),
            None => Ok(insert),
        }
    }

    fn start(&mut self, function: Start, sql: &[u8], format: &str, parameters: &Parameters) -> *mut c_void {
        let raw = RawParameters::new(parameters);
        // SAFETY: the connection is open and borrowed mutably; every pointer comes with its length and lives through
        // the call, which copies what it keeps; the four lists are of the same length.
        unsafe {
            function(
                self.raw(),
                sql.as_ptr(),
                sql.len(),
                format.as_ptr(),
                format.len(),
                raw.names.as_ptr(),
                raw.name_lengths.as_ptr(),
                raw.values.as_ptr(),
                raw.value_lengths.as_ptr(),
                parameters.len(),
            )
        }
    }

    fn raw(&self) -> ConnectionHandle {
        // SAFETY: the handle came from chdb_connect and is closed only in drop.
        unsafe { *self.handle.as_ptr() }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: opened by chdb_connect, closed once; no statement borrows it any more.
        unsafe { (self.functions.close)(self.handle.as_ptr()) }
    }
}

/// A running SELECT. Dropping it early cancels it.
pub(crate) struct Rows<'c> {
    connection: &'c mut Connection,
    result: Chunk,
    finished: bool,
}

impl Rows<'_> {
    /// The next piece, a document of its own in the output format; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Chunk>, Exception> {
        let functions = self.connection.functions;
        // SAFETY: the connection is open and its only running statement is this one.
        let result = unsafe { (functions.fetch)(self.connection.raw(), self.result.handle.as_ptr()) };
        let chunk = Chunk::new(functions, result);
        self.finished = !chunk.as_ref().is_ok_and(|chunk| !chunk.bytes().is_empty());
        chunk.map(|chunk| (!self.finished).then_some(chunk))
    }
}

impl Drop for Rows<'_> {
    fn drop(&mut self) {
        if !self.finished {
            // SAFETY: as in next; the stream is neither finished nor cancelled yet, and is destroyed after this.
            unsafe { (self.connection.functions.cancel_query)(self.connection.raw(), self.result.handle.as_ptr()) }
        }
    }
}

/// A running INSERT. Dropping it before [`finish`](Self::finish) cancels it.
pub(crate) struct Insert<'c> {
    functions: &'static Functions,
    handle: NonNull<c_void>,
    connection: PhantomData<&'c mut Connection>,
}

impl Insert<'_> {
    /// Hands data over, which the engine copies. Waits while the engine is behind.
    pub(crate) fn append(&mut self, data: &[u8]) -> Result<(), Exception> {
        // SAFETY: the stream is alive, and data lives through the call.
        let state = unsafe { (self.functions.append)(self.handle.as_ptr(), data.as_ptr().cast(), data.len()) };
        if state == 0 {
            return Ok(());
        }
        Err(Exception::from_engine(self.error().as_deref().unwrap_or("the insert stream failed")))
    }

    /// Ends the data and waits until it is stored.
    pub(crate) fn finish(self) -> Result<Chunk, Exception> {
        // SAFETY: the stream is alive; what is returned is destroyed by the chunk, the stream by drop.
        let result = unsafe { (self.functions.done)(self.handle.as_ptr()) };
        Chunk::new(self.functions, result)
    }

    fn error(&self) -> Option<String> {
        // SAFETY: the stream is alive; the text belongs to it and is copied at once.
        unsafe { text((self.functions.insert_error)(self.handle.as_ptr())) }
    }
}

impl Drop for Insert<'_> {
    fn drop(&mut self) {
        // SAFETY: destroyed once; the engine cancels a stream that was not finished.
        unsafe { (self.functions.destroy_insert)(self.handle.as_ptr()) }
    }
}

/// A result without error. It owns the engine's buffer, so that its bytes need no copy.
pub(crate) struct Chunk {
    functions: &'static Functions,
    handle: NonNull<c_void>,
}

// SAFETY: a result is a plain buffer with numbers; chdb.h lets any thread read and destroy it, and nothing changes it.
unsafe impl Send for Chunk {}

// SAFETY: as above: all methods only read.
unsafe impl Sync for Chunk {}

impl Chunk {
    fn new(functions: &'static Functions, result: ResultHandle) -> Result<Self, Exception> {
        let handle = NonNull::new(result).ok_or_else(|| Exception::from_engine("the engine gave no result"))?;
        let chunk = Self { functions, handle };
        // SAFETY: the result is alive; the text belongs to it and is copied at once.
        match unsafe { text((functions.error)(handle.as_ptr())) } {
            Some(error) => Err(Exception::from_engine(&error)),
            None => Ok(chunk),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        let handle = self.handle.as_ptr();
        // SAFETY: the result is alive.
        let (buffer, length) = unsafe { ((self.functions.buffer)(handle), (self.functions.length)(handle)) };
        if buffer.is_null() || length == 0 {
            return &[];
        }
        // SAFETY: the engine's buffer has this length and lives, unchanged, as long as the result.
        unsafe { std::slice::from_raw_parts(buffer, length) }
    }

    pub(crate) fn counts(&self) -> Counts {
        let (functions, handle) = (self.functions, self.handle.as_ptr());
        // SAFETY: the result is alive; each function reads a number.
        unsafe {
            Counts {
                result_rows: (functions.rows)(handle),
                result_bytes: (functions.result_bytes)(handle),
                read_rows: (functions.read_rows)(handle),
                read_bytes: (functions.read_bytes)(handle),
                written_rows: (functions.written_rows)(handle),
                written_bytes: (functions.written_bytes)(handle),
            }
        }
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: destroyed once.
        unsafe { (self.functions.destroy_result)(self.handle.as_ptr()) }
    }
}

/// What the engine counted for a result.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) result_rows: u64,
    pub(crate) result_bytes: u64,
    pub(crate) read_rows: u64,
    pub(crate) read_bytes: u64,
    pub(crate) written_rows: u64,
    pub(crate) written_bytes: u64,
}

/// # Safety
///
/// `pointer` is null, or a string that ends with NUL and lives through the call.
unsafe fn text(pointer: *const c_char) -> Option<String> {
    // SAFETY: promised by the caller.
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}
