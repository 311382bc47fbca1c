//! A write of the engine to a file succeeds, or waits, or is the last thing the process does.
//!
//! The engine of the library ignores that `write` fails: it takes into use a table definition or a merged part whose
//! files are empty, and acknowledges rows that are nowhere. So its `write` is replaced by one that does not come back
//! without having written to a file: while the disk is full it waits for room, and every other failure ends the process,
//! which loses nothing that was acknowledged (as a kill, see `README.md`).
#![allow(unsafe_code, reason = "a C function takes the place of another")]

use std::ffi::{c_int, c_void};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use nix::errno::Errno;
use nix::libc::{_exit, S_IFMT, S_IFREG, fstat, stat, usleep, write};

use crate::imports;

/// How long a write that finds no room waits until it tries again, in microseconds.
const PAUSE_US: u32 = 20_000;

/// How many writes wait for room.
static WAITING: AtomicU32 = AtomicU32::new(0);

/// Whether the engine is being closed: a write that finds no room then waits no longer.
static CLOSING: AtomicBool = AtomicBool::new(false);

/// Replaces the `write` of the library that has the address `inside`; false when that did not work.
pub(crate) fn guard(inside: usize) -> bool {
    let replacement: unsafe extern "C" fn(c_int, *const c_void, usize) -> isize = complete;
    // SAFETY: the function has the type of write(2).
    unsafe { imports::replace(inside, c"write", replacement as usize) }
}

/// Whether the engine closes, and waits for the writes that are under way: those without room end the process instead.
pub(crate) fn set_closing(closing: bool) {
    CLOSING.store(closing, Ordering::Release);
}

unsafe extern "C" fn complete(file: c_int, data: *const c_void, size: usize) -> isize {
    // SAFETY: the engine calls this as write(2), with a buffer of this size.
    let attempt = || unsafe { write(file, data, size) };
    let written = attempt();
    if written >= 0 {
        // Of the last room it may be less than all: the engine comes back with the rest.
        return written;
    }
    let error = Errno::last();
    if is_programs(error) || !is_file(file) {
        error.set();
        return written;
    }
    end_unless_full(error);
    if WAITING.fetch_add(1, Ordering::AcqRel) == 0 {
        say("the disk has no room for what ClickHouse is writing, which waits: make room");
    }
    let (written, error) = wait_for_room(attempt);
    if WAITING.fetch_sub(1, Ordering::AcqRel) == 1 {
        say("the disk has room again");
    }
    // Others look at it, and what was said may have changed it.
    error.set();
    written
}

/// Tries until it has written something, or until the error is none of the disk's; gives the last error as well.
fn wait_for_room(attempt: impl Fn() -> isize) -> (isize, Errno) {
    loop {
        // SAFETY: takes a number.
        unsafe { usleep(PAUSE_US) };
        let written = attempt();
        match Errno::last() {
            error if written >= 0 => return (written, error),
            Errno::EINTR => {}
            error if is_programs(error) => return (written, error),
            error => end_unless_full(error),
        }
    }
}

/// Ends the process on an error of a write that waiting does not mend.
fn end_unless_full(error: Errno) {
    let is_full = matches!(error, Errno::ENOSPC | Errno::EDQUOT | Errno::EFBIG);
    if is_full && !CLOSING.load(Ordering::Acquire) {
        return;
    }
    say(&format!("ClickHouse can't write ({error}) and ends as by a kill; no acknowledged row is lost"));
    // SAFETY: ends the process.
    unsafe { _exit(1) }
}

/// Errors that say nothing about the disk; the engine tries again or has given a wrong argument.
fn is_programs(error: Errno) -> bool {
    matches!(error, Errno::EINTR | Errno::EAGAIN | Errno::EBADF | Errno::EFAULT | Errno::EINVAL)
}

fn is_file(file: c_int) -> bool {
    // SAFETY: all zeros is a value of this plain structure, which the call fills.
    let (known, about) = unsafe {
        let mut about: stat = std::mem::zeroed();
        (fstat(file, &raw mut about) == 0, about)
    };
    known && about.st_mode & S_IFMT == S_IFREG
}

/// Tells whoever runs the process. Not by the log, which may be one of those who wait for the disk.
fn say(what: &str) {
    let _nobody_listens = writeln!(std::io::stderr(), "ringtrace: {what}");
}
