"""The supervisor: the static stage, other Pythons, a folder that it cannot write to, a server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from envbuild.errors import ToolError
from envbuild.smoke import running
from envbuild.tools.proc import Command, Outcome
from tests.smoke_probes.fakes import (
    LAUNCH,
    PROBES,
    imports,
    intent,
    judged,
    run,
    site,
    static,
    trial,
)

ALL = ("packages", "bundle", "numpy-copies", "numpy-builds", "settings", "libraries", "vulkan")


def pythons() -> list[str]:
    """The interpreters of this machine that an image may have."""
    found = []
    homes = sorted(Path.home().glob(".pyenv/versions/3.*/bin/python3"))
    for path in (*map(str, homes), "/usr/bin/python3"):
        code = "import sys; sys.exit(sys.version_info < (3, 9))"
        if os.path.exists(path) and not subprocess.run([path, "-c", code], check=False).returncode:
            found.append(path)
    return found or [sys.executable]


@pytest.mark.parametrize("python", pythons(), ids=lambda path: path.split("/")[-3])
def test_the_probes_run_under_every_python_of_this_machine(tmp_path, python):
    asked = static(*ALL, packages={"not-there": "1.0"}, numpy="1.26.0")
    made = intent(trial(LAUNCH, *imports("json")), asked=asked)
    ran = run(made, tmp_path / "run", path=[site(tmp_path / "site", {})], python=python)
    found = judged(made, ran)
    assert found["image/interpreter"].verdict == "pass"
    assert found["static/packages"].reason.endswith("not-there 1.0 is not installed")
    assert not any("probes/" in line for one in found.values() for line in one.lines)
    assert {found[f"test-0/{name}"].verdict for name in ("launch", "import:json", "close")} == {
        "pass"
    }


def test_a_folder_that_cannot_be_written_is_told_of_at_once(tmp_path):
    made = intent(trial(*imports("json")))
    running.prepare(made, str(tmp_path / "run"))
    done = subprocess.run(
        [sys.executable, PROBES / "supervise.py", tmp_path / "run/plan.json", "/proc/self"],
        capture_output=True,
        text=True,
        check=False,
    )
    outcome = Outcome(
        command=Command(argv=()), code=1, stdout=done.stdout, stderr=done.stderr, seconds=0.0
    )
    with pytest.raises(ToolError, match="cannot write its verdicts"):
        running.read(made, outcome, str(tmp_path / "run/out"))


def test_files_of_another_user_can_be_read(tmp_path):
    made = intent(trial(*imports("json")))
    before = os.umask(0o077)
    try:
        run(made, tmp_path / "run")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o044 for path in (tmp_path / "run/out").iterdir()}
    del modes["started.json"]
    assert set(modes.values()) == {0o044}


def test_a_folder_is_made_anew_for_each_run(tmp_path):
    made = intent(trial(*imports("json")))
    run(made, tmp_path / "run")
    (tmp_path / "run/out/07.verdict.json").write_text("{}")
    running.prepare(made, str(tmp_path / "run"))
    assert not list((tmp_path / "run/out").iterdir())


def test_what_others_print_is_not_taken_for_the_probes_words():
    told, rest = running.events(
        f'hello\n{running.MARK}{{"event": "start"}}\n{running.MARK}nonsense'
    )
    assert [one.event for one in told] == ["start"]
    assert rest == "hello"


SERVER = """
    import http.server, sys
    class Quiet(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(204)
            self.end_headers()
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Quiet).serve_forever()
    """


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def served(tmp_path: Path, code: str, *, transport: str, deadline: float = 10.0):
    number = free_port()
    path = site(tmp_path / "site", {"server.py": code})
    step = {
        "check": "port",
        "do": "service-port",
        "port": number,
        "transport": transport,
        "argv": [sys.executable, str(path / "server.py"), str(number)],
        "deadline": deadline,
    }
    made = intent(trial(step))
    found = judged(made, run(made, tmp_path / "run", path=[path]))
    assert found["test-0/processes"].verdict == "pass"
    return found["test-0/port"], number


def test_a_server_is_started_asked_and_ended(tmp_path):
    one, number = served(tmp_path, SERVER, transport="http")
    assert one.verdict == "pass"
    assert one.reason == f"port {number}: HTTP/1.0 204 No Content"


def test_a_server_that_ends_is_told_of_with_its_status(tmp_path):
    one, number = served(tmp_path, "raise SystemExit(4)", transport="http")
    assert one.reason == f"the server does not listen on port {number}: it ended with 4"


def test_a_server_that_never_listens_is_not_waited_for_without_end(tmp_path):
    one, _ = served(tmp_path, "import time; time.sleep(60)", transport="zmq", deadline=0.5)
    assert one.reason.endswith("in time")
