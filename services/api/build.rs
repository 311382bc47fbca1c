//! Takes the built web application into the binary, each file as it is and compressed. Without one, a page says how to build it.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// Where `make web` puts it.
const DIST: &str = "../../dashboards/web/dist";

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join(DIST);
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    if root.is_dir() {
        collect(&root, &mut files)?;
    }
    files.sort();
    let mut code = "static FILES: &[File] = &[\n".to_owned();
    for (index, path) in files.iter().enumerate() {
        let name = path.strip_prefix(&root).unwrap_or(path).to_string_lossy().replace('\\', "/");
        let contents = fs::read(path)?;
        let hash = HEXLOWER.encode(&Sha256::digest(&contents)[..12]);
        fs::write(out.join(format!("{index}.plain")), &contents)?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&contents)?;
        fs::write(out.join(format!("{index}.gz")), gzip.finish()?)?;
        let _written = writeln!(
            code,
            "    File {{ path: {name:?}, etag: \"\\\"{hash}\\\"\", \
             plain: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{index}.plain\")), \
             gzip: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{index}.gz\")) }},"
        );
    }
    code += "];\n";
    fs::write(out.join("web_files.rs"), code)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() {
            collect(&path, files)?;
        } else if !is_hidden {
            files.push(path);
        }
    }
    Ok(())
}
