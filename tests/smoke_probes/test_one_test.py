"""One test of an image: every way in which it may end, and what is said of it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
import pytest

from tests.smoke_probes import fakes
from tests.smoke_probes.fakes import LAUNCH, imports, intent, judged, run, site, trial


def outcome(tmp_path: Path, files: dict[str, str], one, **options):
    made = intent(one)
    ran = run(made, tmp_path / "run", path=[site(tmp_path / "site", files)], **options)
    return judged(made, ran), ran


def test_a_good_test_passes_every_check(tmp_path: Path):
    steps = (
        LAUNCH,
        {"check": "extensions", "do": "extensions", "extensions": ["omni.fine"]},
        *imports("json"),
    )
    found, ran = outcome(tmp_path, {}, trial(*steps))
    assert {one.verdict for one in found.values()} == {"pass"}, found
    assert found["test-0/launch"].reason == "isaacsim.SimulationApp"
    assert dict(ran.tests[0].logs)["out"] == b"app ready\nSimulation App Shutting Down\n"


def test_an_import_that_fails_is_told_with_its_traceback_and_the_next_is_still_tried(tmp_path):
    files = {"broken.py": "import json\nraise ValueError('no luck')"}
    found, _ = outcome(tmp_path, files, trial(*imports("broken", "json")))
    one = found["test-0/import:broken"]
    assert (one.verdict, one.reason) == ("fail", "ValueError: no luck")
    assert any("broken.py" in line for line in one.lines)
    assert not any("/probes/" in line for line in one.lines)
    assert found["test-0/import:json"].verdict == "pass"
    assert found["test-0/verdict"].verdict == "pass"


def test_what_comes_after_a_failed_start_is_not_run(tmp_path):
    files = {"isaacsim/__init__.py": "class SimulationApp:\n    def __init__(self, _): 1 / 0"}
    found, _ = outcome(tmp_path, files, trial(LAUNCH, *imports("json")))
    assert found["test-0/launch"].reason == "ZeroDivisionError: division by zero"
    assert found["test-0/import:json"].verdict == "not-run"


def test_an_extension_that_is_refused_fails(tmp_path):
    step = {"check": "extensions", "do": "extensions", "extensions": ["omni.fine", "omni.absent"]}
    found, _ = outcome(tmp_path, {}, trial(LAUNCH, step))
    assert found["test-0/extensions"].reason == "not enabled: omni.absent"


def test_an_extension_that_only_the_log_tells_of_fails(tmp_path):
    said = "[Error] [omni.ext._impl.custom_importer] Failed to import python module omni.bad"
    files = {"noisy.py": f"import sys\nprint('12 ' + {said!r}, file=sys.stderr)"}
    step = {"check": "extensions", "do": "extensions", "extensions": ["omni.fine"]}
    found, _ = outcome(tmp_path, files, trial(LAUNCH, step, *imports("noisy")))
    assert found["test-0/extensions"].verdict == "fail"
    assert found["test-0/extensions"].reason == said


def test_kits_own_log_is_read_where_it_was_written(tmp_path):
    log = tmp_path / "logs" / "Kit" / "kit_1.log"
    old = tmp_path / "logs" / "Kit" / "kit_0.log"
    old.parent.mkdir(parents=True)
    old.write_text("[Error] Failed to startup python extension omni.old")
    old_time = time.time() - 3600
    os.utime(old, (old_time, old_time))
    text = "[Error] [omni.ext.plugin] Failed to startup python extension omni.bad"
    files = {"logging_.py": f"open({str(log)!r}, 'w').write({text!r})"}
    step = {"check": "extensions", "do": "extensions", "extensions": []}
    one = trial(LAUNCH, step, *imports("logging_"))
    found, _ = outcome(
        tmp_path, files, msgspec.structs.replace(one, logs=(str(tmp_path / "logs"),))
    )
    assert found["test-0/extensions"].reason == text
    assert not any("omni.old" in line for line in found["test-0/extensions"].lines)


def test_a_hang_is_ended_and_its_threads_are_told_of_the_busy_one_too(tmp_path):
    files = {
        "hang.py": """
            import signal, threading
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            def busy_loop_of_ours():
                while True:
                    pass
            threading.Thread(target=busy_loop_of_ours, daemon=True).start()
            def waits_for_ever():
                threading.Event().wait()
            waits_for_ever()
            """
    }
    began = time.monotonic()
    found, _ = outcome(tmp_path, files, trial(*imports("json", "hang", "csv"), deadline=3.0))
    assert time.monotonic() - began < 15.0
    one = found["test-0/verdict"]
    assert one.reason == "the test did not end within 3 s and was stopped in import:hang"
    text = "\n".join(one.lines)
    assert "busy_loop_of_ours" in text
    assert "waits_for_ever" in text
    assert "thread " in text
    assert found["test-0/import:json"].verdict == "pass"
    assert found["test-0/import:hang"].verdict == "fail"
    assert found["test-0/import:csv"].verdict == "not-run"
    assert found["test-0/close"].verdict == "not-run"


def test_a_hang_that_holds_the_interpreter_is_ended_too(tmp_path):
    # a C function that PyDLL calls keeps the lock of the interpreter: no thread of Python runs
    files = {"hang.py": "import ctypes\nctypes.PyDLL(None).sleep(600)"}
    found, ran = outcome(tmp_path, files, trial(*imports("hang"), deadline=3.0))
    assert "was stopped in import:hang" in found["test-0/verdict"].reason
    assert "hang.py" in ran.tests[0].stacks


def test_a_close_that_never_returns_is_a_warning(tmp_path):
    files = {
        "isaacsim/__init__.py": """
            import time
            class SimulationApp:
                def __init__(self, _): pass
                def close(self):
                    while True:
                        time.sleep(1)
            """
    }
    found, ran = outcome(tmp_path, files, trial(LAUNCH, *imports("json"), close=0.5))
    assert found["test-0/close"].verdict == "warn"
    assert "close() did not return within 0.5 s" in found["test-0/close"].reason
    assert found["test-0/verdict"].verdict == "pass"
    assert found["test-0/import:json"].verdict == "pass"
    assert "in close" in ran.tests[0].stacks


def test_a_close_that_ends_with_status_0_hides_no_failure(tmp_path):
    files = {
        "isaacsim/__init__.py": """
            import os
            class SimulationApp:
                def __init__(self, _): pass
                def close(self): os._exit(0)
            """
    }
    found, ran = outcome(tmp_path, files, trial(LAUNCH, *imports("not_there")))
    assert ran.tests[0].ended.code == 0
    assert found["test-0/import:not_there"].verdict == "fail"
    assert (
        found["test-0/close"].reason == "its status is 0 although 1 check failed: it says nothing"
    )


def test_a_crash_after_the_verdict_is_a_warning(tmp_path):
    files = {
        "isaacsim/__init__.py": """
            import signal
            class SimulationApp:
                def __init__(self, _): pass
                def close(self): signal.raise_signal(signal.SIGSEGV)
            """
    }
    found, _ = outcome(tmp_path, files, trial(LAUNCH))
    assert found["test-0/close"].reason == "after its verdict it was ended by SIGSEGV"


@pytest.mark.parametrize("how", ["subprocess", "daemon"])
def test_a_child_that_outlives_its_parent_is_named_and_ended(tmp_path, how):
    start = {
        "subprocess": "subprocess.Popen(['sleep', '611'])",
        "daemon": (
            "subprocess.Popen([sys.executable, '-c', 'import os, time\\n"
            "if os.fork(): os._exit(0)\\nos.setsid()\\n"
            'if os.fork(): os._exit(0)\\nos.execvp("sleep", ["sleep", "611"])\'])'
            ".wait()"
        ),
    }[how]
    files = {"starts.py": f"import subprocess, sys\n{start}"}
    found, ran = outcome(tmp_path, files, trial(*imports("starts")))
    one = found["test-0/processes"]
    assert one.verdict == "fail"
    assert one.reason == "a process outlives the test: sleep 611"
    assert [left.name for left in ran.tests[0].ended.left] == ["sleep"]
    assert not fakes.alive(ran.tests[0].ended.left[0].pid)
    assert found["test-0/verdict"].verdict == "pass"


def test_a_question_on_standard_input_meets_its_end(tmp_path):
    files = {
        "isaacsim/__init__.py": """
            class SimulationApp:
                def __init__(self, _):
                    input("Do you accept the EULA? (Yes/No):")
            """
    }
    found, ran = outcome(tmp_path, files, trial(LAUNCH))
    assert found["test-0/launch"].reason == "EOFError: EOF when reading a line"
    assert b"Do you accept the EULA?" in dict(ran.tests[0].logs)["out"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("os._exit(0)", "the test wrote no verdict in import:ends: it ended with status 0"),
        ("os._exit(3)", "the test wrote no verdict in import:ends: it ended with status 3"),
        (
            "import signal; signal.raise_signal(signal.SIGSEGV)",
            "the test wrote no verdict in import:ends: ended by SIGSEGV",
        ),
        (
            "os.kill(os.getpid(), 9)",
            "the test wrote no verdict in import:ends: ended by SIGKILL, which the probes did not send: most often for want of memory",
        ),
    ],
)
def test_a_test_without_a_verdict_has_failed_whatever_its_status(tmp_path, code, said):
    found, _ = outcome(tmp_path, {"ends.py": f"import os\n{code}"}, trial(*imports("ends", "json")))
    assert found["test-0/verdict"].reason == said
    assert found["test-0/verdict"].verdict == "fail"
    assert found["test-0/import:json"].verdict == "not-run"


def test_a_call_of_exit_is_the_failure_of_its_check_alone(tmp_path):
    found, _ = outcome(
        tmp_path, {"ends.py": "raise SystemExit(0)"}, trial(*imports("ends", "json"))
    )
    assert found["test-0/import:ends"].reason == "SystemExit: 0"
    assert found["test-0/import:json"].verdict == "pass"


def test_a_verdict_that_another_has_written_is_none(tmp_path):
    files = {
        "forges.py": f"""
            import os
            open({str(tmp_path / "run" / "out" / "00.verdict.json")!r}, "w").write("{{}}")
            os._exit(0)
            """
    }
    found, _ = outcome(tmp_path, files, trial(*imports("forges")))
    assert "the verdict file cannot be read" in found["test-0/verdict"].reason


def test_the_tests_own_modules_win_over_those_of_the_probes(tmp_path):
    names = ("sites", "steps", "static", "wire", "results", "machine")
    files = {f"{name}.py": f"MINE = {name!r}\n__version__ = 'mine'" for name in names}
    found, _ = outcome(tmp_path, files, trial(*imports(*names)))
    assert {found[f"test-0/import:{name}"].reason for name in names} == {"mine"}


def test_the_seed_of_the_hashes_is_fixed_and_nothing_waits_on_standard_input(tmp_path):
    files = {
        "looks.py": """
            import os, sys
            __version__ = f"{sys.flags.hash_randomization} {sys.stdin.read()!r} {os.getsid(0) == os.getpid()}"
            """
    }
    found, _ = outcome(tmp_path, files, trial(*imports("looks")))
    assert found["test-0/import:looks"].reason == "0 '' True"


def test_a_snippet_runs_as_a_program(tmp_path):
    code = "import sys\nprint(__name__)\nassert 1 + 1 == 3, 'not three'"
    step = {"check": "code", "do": "code", "code": code, "file": "mine.py"}
    found, ran = outcome(tmp_path, {}, trial(step))
    assert found["test-0/code"].reason == "AssertionError: not three"
    assert any('File "mine.py", line 3' in line for line in found["test-0/code"].lines)
    assert dict(ran.tests[0].logs)["out"] == b"__main__\n"


def test_each_test_has_a_process_of_its_own(tmp_path):
    files = {"counts.py": "import os\n__version__ = str(os.getpid())"}
    made = intent(trial(*imports("counts")), trial(*imports("counts")))
    ran = run(made, tmp_path / "run", path=[site(tmp_path / "site", files)])
    found = judged(made, ran)
    assert found["test-0/import:counts"].reason != found["test-1/import:counts"].reason
