"""Failing checks and their causes: one for each failure, in whatever order its messages came."""

from __future__ import annotations

import itertools

import pytest

from envbuild.knowledge import signaturebook
from envbuild.smoke import causes
from envbuild.smoke.causes import Evidence
from envbuild.smoke.model import CheckResult

NEP50 = "AttributeError: module 'numpy' has no attribute '_no_nep50_warning'"
DTYPE = (
    "ValueError: numpy.dtype size changed, may indicate binary incompatibility. "
    "Expected 96 from C header, got 88 from PyObject"
)
BROADCAST = "ImportError: cannot import name 'broadcast_to' from 'numpy.lib.stride_tricks' (/x)"
TWO_PATHS = (
    'File "/isaac-sim/kit/python/lib/python3.11/site-packages/numpy/__init__.py", line 340, in x\n'
    'File "/isaac-sim/extscache/a/pip_prebundle/numpy/random/__init__.py", line 180, in <module>'
)
COPIES = "NumPy 2.2.6 (/a/site-packages) stands before NumPy 1.26.0 (/b/pip_prebundle)"


def check(name, reason, *, test="numpy-first", verdict="fail", lines=()):
    return CheckResult(test=test, name=name, verdict=verdict, reason=reason, lines=lines)


def explained(*checks, **logs):
    evidence = Evidence(
        checks=checks,
        logs=tuple((name.replace("_", "-"), (text.encode(),)) for name, text in logs.items()),
    )
    found = causes.explain(evidence, signaturebook.shipped)
    return {one.id: one.diagnosis for one in found.checks}, found.causes


@pytest.mark.parametrize("order", [*itertools.permutations((NEP50, DTYPE, BROADCAST))])
@pytest.mark.parametrize("traced", ["", TWO_PATHS])
def test_the_three_errors_of_a_mixed_numpy_are_one_whichever_came_first(order, traced):
    checks = [
        check(f"import:{number}", text, lines=(*traced.splitlines(), text))
        for number, text in enumerate(order)
    ]
    named, found = explained(check("numpy-copies", COPIES, test="static"), *checks)
    assert {*named.values()} == {"numpy-2-over-1"}
    assert [one.id for one in found] == ["numpy-2-over-1"]
    assert len(found[0].checks) == 4


@pytest.mark.parametrize("text", [NEP50, DTYPE, BROADCAST])
def test_one_of_them_beside_the_counted_modules_is_the_same(text):
    mixed = "modules of NumPy 1.26.0 run under NumPy 2.2.6: 65 of 155 come from /b"
    named, _ = explained(check("import:x", text), check("numpy-one-root", mixed))
    assert {*named.values()} == {"numpy-2-over-1"}


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (
            "modules of NumPy 1.26.0 run under NumPy 1.26.4: 25 of 120 come from /b",
            "numpy-minor-mix",
        ),
        ("modules of NumPy 2.3.1 run under NumPy 1.26.0: 5 of 120 come from /b", "numpy-1-over-2"),
        (COPIES, "numpy-2-over-1"),
        ("NumPy 1.26.4 (/a) stands before NumPy 1.26.0 (/b)", "numpy-minor-mix"),
        ("NumPy 1.26.4 of /a/numpy runs, and not 1.26.0", "image-not-as-locked"),
        (
            "3 of 9 packages are not as they are locked: a 1.0 is not installed",
            "image-not-as-locked",
        ),
        (
            "packaging 23.0 of the bundle is replaced or shadowed by 22.0 (/b)",
            "archive-package-removed",
        ),
        (
            "1 modules do not work under NumPy 2: /x/w.so was made with a pybind11 before 2.12: it …",
            "numpy-2-writer",
        ),
        (
            "a command becomes its arguments: /isaac-sim/runheadless.sh python …",
            "entrypoint-swallows-command",
        ),
        ("the test did not end within 900 s and was stopped in launch", "test-hung"),
        ("the kernel killed the test: out of memory in the container (oom_kill)", "out-of-memory"),
        ("the disk is full, No space left on device: /tmp", "disk-full"),
        ("a process outlives the test: kit", "process-outlives-test"),
        ("the test wrote no verdict in launch: it ended with status 0", "ended-without-verdict"),
        ("torch 2.7.0+cu126 has no code for sm_120; it has sm_80", "gpu-not-in-torch"),
        (
            "the app was started without cameras (/isaaclab/cameras_enabled is not set): every …",
            "camera-flag-missing",
        ),
        ("libcarb.so: cannot allocate memory in static TLS block", "static-tls"),
    ],
)
def test_the_words_of_a_check_have_a_cause(reason, cause):
    named, found = explained(check("x", reason))
    assert named == {"numpy-first/x": cause}
    assert [one.id for one in found] == [cause]


def test_a_hang_at_a_question_is_the_question():
    prompt = "Do you accept the EULA? (Yes/No):"
    named, found = explained(
        check("verdict", "the test did not end within 4 s and was stopped in launch"),
        numpy_first=prompt,
    )
    assert named == {"numpy-first/verdict": "eula-prompt"}
    assert found[0].also == ("test-hung",)


def test_what_only_the_log_shows_explains_a_check_that_says_nothing_known():
    named, _ = explained(check("launch", "RuntimeError: it failed"), numpy_first=DTYPE)
    assert named == {"numpy-first/launch": "numpy-2-over-1"}


def test_the_log_of_one_test_explains_no_check_of_another():
    named, _ = explained(check("launch", "RuntimeError: it failed"), app_first=DTYPE)
    assert named == {"numpy-first/launch": ""}


def test_a_close_that_hangs_has_its_cause_and_a_warning_about_nothing_known_has_none():
    named, _ = explained(
        check("close", "close() did not return within 60 s: the process was ended", verdict="warn"),
        check("lock", "the image has no label", test="image", verdict="warn"),
    )
    assert named == {"numpy-first/close": "crash-at-exit", "image/lock": ""}


def test_where_nothing_failed_no_signature_is_read():
    def read():
        raise AssertionError("nothing failed")

    evidence = Evidence(checks=(check("x", "fine", verdict="pass"),))
    assert causes.explain(evidence, read).causes == ()


def test_two_failures_have_two_causes():
    named, found = explained(
        check("verdict", "the disk is full, No space left on device: /tmp", test="a"),
        check("import:x", DTYPE, test="b"),
    )
    assert named == {"a/verdict": "disk-full", "b/import:x": "numpy-2-over-1"}
    assert len(found) == 2
