//! A disk so small that it can be filled: a tmpfs in a mount namespace of its own, which is gone with its holder.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::{Running, data};
use super::wait_for;

/// See the module's text.
pub struct SmallDisk {
    folder: PathBuf,
    holder: Running,
}

impl SmallDisk {
    /// A disk of `mib` MiB; `None` where mounting is not allowed.
    pub fn mount(name: &str, mib: u32) -> Option<Self> {
        let folder = data(name);
        fs::create_dir_all(&folder).expect("target/ can be written");
        let script =
            format!("mount -t tmpfs -o size={mib}m tmpfs \"$0\" && touch \"$0/.mounted\" && exec sleep infinity");
        let words = ["unshare", "--mount", "sh", "-c", &script].map(OsString::from);
        let command: Vec<&std::ffi::OsStr> = words.iter().map(AsRef::as_ref).chain([folder.as_os_str()]).collect();
        let mut holder = Running::start(&format!("{name}-holder"), &command, &[]);
        let mut is_mounted = false;
        wait_for("a small disk", || {
            is_mounted = seen_by(holder.id(), &folder).join(".mounted").exists();
            is_mounted || holder.ended().is_some()
        });
        is_mounted.then_some(SmallDisk { folder, holder })
    }

    /// Its folder, as those see it who live in its namespace.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What runs a command where the disk is mounted.
    pub fn inside(&self) -> Vec<OsString> {
        ["nsenter", "--mount", "--target", &self.holder.id().to_string(), "--"].map(OsString::from).to_vec()
    }

    /// Takes the room that is left, to the last byte.
    ///
    /// # Panics
    /// When it is not full then.
    pub fn fill(&self) {
        // Most of it at once, which takes all or nothing; the rest bit by bit, while others write there, and give some back.
        let took = self.run(
            "left=$(df --output=avail --block-size=1 . | tail -1)
            test $left -le 33554432 || fallocate --length $((left - 33554432)) ballast-0
            for nth in 1 2 3; do cat /dev/zero > ballast-$nth; done",
        );
        let free = self.run("df --output=avail --block-size=1 . | tail -1");
        let bytes: u64 = free.trim().parse().expect("df says a number");
        assert!(bytes < 1 << 20, "{bytes} bytes are free on the disk that was filled: {took}");
    }

    /// Gives it back.
    pub fn clear(&self) {
        self.run("rm -f ballast-*");
    }

    /// Runs a script in the folder. A path through `/proc/<pid>/root` will not do: `df` resolves it to the disk outside.
    fn run(&self, script: &str) -> String {
        let inside = self.inside();
        let ran = Command::new(&inside[0])
            .args(&inside[1..])
            .args(["sh", "-c", &format!("cd \"$0\" && {script}")])
            .arg(&self.folder)
            .output()
            .expect("nsenter runs");
        String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned()
    }
}

/// A path as a process in another mount namespace sees it (proc(5), `/proc/<pid>/root`).
fn seen_by(pid: u32, folder: &Path) -> PathBuf {
    let folder = folder.canonicalize().expect("the folder is there");
    Path::new("/proc").join(pid.to_string()).join("root").join(folder.strip_prefix("/").expect("an absolute path"))
}
