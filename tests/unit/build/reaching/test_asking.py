"""Findings from answers: each artifact once, what is lost, the exit status."""

from __future__ import annotations

from envbuild.build.reaching import asking
from envbuild.build.reaching.model import HERE, Answer, Asked, Finding, State
from envbuild.build.vendor.model import Artifact

A, B = "a" * 64, "b" * 64


def asked(name: str, answer: Answer = HERE, *, hashes: tuple[str, ...] = (A,)) -> Asked:
    return Asked(kind="wheel", name=name, version="1", ask=lambda: answer, hashes=hashes)


def found(state: State, *, vendored: bool = False, warning: str = "") -> Finding:
    return Finding(
        kind="wheel", name="x", version="1", file="", state=state, detail="", warning=warning,
        targets=("one/v",), vendored=vendored,
    )  # fmt: skip


def test_an_artifact_of_two_locks_is_asked_for_once() -> None:
    calls: list[int] = []

    def ask() -> Answer:
        calls.append(1)
        return HERE

    same = Asked(kind="wheel", name="x", version="1", ask=ask, hashes=(A,))
    seen: list[tuple[int, int]] = []
    (one,) = asking.findings(
        [("one/v", same), ("two/v", same)], lambda _: False, progress=lambda *so: seen.append(so)
    )
    assert (len(calls), one.targets, seen) == (1, ("one/v", "two/v"), [(1, 1)])


def test_findings_are_in_order_and_counted() -> None:
    gone = Answer(state="gone", detail="no such file")
    rows = [("one/v", asked("b", gone, hashes=(B,))), ("one/v", asked("a"))]
    answers = asking.findings(rows, lambda one: one.name == "b", progress=lambda *_: None)
    assert [(one.name, one.state, one.vendored, one.lost) for one in answers] == [
        ("a", "here", False, False),
        ("b", "gone", True, False),
    ]
    assert asking.counts(answers) == {"wheel": {"here": 1, "gone": 1}}


def test_the_exit_status() -> None:
    def status(*rows: Finding, strict: bool = False) -> int:
        return asking.exit_status(rows, strict=strict)

    assert status(found("here")) == 0
    assert status(found("unknown"), found("here")) == 3
    assert status(found("unknown"), found("gone")) == 1
    assert status(found("moved")) == 1
    assert status(found("gone", vendored=True)) == 0
    assert status(found("here", warning="yanked")) == 0
    assert status(found("here", warning="yanked"), strict=True) == 1


def test_what_a_folder_has() -> None:
    def artifact(kind: str, name: str, version: str, sha256: str) -> Artifact:
        return Artifact(
            kind=kind, name=name, version=version, sha256=sha256, size=1, file="f"  # type: ignore[arg-type]
        )  # fmt: skip

    has = asking.kept(
        [
            artifact("wheel", "x", "1", A),
            artifact("deb", "git", "1:2", B),
            artifact("python", "python", "3.11.13+20250807", B),
        ]
    )
    assert has(asked("x"))
    assert not has(asked("x", hashes=(B[:-1] + "c",)))

    def bare(kind: str, name: str, version: str) -> bool:
        return has(Asked(kind=kind, name=name, version=version, ask=lambda: HERE))  # type: ignore[arg-type]

    assert bare("deb", "git", "1:2")
    assert bare("deb", "git", "")
    assert not bare("deb", "git", "1:3")
    assert bare("python", "python", "3.11.13")
    assert not bare("python", "python", "3.12.1")
