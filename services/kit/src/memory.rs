//! The allocator, and how long it keeps memory that is free.
#![allow(unsafe_code, reason = "what tunes allocators has no safe form")]

use std::ffi::{c_int, c_long};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use libmimalloc_sys::{mi_option_set, mi_option_t};

/// Of every program that uses this crate: a quarter of what an event costs the linker was glibc's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc 3's `mimalloc.h`: how long free memory is kept, in milliseconds.
const PURGE_DELAY: mi_option_t = 15;

/// Some flushes of the linker: a second each in live operation, a few in a backlog.
const KEPT_MS: c_long = 10_000;

/// How often glibc gives back what is free.
const TRIM_PERIOD: Duration = Duration::from_secs(30);

unsafe extern "C" {
    fn malloc_trim(pad: usize) -> c_int;
}

/// Has the allocator keep free memory for ten seconds, where its default is one. For the start of `main`.
///
/// The linker fills and frees hundreds of megabytes with each flush: without this a twentieth of what an event costs it, and more
/// where memory is slow, is the kernel clearing pages that were there a moment ago. What `MIMALLOC_PURGE_DELAY` asks for stays.
pub fn keep() {
    if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
        // SAFETY: it takes any number as an option and as its value. Other threads may read the option meanwhile: it is one aligned
        // word, so they read the old value or the new one, and either will do.
        unsafe { mi_option_set(PURGE_DELAY, KEPT_MS) };
    }
}

/// Has glibc's allocator give back what is free, now and then, until the other end of `stop` is dropped. librdkafka's memory is
/// its, and it keeps for ever what lies between blocks that are in use: 150 MB after a burst.
pub fn give_back(stop: &Receiver<()>) {
    while stop.recv_timeout(TRIM_PERIOD) == Err(RecvTimeoutError::Timeout) {
        // SAFETY: takes a number; glibc's own locks keep other threads out of its heaps.
        unsafe { malloc_trim(0) };
    }
}
