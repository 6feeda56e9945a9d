"""Commands that print data and talk: both bounded, whatever they say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from envbuild.errors import ToolError
from envbuild.tools import hearing, turns
from envbuild.tools.orphans import PARENT, told
from envbuild.tools.proc import Command

ENVIRONMENT = (("PATH", os.environ["PATH"]),)


def command(script: str) -> Command:
    return Command(argv=(sys.executable, "-c", script), environment=ENVIRONMENT, timeout=60)


def test_data_is_whole_and_talk_is_heard_line_by_line(tmp_path):
    said = []
    script = "import sys; print('{\"a\": 1}'); print('one\\ntoken=abcdef\\rtwo', file=sys.stderr)"
    heard = hearing.hear(command(script), str(tmp_path / "logs/x.log"), said.append)
    assert heard.answer == b'{"a": 1}\n'
    assert heard.last == ("one", "two") == tuple(said)
    log = (tmp_path / "logs/x.log").read_text().splitlines()
    assert log[0].startswith("$ ")
    assert log[1:] == ["one", "two"]


def test_a_flood_of_talk_keeps_both_ends(tmp_path):
    script = "import sys\nfor n in range(400000): sys.stderr.write(f'line {n} ' + 'x' * 40 + '\\n')"
    heard = hearing.hear(command(script), str(tmp_path / "x.log"), lambda _: None)
    log = (tmp_path / "x.log").read_text().splitlines()
    assert heard.size > 18_000_000
    assert (tmp_path / "x.log").stat().st_size < hearing.HEAD + hearing.TAIL + 4096
    assert any(line.startswith("line 0 ") for line in log[:5])
    assert log[-1].startswith("line 399999 ")
    (cut,) = [line for line in log if line.startswith("[…")]
    assert "bytes are left out here" in cut


def test_a_line_without_an_end_takes_no_memory(tmp_path):
    script = "import sys\nfor n in range(200): sys.stderr.write('x' * 100000)"
    heard = hearing.hear(command(script), str(tmp_path / "x.log"), lambda _: None)
    assert heard.size == 20_000_000
    assert max(map(len, heard.last)) < 256 << 10


def test_an_answer_that_is_too_long_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(hearing, "ANSWER", 1000)
    heard = hearing.hear(command("print('x' * 5000)"), str(tmp_path / "x.log"), lambda _: None)
    assert heard.answer is None


def test_a_program_that_is_missing_says_so_in_the_log(tmp_path):
    missing = Command(argv=("/no/such/program",), environment=())
    heard = hearing.hear(missing, str(tmp_path / "x.log"), lambda _: None)
    assert heard.outcome.missing
    assert "no such file" in (tmp_path / "x.log").read_text()


def test_a_log_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolError, match="cannot be written"):
        hearing.hear(command("pass"), str(tmp_path / "file/x.log"), lambda _: None)
    with pytest.raises(ToolError, match="cannot be written"):
        hearing.add(str(tmp_path / "file/x.log"), ["x"])


def test_one_alone_at_once(tmp_path):
    path = f"{tmp_path}/.envbuild/nightly/lock"
    with (
        turns.at_once(path, what="a night"),
        pytest.raises(ToolError, match=rf"a night runs here already \(process {os.getpid()}\)"),
        turns.at_once(path, what="a night"),
    ):
        pass
    with turns.at_once(path, what="a night"):
        assert (tmp_path / ".envbuild/.gitignore").exists()


_PARENT = """
import os, subprocess, sys, time
child = "import os, sys, time; from envbuild.tools import orphans; " \\
    "orphans.end_with_parent(os.environ['%s']); print('ready', flush=True); time.sleep(60)"
process = subprocess.Popen([sys.executable, "-c", child], start_new_session=True,
    stdout=subprocess.PIPE, env={**os.environ, '%s': str(os.getpid())})
process.stdout.readline()
print(process.pid, flush=True)
time.sleep(60)
"""


def gone(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_child_ends_with_a_parent_that_was_killed():
    script = _PARENT % (PARENT, PARENT)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not gone(child)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while not gone(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert gone(child)


def test_whose_parent_is_gone_already_ends_at_once():
    script = "from envbuild.tools import orphans; orphans.end_with_parent('1' * 9); print('alive')"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == -signal.SIGTERM
    assert done.stdout == b""


def test_who_waits_for_the_file_of_children_waits_for_their_end(tmp_path):
    held = str(tmp_path / "stages")
    script = (
        "import os, sys, time; from envbuild.tools import orphans; "
        "orphans.end_with_parent(os.environ['P']); print('ready', flush=True); time.sleep(60)"
    )
    own = {**os.environ, "P": told(os.getpid(), held)}
    with subprocess.Popen([sys.executable, "-c", script], env=own, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        heard: list[str] = []
        with pytest.raises(ToolError, match=f"held by process {child.pid}"):
            turns.released(held, waiting=heard.append, timeout=0.1)
        assert heard == [str(child.pid)]
        child.kill()
        turns.released(held, waiting=heard.append, timeout=20)
