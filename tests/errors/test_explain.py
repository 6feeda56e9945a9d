"""Logs of every kind and signatures of one's own, through the command line."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from backports import zstd

from tests.cli.running import ENVBUILD, Said, environment, process

NEP50 = "AttributeError: module 'numpy' has no attribute '_no_nep50_warning'"
LOG = f"first\nsecond\n{NEP50}\nlast\n"
BOOK = """\
schema: 1
signatures:
  - id: widget
    title: The widget broke
    cause: it is old
    fix: mend it
    messages: [{pattern: '%s'}]
    evidence: {source: our handbook, date: 2026-01-31, confidence: claimed}
    samples: ["%s"]
    near-misses: [the widget works]
"""


def explained(root: Path, data: bytes | str, name: str = "run.log") -> Said:
    (root / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return process(["explain", name], root)


def piped(root: Path, data: bytes, *arguments: str) -> Said:
    done = subprocess.run(
        [ENVBUILD, "explain", *arguments],
        cwd=root,
        env=environment(root),
        input=data,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


def own(root: Path, text: str) -> None:
    folder = root / "knowledge" / "signatures"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ours.yaml").write_text(text)


def assert_found(said: Said, *, line: int = 3) -> None:
    assert said.exit == 0, said.stderr
    assert "numpy-releases-mixed" in said.stdout
    assert f"{line} | {NEP50}" in said.stdout


FORMS = {
    "plain": LOG.encode(),
    "crlf": LOG.replace("\n", "\r\n").encode(),
    "gzip": gzip.compress(LOG.encode()),
    "gzip-members": gzip.compress(LOG[:30].encode()) + gzip.compress(LOG[30:].encode()),
    "zstd": zstd.compress(LOG.encode()),
    "zstd-frames": zstd.compress(LOG[:30].encode()) + zstd.compress(LOG[30:].encode()),
    "utf-8-bom": LOG.encode("utf-8-sig"),
    "utf-16-le": b"\xff\xfe" + LOG.encode("utf-16-le"),
    "utf-16-be": b"\xfe\xff" + LOG.encode("utf-16-be"),
    "utf-16-in-gzip": gzip.compress(b"\xff\xfe" + LOG.encode("utf-16-le")),
    "colours": LOG.replace("'numpy'", "\x1b[1;31m'numpy'\x1b[0m").encode(),
    "not-utf-8": b"\xff\xc3\x28\n\xe2\x82\n" + LOG[len("first\nsecond\n") :].encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_log_is_read(tmp_path, form):
    assert_found(explained(tmp_path, FORMS[form]))


@pytest.mark.parametrize("form", ["plain", "gzip", "utf-16-le"])
@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_standard_input_is_read(tmp_path, form, arguments):
    said = piped(tmp_path, FORMS[form], *arguments)
    assert_found(said)
    assert said.stdout.startswith("standard input: 4 lines, 1 known failure")


def test_a_truncated_gzip_is_explained_as_far_as_it_goes(tmp_path):
    whole = gzip.compress(LOG.encode() + os.urandom(40_000))
    said = explained(tmp_path, whole[: len(whole) // 2])
    assert_found(said)
    assert "warning: the gzip stream is cut off after" in said.stderr


def test_a_broken_gzip_and_a_broken_zstd_say_so(tmp_path):
    for pack, name in ((gzip.compress, "gzip"), (zstd.compress, "zstd")):
        whole = pack((LOG + os.urandom(400_000).hex()).encode())
        broken = whole[:200_000] + b"\xff" * 200_000
        said = explained(tmp_path, broken)
        assert said.exit == 0
        assert f"warning: the {name} stream is" in said.stderr


def test_a_small_gzip_of_a_huge_log_needs_no_memory(tmp_path):
    limit = "import resource,os,sys;resource.setrlimit(resource.RLIMIT_AS,(400<<20,400<<20));"
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(b"\0" * (600 << 20)))
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{limit}os.execv({ENVBUILD!r},{[ENVBUILD, 'explain', 'bomb.gz']!r})",
        ],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "no failure that is known" in done.stdout


def test_binary_junk_is_no_failure_of_ours(tmp_path):
    said = explained(tmp_path, os.urandom(300_000) + b"\n" + NEP50.encode())
    assert said.exit == 0
    assert "numpy-releases-mixed" in said.stdout
    assert "Traceback" not in said.stderr


def test_the_lines_of_two_processes(tmp_path):
    said = explained(
        tmp_path,
        "[a] ValueError: numpy.dtype size changed, may indicate binary incompatibility.\n"
        "[b] epoch 1\n"
        "[a] Expected 96 from C header, got 88 from PyObject\n",
    )
    assert "numpy-2-over-1" in said.stdout
    assert "1 | [a] ValueError" in said.stdout
    assert "3 | [a] Expected 96" in said.stdout


def test_a_log_that_is_still_growing_comes_to_an_end(tmp_path):
    log = tmp_path / "run.log"
    log.write_text(LOG)
    stop = threading.Event()

    def grow() -> None:
        with log.open("a") as file:
            while not stop.is_set():
                file.write("step\n" * 1000)
                file.flush()
                time.sleep(0.001)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        assert_found(process(["explain", "run.log"], tmp_path))
    finally:
        stop.set()
        writer.join()


def test_an_empty_log(tmp_path):
    assert explained(tmp_path, "").stdout == "run.log: empty\n"
    assert piped(tmp_path, b"").stdout == "standard input: empty\n"


def test_nothing_known_is_said_and_the_nearest_lines_are_named(tmp_path):
    said = explained(tmp_path, "one\nthe frobnicator failed: code 7\nthree\n")
    assert said.exit == 0
    assert said.stdout == (
        "run.log: 3 lines, no failure that is known\n\n"
        "the last lines that look like a failure:\n"
        "  2 | the frobnicator failed: code 7\n"
    )


def test_a_general_message_is_marked_as_one(tmp_path):
    said = explained(tmp_path, "ImportError: cannot import name 'x' from 'y'\n")
    assert "no failure that is known, 1 general message" in said.stdout
    assert "generic: many causes end in this message" in said.stdout


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.log", "none.log does not exist"),
        ("folder", "folder is a folder, not a log"),
        ("run.log/deeper", "run.log/deeper cannot be read"),
        ("bad\0name", "cannot be read"),
    ],
)
def test_a_log_that_is_none(tmp_path, monkeypatch, name, words):
    from tests.cli.running import inside

    (tmp_path / "folder").mkdir()
    (tmp_path / "run.log").write_text("x")
    said = inside(["explain", name], tmp_path, monkeypatch)
    assert said.exit == 2
    assert words in said.stderr
    assert said.stdout == ""


def test_a_log_that_may_not_be_read(tmp_path):
    (tmp_path / "run.log").write_text("x")
    (tmp_path / "run.log").chmod(0)
    said = process(["explain", "run.log"], tmp_path, plain_rights=True)
    assert said.exit == 2
    assert "run.log cannot be read: permission denied" in said.stderr


def test_standard_input_that_is_closed(tmp_path):
    done = subprocess.run(
        ["sh", "-c", f"exec {ENVBUILD} explain <&-"],
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "standard input is closed" in done.stderr


def test_json(tmp_path):
    (tmp_path / "run.log").write_text(LOG)
    said = process(["explain", "--json", "run.log"], tmp_path)
    found = json.loads(said.stdout)
    assert (found["log"], found["lines"]) == ("run.log", 4)
    (finding,) = found["findings"]
    assert finding["id"] == "numpy-releases-mixed"
    assert finding["lines"] == [{"line": 3, "text": NEP50}]
    assert finding["evidence"]["source"]


def test_secrets_do_not_come_back(tmp_path):
    text = "GET https://me:s3cret@host/x token=abc123 failed: CUDA out of memory\n"
    said = explained(tmp_path, text)
    assert "gpu-no-memory" in said.stdout
    assert "s3cret" not in said.stdout
    assert "abc123" not in said.stdout


def test_a_signature_of_ones_own(tmp_path):
    own(tmp_path, BOOK % ("widget broke", "the widget broke"))
    said = explained(tmp_path, "x\nthe widget broke again\n")
    assert "1. widget: The widget broke" in said.stdout
    assert "2 | the widget broke again" in said.stdout


def test_a_pattern_of_ones_own_that_would_hang_other_engines(tmp_path):
    own(tmp_path, BOOK % ("^(a+)+$", "aaaa"))
    started = time.monotonic()
    said = explained(tmp_path, "a" * 200_000 + "!\n" + "aaaa\n" + "a" * 500_000)
    assert time.monotonic() - started < 30
    assert said.exit == 0
    assert "widget" in said.stdout
    assert "2 | aaaa" in said.stdout


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (BOOK % (r"(a)\1", "aa"), "7:17", "RE2 refuses the pattern: invalid escape sequence"),
        (BOOK % ("(?=x)y", "xy"), "7:17", "RE2 refuses the pattern: invalid perl operator"),
        (BOOK % ("widget(", "widget("), "7:17", "RE2 refuses the pattern: missing )"),
        (BOOK % (".*", "x"), "7:17", "expected"),
        (BOOK % ("x?y?z?", "x"), "7:17", "the pattern matches any line"),
        (BOOK % ("widget broke", "nothing"), "3:5", "does not match its own sample 'nothing'"),
        (BOOK % ("widget", "the widget"), "3:5", "matches its near miss 'the widget works'"),
        ("schema: 1\nsignatures: [", "3:1", "a value is expected here"),
        (BOOK.replace("cause:", "cuase:") % ("x y z", "x y z"), "5:5", "cuase"),
        ("schema: 1\nsignatures:\n  - id: x\n    id: y\n", "4:5", ""),
        ("schema: 2\nsignatures: []\n", "1:1", ""),
    ],
)
def test_a_broken_file_of_ones_own_is_shown_at_its_place(tmp_path, text, place, words):
    own(tmp_path, text)
    said = explained(tmp_path, LOG)
    assert said.exit == 2
    assert said.stdout == ""
    assert f"knowledge/signatures/ours.yaml:{place}: error: " in said.stderr
    assert words in said.stderr
