"""Commands that are heard line by line: order, log, masks, and nothing lost at the end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from envbuild.errors import ToolError
from envbuild.tools import following, proc
from envbuild.tools.following import follow
from envbuild.tools.proc import Command

from .test_proc import ENVIRONMENT, gone, wait_for


def shell(script: str, *, timeout: float = 30.0) -> Command:
    return Command(argv=("sh", "-c", script), environment=ENVIRONMENT, timeout=timeout)


def test_each_line_is_heard_and_logged(tmp_path: Path) -> None:
    heard: list[str] = []
    log = tmp_path / "deep/er/log"
    command = shell("echo one; echo two >&2; printf three")
    done = follow(command, str(log), heard.append)
    assert done.code == 0
    assert sorted(heard) == ["one", "three", "two"]
    assert (done.stdout, done.stderr) == ("one\nthree\n", "two\n")
    first, *rest = log.read_text().splitlines()
    assert first == f"$ {command.text()}"
    assert rest == heard


def test_both_streams_come_whole_into_the_log_and_their_ends_into_the_outcome(
    tmp_path: Path,
) -> None:
    heard: list[str] = []
    done = follow(shell("seq 1 20000; seq 1 20000 >&2"), str(tmp_path / "log"), heard.append)
    assert len(heard) == 40000
    assert len((tmp_path / "log").read_text().splitlines()) == 40001
    for text in (done.stdout, done.stderr):
        assert text.split() == [str(n) for n in range(20001 - following.LAST, 20001)]


def test_a_line_is_on_disk_before_the_next_comes(tmp_path: Path) -> None:
    log, seen = tmp_path / "log", []
    follow(
        shell("echo first; sleep 0.3; echo second"),
        str(log),
        lambda line: seen.append((line, log.read_text().splitlines()[-1])),
    )
    assert seen == [("first", "first"), ("second", "second")]


def test_secrets_are_masked_everywhere(tmp_path: Path) -> None:
    heard: list[str] = []
    script = "echo https://me:open@host/x; echo token=abc >&2"
    done = follow(shell(script), str(tmp_path / "log"), heard.append)
    assert sorted(heard) == ["https://***@host/x", "token=***"]
    assert (done.stdout, done.stderr) == ("https://***@host/x\n", "token=***\n")
    assert "open" not in (tmp_path / "log").read_text()


def test_of_a_line_written_over_the_last_is_taken(tmp_path: Path) -> None:
    heard: list[str] = []
    follow(shell(r"printf '10%%\r50%%\r100%%\r\nnext\r\n'"), str(tmp_path / "log"), heard.append)
    assert heard == ["100%", "next"]


def test_a_line_without_an_end_is_cut_and_nothing_of_it_lost(tmp_path: Path) -> None:
    heard: list[str] = []
    follow(shell("head -c 1000000 /dev/zero | tr '\\0' x"), str(tmp_path / "log"), heard.append)
    assert len(heard) > 1
    assert "".join(heard) == "x" * 1_000_000


def test_the_log_is_continued(tmp_path: Path) -> None:
    log = str(tmp_path / "log")
    for word in ("one", "two"):
        follow(shell(f"echo {word}"), log, lambda _: None)
    lines = Path(log).read_text().splitlines()
    assert [line for line in lines if not line.startswith("$ ")] == ["one", "two"]


def test_a_missing_program_is_an_outcome_and_logged(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = Command(argv=("no-such-program",), environment=ENVIRONMENT)
    done = follow(command, str(log), lambda _: None)
    assert (done.code, done.missing) == (127, True)
    assert log.read_text().splitlines()[1].startswith("no-such-program: ")


def test_what_the_callback_raises_comes_out_when_the_command_has_ended(tmp_path: Path) -> None:
    heard: list[str] = []

    def hear(line: str) -> None:
        heard.append(line)
        raise ValueError(line)

    with pytest.raises(ValueError, match="one"):
        follow(shell("echo one; sleep 0.2; echo two"), str(tmp_path / "log"), hear)
    assert heard == ["one"]
    assert (tmp_path / "log").read_text().splitlines()[1:] == ["one", "two"]


def test_a_log_that_cannot_be_written_is_refused_before_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    mark = tmp_path / "started"
    with pytest.raises(ToolError, match="cannot be written"):
        follow(shell(f"touch {mark}"), str(tmp_path / "file/log"), lambda _: None)
    assert not mark.exists()


def test_a_full_disk_does_not_end_the_command(tmp_path: Path) -> None:
    mark = tmp_path / "done"
    with pytest.raises(ToolError, match="no space left"):
        follow(shell(f"seq 1 2000; touch {mark}"), "/dev/full", lambda _: None)
    assert mark.exists()


def test_a_timeout_ends_it_and_keeps_what_was_said(tmp_path: Path) -> None:
    done = follow(shell("echo before; sleep 60", timeout=0.5), str(tmp_path / "log"), print)
    assert (done.timed_out, done.code, done.stdout) == (True, -signal.SIGINT, "before\n")
    assert (tmp_path / "log").read_text().endswith("before\n")


def test_ctrl_c_ends_the_command(tmp_path: Path) -> None:
    pid, log = tmp_path / "pid", tmp_path / "log"
    script = (
        "from envbuild.tools.following import follow\n"
        "from envbuild.tools.proc import Command\n"
        f"command = Command(argv=('sh', '-c', 'echo $$ > {pid}; echo said; exec sleep 60'),"
        f" environment={ENVIRONMENT!r})\n"
        f"follow(command, {str(log)!r}, lambda line: None)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    child = int(wait_for(pid))
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert "KeyboardInterrupt" in said
    assert gone(child)
    assert log.read_text().splitlines()[1:] == ["said"]


def test_a_command_that_tidies_up_runs_after_all_was_stopped() -> None:
    owner = proc.Processes()
    owner.stop_all()
    command = Command(argv=("echo", "tidy"), environment=ENVIRONMENT)
    assert owner.run(command).stopped
    assert proc.clean(command).stdout == "tidy\n"


def test_what_was_started_is_interrupted_before_the_program_itself() -> None:
    """As podman is: a signal to it would be its end, while a failed step lets it clean up."""
    script = "sh -c 'sleep 60'; echo cleaned; exit 3"
    for inner_first, said in ((True, "cleaned\n"), (False, "")):
        command = Command(
            argv=("sh", "-c", script),
            environment=ENVIRONMENT,
            timeout=0.4,
            inner_first=inner_first,
        )
        done = proc.run(command)
        assert (done.timed_out, done.stdout) == (True, said)
        assert done.code == (3 if inner_first else -signal.SIGINT)


def test_a_group_is_waited_for_when_its_first_process_has_ended(tmp_path: Path) -> None:
    """Its children may be ending something that lives outside of the group."""
    mark = tmp_path / "mark"
    child = (
        "import signal, sys, time\n"
        f"def end(*_): time.sleep(0.5); open({str(mark)!r}, 'w'); sys.exit()\n"
        "signal.signal(signal.SIGINT, end)\n"
        "time.sleep(60)\n"
    )
    first = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    command = Command(
        argv=(sys.executable, "-c", f"import signal; signal.signal(2, signal.SIG_DFL); {first}"),
        environment=ENVIRONMENT,
        timeout=0.5,
    )
    assert proc.run(command).code == -signal.SIGINT
    assert mark.exists()
