"""The `clickhouse` crate's own integration tests, against `ringtrace clickhouse`: python3 yardstick.py.

The tests come with the published crate, in the version that Cargo.lock names. They run as they are, but for the address,
and without two modules that say nothing about a server and need many dependencies (Arrow, OpenTelemetry). What may fail
is what README.md lists in its table, each with its reason: anything else fails this script, and so does a test in the
table that passes.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[2]
TARGET = PROJECT / "target/yardstick"
CRATE = TARGET / "crate"
FEATURES = "lz4 zstd uuid time chrono inserter test-util futures03"
DROPPED_MODULES = ["mod arrow;", '#[cfg(feature = "opentelemetry")]\nmod opentelemetry;']
DROPPED_DEPENDENCIES = ["arrow", "arrow-schema", "criterion", "opentelemetry-otlp", "opentelemetry-stdout", "opentelemetry_sdk",
                        "tracing-opentelemetry", "tracing-subscriber", "trybuild"]
ADDRESS = "http://localhost:8123"


def unpack(url):
    """Copies the crate from where cargo keeps it, takes out what is not run, and names the server."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    metadata = json.loads(subprocess.run(command, cwd=PROJECT, check=True, capture_output=True).stdout)
    manifests = [Path(package["manifest_path"]) for package in metadata["packages"] if package["name"] == "clickhouse"]
    shutil.rmtree(CRATE, ignore_errors=True)
    shutil.copytree(manifests[0].parent, CRATE)
    for extra in ["rust-toolchain.toml", "examples", "benches"]:
        path = CRATE / extra
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    manifest = (CRATE / "Cargo.toml").read_text()
    for name in DROPPED_DEPENDENCIES:
        manifest = re.sub(rf"^\[dev-dependencies\.{re.escape(name)}\]\n(?:(?!\[[^\]\n]*\]\n)(?:.*\n))*", "", manifest, flags=re.M)
    manifest = re.sub(r"^\[\[(?:example|bench)\]\]\n(?:(?!\[).*\n)*(?:\])?", "", manifest, flags=re.M)
    (CRATE / "Cargo.toml").write_text(manifest + "\n[workspace]\n\n[profile.dev]\ndebug = 0\n")
    main = CRATE / "tests/it/main.rs"
    for file in main.parent.glob("*.rs"):
        file.write_text(file.read_text().replace(ADDRESS, url))
    text = main.read_text()
    for dropped in DROPPED_MODULES:
        assert dropped in text, f"{main} has no {dropped!r}"
        text = text.replace(dropped, "")
    main.write_text(text)


def serve():
    """Starts a server on an empty folder and a free port; it ends with its standard input."""
    data = TARGET / "data"
    shutil.rmtree(data, ignore_errors=True)
    command = [PROJECT / "target/release/ringtrace", "clickhouse", "--listen", "127.0.0.1:0", "--until-input-ends", "--data", data]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    address = re.search(r"http://[\d.:]+", server.stdout.readline())
    return server, address.group() if address else sys.exit("the server did not start")


def run(*tests):
    """Runs all tests, or these one by one; gives what each came to."""
    environment = {**os.environ, "CARGO_TARGET_DIR": str(TARGET / "target"), "RUST_BACKTRACE": "0"}
    threads = "1" if tests else "4"
    command = ["cargo", "test", "--quiet", "--test", "it", "--features", FEATURES, "--", "--format=pretty", "--test-threads", threads]
    ran = subprocess.run([*command, *(["--exact", *tests] if tests else [])], cwd=CRATE, env=environment, stdout=subprocess.PIPE, text=True)
    results = dict(re.findall(r"^test (\S+)(?: - should panic)? \.\.\. (\w+)", ran.stdout, flags=re.M))
    if not results:
        sys.exit(f"no test ran:\n{ran.stdout}")
    with (TARGET / "output.txt").open("a") as output:
        output.write(ran.stdout)
    return results


def names(results, result):
    return {name for name, came in results.items() if came == result}


def main():
    listed = set(re.findall(r"`(\w+::\w+)`", (HERE.parent / "README.md").read_text()))
    (TARGET / "output.txt").unlink(missing_ok=True)
    server, url = serve()
    try:
        unpack(url)
        results = run()
        surprises = sorted(names(results, "FAILED") - listed)
        if surprises:
            # Some count milliseconds, which a busy machine has not.
            print(f"once more, alone: {', '.join(surprises)}")
            results |= run(*surprises)
    finally:
        server.stdin.close()
        server.wait()
    passed, failed = names(results, "ok"), names(results, "FAILED")
    print(f"clickhouse crate: {len(passed)} passed, {len(failed)} failed; {len(listed)} are listed as those that can't pass")
    wrong = [f"{name} fails, and is not listed" for name in failed - listed] + [f"{name} is listed, and passes" for name in listed & passed]
    if wrong:
        sys.exit("\n".join([*sorted(wrong), f"see {TARGET / 'output.txt'}"]))


main()
