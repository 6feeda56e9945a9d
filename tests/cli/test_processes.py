"""What only a process of its own can show: signals, pipes, the ways to start envbuild."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli import samples
from tests.cli.running import ENVBUILD, environment


class Waiting:
    """``envbuild show slow`` that waits in the middle of its work: its profile is a pipe."""

    def __init__(self, root: Path) -> None:
        text = samples.profile(root, "slow").read_text()
        self._text = text.encode()
        self._pipe = -1
        (root / "envs/slow.yaml").unlink()
        os.mkfifo(root / "envs/slow.yaml")
        self.process = subprocess.Popen(
            [ENVBUILD, "show", "slow"],
            cwd=root,
            env=environment(root),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._pipe = self._opened(str(root / "envs/slow.yaml"))

    def _opened(self, path: str) -> int:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads it yet
                time.sleep(0.01)
        raise AssertionError("the profile was never opened")

    def go_on(self) -> None:
        os.write(self._pipe, self._text)
        self.close()

    def close(self) -> None:
        os.close(self._pipe)

    def end(self) -> tuple[int, str, str]:
        try:
            out, err = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode, out, err


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_command_in_order(tmp_path: Path, sign: signal.Signals) -> None:
    waiting = Waiting(tmp_path)
    waiting.process.send_signal(sign)
    waiting.close()  # a signal just before the read would not end that
    status, out, err = waiting.end()
    assert (status, out) == (130, "")
    assert err.strip() == "error: interrupted: nothing is half written"


def test_nobody_reads_the_data(tmp_path: Path) -> None:
    waiting = Waiting(tmp_path)
    assert waiting.process.stdout is not None
    waiting.process.stdout.close()
    waiting.process.stdout = None
    waiting.go_on()
    status, _, err = waiting.end()
    assert (status, err) == (0, "")


def test_nobody_reads_the_talk(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [ENVBUILD, "show", "nothing"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stderr=writer,
        stdout=writer,
        timeout=20,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 0


def test_it_waits_and_goes_on(tmp_path: Path) -> None:
    waiting = Waiting(tmp_path)
    waiting.go_on()
    status, out, err = waiting.end()
    assert (status, err) == (0, "")
    assert out.startswith("# slow, variant linux-amd64-cpu\n")


def test_python_minus_m(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "envbuild", "lst"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: no such command: lst\n  hint: did you mean list?\n"


def test_a_stdout_without_unicode(tmp_path: Path) -> None:
    path = samples.profile(tmp_path, "one")
    path.write_text(path.read_text().replace("of the tests", "of the t\u00e9sts"), encoding="utf-8")
    done = subprocess.run(
        [ENVBUILD, "show", "one"],
        cwd=tmp_path,
        env={**environment(tmp_path), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"of the t\xe9sts" in done.stdout
