//! Writes the example traffic of `tests/traffic` anew.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use ringtrace_tests::traffic::{SEED, Topic, generate};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traffic");
    fs::create_dir_all(&folder)?;
    let traffic = generate(SEED);
    for topic in Topic::ALL {
        let file = File::create(folder.join(format!("{}.jsonl.gz", topic.name())))?;
        let mut writer = GzBuilder::new().write(file, Compression::best());
        writer.write_all(traffic.lines(topic).as_bytes())?;
        writer.finish()?;
    }
    fs::write(folder.join("bad.jsonl"), traffic.bad_lines())
}
