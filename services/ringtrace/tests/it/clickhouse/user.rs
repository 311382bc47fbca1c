//! Another user than the one that started it.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use super::server::{Folder, Server, command, ended};

/// What `id` says.
fn id(arguments: &[&str]) -> String {
    String::from_utf8(Command::new("id").args(arguments).output().unwrap().stdout).unwrap().trim().to_owned()
}

/// Whether everybody may go through all folders of the project, where the engine's library is.
fn is_open(path: &Path) -> bool {
    path.ancestors().all(|folder| std::fs::metadata(folder).is_ok_and(|folder| folder.permissions().mode() & 1 == 1))
}

/// Another user where this one may become it and that one may read the library; else this one.
fn somebody() -> String {
    let may = id(&["-u"]) == "0" && is_open(Path::new(env!("CARGO_MANIFEST_DIR")));
    if may { "nobody".to_owned() } else { id(&["-un"]) }
}

#[tokio::test]
async fn it_becomes_the_user_and_its_new_folder_belongs_to_that_user() {
    let data = Folder::new();
    let (name, folder) = (somebody(), data.join("data"));
    let server = Server::start(&folder, &["--user", &name]);
    server.ask("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a").await;
    server.ask("INSERT INTO t VALUES (1)").await;
    let (user, group) = (id(&["-u", &name]), id(&["-g", &name]));
    assert_eq!(server.status("Uid"), [user.as_str(); 4].join("\t"), "real, effective, saved and file system");
    assert_eq!(server.status("Gid"), [group.as_str(); 4].join("\t"));
    assert_eq!(std::fs::metadata(folder).unwrap().uid().to_string(), user);
}

#[test]
fn a_user_that_is_not_there_is_named() {
    let data = Folder::new();
    let (status, text) = ended(&mut command(&data, &["--user", "no-such-user"]));
    assert_eq!((status, text.lines().count()), (1, 1), "{text}");
    assert!(text.contains("no user no-such-user"), "{text}");
}
