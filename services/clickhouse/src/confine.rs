//! Keeps this process inside its data directory, with the kernel's help (Landlock).
//!
//! The engine has functions that read files whatever its rights say, and more may come. After [`confine`] the kernel
//! itself refuses them: this process and what it starts can write below the data directory only, read a few files more
//! that the engine needs, connect to no TCP port, start no program and gain no privileges. There is no way back.
//!
//! Numbers and structures are those of `linux/landlock.h`.
#![allow(unsafe_code, reason = "Landlock has system calls and no function of the C library")]

use std::ffi::{c_int, c_long, c_ulong};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::Error;

const CREATE_RULESET: c_long = 444;
const ADD_RULE: c_long = 445;
const RESTRICT_SELF: c_long = 446;
const VERSION_FLAG: usize = 1;
const RULE_PATH_BENEATH: usize = 1;
const SET_NO_NEW_PRIVS: c_int = 38;
const OPEN_PATH: i32 = 0o10_000_000;

const READ: u64 = 1 << 2 | 1 << 3;
const WRITE_FILE: u64 = 1 << 1;
const TRUNCATE: u64 = 1 << 14;
/// All rights to files of the first version: execute, write, read, list, remove and make.
const ALL_FILES: u64 = (1 << 13) - 1;
/// Rights that make sense for a file that is no directory.
const OF_A_FILE: u64 = 1 | WRITE_FILE | 1 << 2 | TRUNCATE;
const CONNECT_TCP: u64 = 1 << 1;
const FIRST_WITH_REFER: c_long = 2;
const FIRST_WITH_TRUNCATE: c_long = 3;
const FIRST_WITH_NETWORK: c_long = 4;

/// What the engine and the C library read outside the data directory: the machine's size and load, shared libraries,
/// time zones. Nothing here holds a secret; `/proc` as a whole would (the environment of every process).
const READABLE: [&str; 22] = [
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/timezone",
    "/lib",
    "/lib64",
    "/proc/cpuinfo",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/self/cgroup",
    "/proc/self/maps",
    "/proc/self/mountinfo",
    "/proc/self/stat",
    "/proc/self/statm",
    "/proc/self/status",
    "/proc/stat",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/usr/lib",
];

/// How far the kernel confines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confined {
    /// Files and TCP.
    Fully,
    /// Files only: a kernel older than 6.7.
    Files,
    /// Not at all: a kernel older than 5.13, or one without Landlock.
    No,
}

#[repr(C)]
struct Ruleset {
    files: u64,
    network: u64,
}

#[repr(C, packed)]
struct Beneath {
    allowed: u64,
    parent: RawFd,
}

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn prctl(option: c_int, ...) -> c_int;
}

/// Confines the calling thread and all threads and processes that it starts from now on; call it before any other
/// thread is there. The data directory is made when it is missing.
///
/// # Errors
///
/// The data directory can't be used, or the kernel knows Landlock and refuses.
pub fn confine(library: &Path, data: &Path) -> Result<Confined, Error> {
    let unusable = |source| Error::Data { path: data.to_owned(), source };
    std::fs::create_dir_all(data).map_err(unusable)?;
    // SAFETY: with this flag nothing is read but the flag, and a number comes back.
    let version = unsafe { syscall(CREATE_RULESET, 0_usize, 0_usize, VERSION_FLAG) };
    if version < 1 {
        return Ok(Confined::No);
    }
    let files = files(version);
    let network = if version >= FIRST_WITH_NETWORK { CONNECT_TCP } else { 0 };
    restrict(files, network, library, data).map_err(Error::Confine)?;
    Ok(if network == 0 { Confined::Files } else { Confined::Fully })
}

fn files(version: c_long) -> u64 {
    let refer = if version >= FIRST_WITH_REFER { 1 << 13 } else { 0 };
    let truncate = if version >= FIRST_WITH_TRUNCATE { TRUNCATE } else { 0 };
    ALL_FILES | refer | truncate
}

fn restrict(files: u64, network: u64, library: &Path, data: &Path) -> io::Result<()> {
    let ruleset = Ruleset { files, network };
    // Older kernels know a structure without its second number, and accept a longer one whose rest is zero.
    // SAFETY: the structure lives through the call and comes with its size; a new file descriptor comes back.
    let ruleset = unsafe {
        let fd = checked(syscall(CREATE_RULESET, &raw const ruleset, size_of::<Ruleset>(), 0_usize))?;
        OwnedFd::from_raw_fd(RawFd::try_from(fd).map_err(io::Error::other)?)
    };
    // Started programs could do nothing, but a right to execute is given nowhere anyway.
    allow(&ruleset, data, files & !1)?;
    allow(&ruleset, library, files & READ)?;
    for path in READABLE.map(Path::new).into_iter().filter(|path| path.exists()) {
        allow(&ruleset, path, files & READ)?;
    }
    allow(&ruleset, Path::new("/dev/null"), files & WRITE_FILE)?;
    // SAFETY: both calls take numbers and an open file descriptor, and change only what this process may do.
    unsafe {
        checked(c_long::from(prctl(SET_NO_NEW_PRIVS, 1_usize as c_ulong, 0_usize, 0_usize, 0_usize)))?;
        checked(syscall(RESTRICT_SELF, ruleset.as_raw_fd(), 0_usize))?;
    }
    Ok(())
}

fn allow(ruleset: &OwnedFd, path: &Path, rights: u64) -> io::Result<()> {
    let parent = File::options().read(true).custom_flags(OPEN_PATH).open(path)?;
    let rights = if parent.metadata()?.is_dir() { rights } else { rights & OF_A_FILE };
    let rule = Beneath { allowed: rights, parent: parent.as_raw_fd() };
    // SAFETY: the structure lives through the call, and its file descriptor is open.
    let added = unsafe { syscall(ADD_RULE, ruleset.as_raw_fd(), RULE_PATH_BENEATH, &raw const rule, 0_usize) };
    checked(added).map(|_| ())
}

fn checked(result: c_long) -> io::Result<c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
