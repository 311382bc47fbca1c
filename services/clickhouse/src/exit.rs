//! The exit of a process with the engine in it.
//!
//! The library's destructors free what the engine's background threads still use, which crashes now and then. So none of
//! them runs: the exit closes the engine, and ends the process.
#![allow(unsafe_code, reason = "C functions of the process's exit")]

use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

use nix::libc::_exit;

use crate::imports;

unsafe extern "C" {
    fn on_exit(function: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
}

/// Keeps, to the end of the process, what the library that has the address `inside` sets up from now on: the exit runs
/// destructors from the newest to the oldest, so those of statics that a query was the first to use come before
/// [`close_and_end`]. False when that did not work.
pub(crate) fn keep_statics(inside: usize) -> bool {
    type Destructor = unsafe extern "C" fn(*mut c_void);
    extern "C" fn forget(_: Option<Destructor>, _: *mut c_void, _: *mut c_void) -> c_int {
        0
    }
    let replacement: extern "C" fn(Option<Destructor>, *mut c_void, *mut c_void) -> c_int = forget;
    // SAFETY: the function has the type of `__cxa_atexit`.
    unsafe { imports::replace(inside, c"__cxa_atexit", replacement as usize) }
}

/// Has `close` called when the process exits; the process then ends at once with its status. The library is loaded already,
/// so that this comes before the destructors of its loading.
pub(crate) fn close_and_end(close: fn()) {
    static CLOSE: OnceLock<fn()> = OnceLock::new();
    extern "C" fn exiting(status: c_int, _: *mut c_void) {
        if let Some(close) = CLOSE.get() {
            close();
        }
        // SAFETY: ends the process.
        unsafe { _exit(status) }
    }
    if CLOSE.set(close).is_ok() {
        // SAFETY: the function is of the type that glibc asks for, and lives as long as the process.
        unsafe { on_exit(exiting, std::ptr::null_mut()) };
    }
}
