//! Licences and duplicates of the dependencies: `audit check` fails on what is not allowed here, `audit write` writes
//! THIRD-PARTY-NOTICES.md. Works offline, on what `Cargo.lock` and the downloaded packages say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, ExitCode};

use serde_json::Value;

/// Licences that may be linked into an Apache-2.0 binary without more than their notice.
const ALLOWED: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Packages of which more than one version is built, and why that is borne.
const DUPLICATES: [(&str, &str); 7] = [
    ("base64", "metrics-exporter-prometheus is one release behind"),
    ("embedded-io", "postcard declares both, neither is compiled in"),
    ("getrandom", "ahash, under jsonschema, is one release behind; tests only"),
    ("hashbrown", "metrics is one release behind"),
    ("rand", "clickhouse is one release behind proptest"),
    ("rand_core", "follows rand"),
    ("syn", "derive macros are moving from 2 to 3; build time only"),
];

/// What is linked or loaded beside Rust packages.
const NATIVE: &str = "\
| librdkafka, with its bundled lz4, crc32c, murmur2, snappy, tinycthread | BSD-2-Clause and the licences in its LICENSES.txt | built from the package rdkafka-sys |
| zstd | BSD-3-Clause | built from the package zstd-sys |
| OpenSSL, zlib | Apache-2.0, Zlib | the system's |
| libchdb (the ClickHouse engine) | Apache-2.0 | loaded at run time, from the npm package @chdb/lib-linux-x64-gnu |
| Preact, uPlot | MIT | built into the web application from the npm packages preact and uplot; their licences are in it, at /licenses.txt |
";

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        Some("check") => packages().and_then(|packages| check(&packages)),
        Some("write") => packages().and_then(|packages| write_notices(&packages)),
        _ => Err("expected `check` or `write`".to_owned()),
    };
    match outcome {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("audit: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// A package that is not ours.
struct Package {
    name: String,
    version: String,
    license: String,
    repository: String,
}

fn packages() -> Result<Vec<Package>, String> {
    let arguments =
        ["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", "x86_64-unknown-linux-gnu"];
    let output = Command::new("cargo").args(arguments).output().map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let text = |package: &Value, key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let others = metadata["packages"].as_array().into_iter().flatten().filter(|package| !package["source"].is_null());
    let mut packages: Vec<Package> = others
        .map(|package| Package {
            name: text(package, "name"),
            version: text(package, "version"),
            license: text(package, "license").replace('/', " OR "),
            repository: text(package, "repository"),
        })
        .collect();
    packages.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
    Ok(packages)
}

fn check(packages: &[Package]) -> Result<String, String> {
    let mut problems: Vec<String> = packages
        .iter()
        .filter(|package| !is_allowed(&package.license))
        .map(|package| format!("{} {} has the licence \"{}\"", package.name, package.version, package.license))
        .collect();
    let mut versions = BTreeMap::<&str, BTreeSet<&str>>::new();
    for package in packages {
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    let duplicates: BTreeSet<&str> = versions.iter().filter(|(_, all)| all.len() > 1).map(|(name, _)| *name).collect();
    let borne: BTreeSet<&str> = DUPLICATES.iter().map(|(name, _)| *name).collect();
    problems
        .extend(duplicates.difference(&borne).map(|name| format!("{name} is built in versions {:?}", versions[name])));
    problems
        .extend(borne.difference(&duplicates).map(|name| format!("{name} is no duplicate any more: drop its reason")));
    if std::fs::read_to_string(notices_path()).unwrap_or_default() != notices(packages) {
        problems.push("THIRD-PARTY-NOTICES.md is old: `make notices` writes it".to_owned());
    }
    if problems.is_empty() {
        Ok(format!("{} packages, licences and versions in order", packages.len()))
    } else {
        Err(problems.join("\n"))
    }
}

/// Whether one side of every AND is allowed in full. Parentheses only occur around an OR.
fn is_allowed(license: &str) -> bool {
    let is_one_of = |side: &str| side.split(" OR ").any(|one| ALLOWED.contains(&one.trim()));
    !license.is_empty() && license.split(" AND ").all(|side| is_one_of(side.trim().trim_matches(['(', ')'])))
}

fn notices(packages: &[Package]) -> String {
    let mut out = "# Third-party notices\n\nWritten by `make notices` from the packages that Ringtrace and its tests are built from.\n\n\
        | part | licence | where it comes from |\n|---|---|---|\n"
        .to_owned();
    out.push_str(NATIVE);
    for Package { name, version, license, repository } in packages {
        // Writing into a string can't fail.
        let _ = writeln!(out, "| {name} {version} | {license} | {repository} |");
    }
    out
}

fn write_notices(packages: &[Package]) -> Result<String, String> {
    std::fs::write(notices_path(), notices(packages)).map_err(|error| format!("THIRD-PARTY-NOTICES.md: {error}"))?;
    Ok("THIRD-PARTY-NOTICES.md written".to_owned())
}

fn notices_path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../THIRD-PARTY-NOTICES.md")
}
