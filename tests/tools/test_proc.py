"""Real processes: output, time, signals, and what is left when they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from envbuild.tools import interrupts, proc
from envbuild.tools.proc import Command, Outcome, Processes

ENVIRONMENT = (("PATH", os.defpath),)


def shell(script: str, *, timeout: float = 30.0, stdin: str = "") -> Outcome:
    command = Command(
        argv=("sh", "-c", script), environment=ENVIRONMENT, timeout=timeout, stdin=stdin
    )
    return proc.run(command)


def gone(number: int) -> bool:
    """Whether a process ends within five seconds (a zombie that nobody waits for has ended)."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if path.exists() and path.read_text().endswith("\n"):
            return path.read_text().strip()
        time.sleep(0.01)
    raise AssertionError(f"{path} was never written")


def test_both_streams_come_whole() -> None:
    for _ in range(20):
        done = shell("seq 1 20000; seq 1 20000 >&2; printf 'no newline'")
        assert done.stdout.split("\n")[19999:] == ["20000", "no newline"]
        assert done.stderr.count("\n") == 20000
        assert (done.code, done.missing, done.timed_out) == (0, False, False)


def test_standard_input_is_given_whole_or_closed() -> None:
    text = "é" * 300_000
    assert shell("cat", stdin=text).stdout == text
    assert shell("cat").stdout == ""
    assert shell("exit 3", stdin=text).code == 3


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert shell(r"printf 'a\377b'").stdout == "a�b"


def test_the_environment_is_the_whole_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    command = Command(argv=("env",), environment=(("A", "1"), ("PATH", os.defpath)))
    assert sorted(proc.run(command).stdout.split()) == ["A=1", f"PATH={os.defpath}"]


def test_the_folder(tmp_path: Path) -> None:
    command = Command(argv=("pwd",), environment=ENVIRONMENT, cwd=str(tmp_path))
    assert proc.run(command).stdout == f"{tmp_path}\n"


def test_a_folder_that_is_not_there_is_no_missing_program(tmp_path: Path) -> None:
    command = Command(argv=("pwd",), environment=ENVIRONMENT, cwd=str(tmp_path / "no"))
    done = proc.run(command)
    assert (done.code, done.missing) == (126, False)
    assert done.stderr == f"{tmp_path}/no: no such file or directory"


@pytest.mark.parametrize("program", ["no-such-program", "/etc/passwd", "/etc/passwd/x"])
def test_a_missing_program_is_an_outcome(program: str) -> None:
    done = proc.run(Command(argv=(program,), environment=ENVIRONMENT))
    assert (done.code, done.missing) == (127, True)
    assert done.stderr.startswith(f"{program}: ")


def test_no_shell_reads_the_arguments() -> None:
    done = proc.run(Command(argv=("echo", "$HOME; `id` *"), environment=ENVIRONMENT))
    assert done.stdout == "$HOME; `id` *\n"


@pytest.mark.parametrize(
    ("ignored", "code"), [("", -signal.SIGINT), ("INT", -signal.SIGTERM)], ids=["int", "term"]
)
def test_a_timeout_ends_the_program(ignored: str, code: int) -> None:
    done = shell(f"echo before; trap '' {ignored or 'USR1'}; sleep 60", timeout=0.3)
    assert (done.timed_out, done.code, done.stdout) == (True, code, "before\n")
    assert done.seconds < 10


def test_a_program_that_ignores_everything_is_killed_with_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"trap '' INT TERM; sleep 60 & echo $! > {pid}; while :; do sleep 1; done"
    done = shell(script, timeout=0.3)
    assert (done.timed_out, done.code) == (True, -signal.SIGKILL)
    assert gone(int(wait_for(pid)))


def test_children_left_behind_do_not_hold_us_and_are_ended(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    done = shell(f"sleep 60 & echo $! > {pid}; echo done")
    assert (done.code, done.stdout, done.timed_out) == (0, "done\n", False)
    assert done.seconds < 10
    assert gone(int(wait_for(pid)))


def test_a_program_that_closes_its_streams_is_waited_for() -> None:
    done = shell("exec >&- 2>&-; sleep 0.5; exit 7")
    assert done.code == 7
    assert done.seconds >= 0.5


def test_a_stop_from_another_thread_ends_all_and_starts_no_more() -> None:
    owner = Processes()
    command = Command(argv=("sleep", "60"), environment=ENVIRONMENT)
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(owner.run(command))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    owner.stop_all()
    for thread in threads:
        thread.join(timeout=10)
    assert [outcome.code for outcome in outcomes] == [-signal.SIGINT] * 3
    after = owner.run(command)
    assert (after.code, after.seconds) == (-signal.SIGINT, 0.0)


def test_ctrl_c_ends_the_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = (
        "from envbuild.tools.proc import Command, run\n"
        f"run(Command(argv=('sh', '-c', 'echo $$ > {pid}; exec sleep 60'),"
        f" environment={ENVIRONMENT!r}))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    child = int(wait_for(pid))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert "KeyboardInterrupt" in said
    assert gone(child)


def test_a_signal_waits_for_the_lines_that_may_not_be_cut() -> None:
    steps = []

    def interrupted() -> None:
        with interrupts.held():
            os.kill(os.getpid(), signal.SIGINT)
            steps.append("to its end")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert steps == ["to its end"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_child_is_in_a_group_of_its_own() -> None:
    done = shell("ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat")
    assert int(done.stdout) != os.getpgid(0)


def test_many_at_once_from_many_threads() -> None:
    outcomes: list[Outcome] = []

    def work(number: int) -> None:
        outcomes.extend(shell(f"echo {number}") for _ in range(10))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(outcome.stdout) for outcome in outcomes) == sorted([*range(8)] * 10)
