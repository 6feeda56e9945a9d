"""What ``envbuild lock`` says when there is no solution, and the ways out that it offers."""

from __future__ import annotations

import json

from tests.support.index import PackageIndex
from tests.support.workspace import Folder


def test_an_unsatisfiable_profile_is_explained_and_the_others_are_written(folder: Folder) -> None:
    folder.profile("bad", "alpha", "delta", "gamma")
    folder.profile("good", "delta")
    done = folder.run("lock")
    assert done.returncode == 1
    assert "bad/linux-amd64-cu128: no set of versions satisfies every requirement" in done.stderr
    assert "envs/bad.yaml:13:18: alpha (required by the profile)" in done.stderr
    assert "envs/bad.yaml:13:36: gamma (required by the profile)" in done.stderr
    assert "delta (required" not in done.stderr
    assert "way out 1, solved here" in done.stderr
    assert "- requirement: beta>=2\n" in done.stderr
    assert done.stderr.count("gives beta 2.0") == 1  # beta==2.0 would give the same
    assert not folder.locked("bad")
    assert folder.locked("good")


def test_a_bound_of_the_profile_is_offered_against_what_others_ask(folder: Folder) -> None:
    folder.profile("one", "alpha", "beta==1.0")
    done = folder.run("lock")
    assert done.returncode == 1
    assert "solved here (gives beta 1.0)" in done.stderr
    assert "- requirement: beta==1.0\n" in done.stderr
    path = folder.root / "envs" / "one.yaml"
    stated = '  overrides: [{requirement: beta==1.0, reason: "it works with it"}]\nvariants:'
    path.write_text(path.read_text().replace("variants:", stated))
    assert folder.run("lock").returncode == 0


def test_a_profile_that_contradicts_itself_is_told_so(folder: Folder) -> None:
    folder.profile("one", "delta==1.0", "delta==1.1")
    done = folder.run("lock")
    assert done.returncode == 1
    assert "hint: the profile itself asks for both: change one of these lines" in done.stderr
    assert "way out" not in done.stderr


def refused_by_a_rule(folder: Folder, name: str) -> None:
    """Write a profile whose torch has no code for its GPU."""
    path = folder.profile(name, "torch==2.9.0")
    path.write_text(path.read_text() + "hardware: {gpus: [sm_61]}\n")


def test_a_profile_that_is_wrong_or_refused_does_not_stop_the_others(folder: Folder) -> None:
    folder.profile("good", "delta")
    wrong = folder.profile("a-typo", "delta")
    wrong.write_text(wrong.read_text().replace("requirements:", "requirments:"))
    refused_by_a_rule(folder, "b-ruled")
    done = folder.run("lock", "--json")
    assert done.returncode == 2
    assert "envs/a-typo.yaml:13:3: error: python: unknown key 'requirments'" in done.stderr
    assert "error: the rules refuse b-ruled" in done.stderr
    assert "3 profiles: 1 written, 2 failed" in done.stderr
    rows = {row["profile"]: row["status"] for row in json.loads(done.stdout)}
    assert rows == {"a-typo": "failed", "b-ruled": "failed", "good": "written"}
    assert (folder.root / "lockfiles" / "good").is_dir()
    assert not (folder.root / "lockfiles" / "b-ruled").exists()
    done = folder.run("render", "--json")
    assert done.returncode == 2
    rows = {row["profile"]: row["status"] for row in json.loads(done.stdout)}
    assert rows == {"a-typo": "refused", "b-ruled": "refused", "good": "written"}
    assert "3 profiles: 1 written, 2 refused" in done.stderr


def test_the_first_profile_is_dropped_when_a_rule_refuses_it(folder: Folder) -> None:
    """It was begun before the rules were asked."""
    refused_by_a_rule(folder, "ruled")
    folder.profile("good", "delta")
    done = folder.run("lock", "ruled", "good")
    assert done.returncode == 2
    assert "2 profiles: 1 written, 1 failed" in done.stderr
    assert done.stderr.count("ruled") == done.stderr.count("envs/ruled.yaml") + 1
    assert not (folder.root / "lockfiles" / "ruled").exists()


def test_a_failed_profile_keeps_its_old_lock(folder: Folder) -> None:
    folder.profile("one", "alpha")
    folder.run("lock")
    before = folder.locked("one")
    folder.profile("one", "alpha", "gamma")
    assert folder.run("lock").returncode == 1
    assert folder.locked("one") == before


def test_a_package_that_no_index_has(folder: Folder) -> None:
    folder.profile("one", "alpha", "no-such-thing")
    done = folder.run("lock")
    assert done.returncode == 1
    assert "a package is in no index that was asked" in done.stderr
    assert "no index has no-such-thing" in done.stderr
    assert "envs/one.yaml:13:27: no-such-thing" in done.stderr


def test_a_version_published_after_the_moment(folder: Folder) -> None:
    folder.profile("one", "alpha==2.0")
    done = folder.run("lock")
    assert done.returncode == 1
    assert "published at 2027-01-01T00:00:00Z: an as-of after that moment has it" in done.stderr


def test_a_later_moment_is_tried_before_it_is_offered(folder: Folder) -> None:
    folder.profile("one", "alpha==2.0")
    said = folder.run("lock").stderr
    assert "has it (it was solved here, with alpha 2.0)" in said
    folder.profile("one", "alpha==2.0", "gamma")
    said = folder.run("lock").stderr
    assert (
        "something wanted was published at 2027-01-01T00:00:00Z, but no later as-of helps" in said
    )
    assert "it was solved here" not in said


def test_a_moment_that_hides_the_solution_without_a_word_of_uv(
    folder: Folder, index: PackageIndex
) -> None:
    index.add("gamma", "1.1", requires=("beta",), uploaded="2026-08-01T00:00:00Z")
    folder.profile("one", "alpha", "gamma")
    said = folder.run("lock").stderr
    assert "the profile's as-of is too old: a later one has a solution" in said
    assert folder.run("lock", "--exclude-newer", "2026-08-02").returncode == 0


def test_no_way_out_is_offered_that_the_checks_would_refuse(
    folder: Folder, index: PackageIndex
) -> None:
    index.add("torch", "2.7.1").add("torch", "2.8.0", requires=("nvidia-cuda-runtime-cu12",))
    index.add("nvidia-cuda-runtime-cu12", "12.8.90")
    index.add("old", "1.0", requires=("torch<2.8",)).add("new", "1.0", requires=("torch>=2.8",))
    folder.profile("one", "old", "new")
    done = folder.run("lock")
    assert done.returncode == 1
    offered = [line for line in done.stderr.splitlines() if "- requirement:" in line]
    assert [line.split(": ")[1] for line in offered] == ["torch>=2.8"]
    assert "may not become a lock" not in done.stderr


def test_when_the_checks_refuse_every_solution_that_is_said(
    folder: Folder, index: PackageIndex
) -> None:
    index.add("torch", "2.7.1").add("torch", "2.8.0")
    index.add("old", "1.0", requires=("torch<2.8",)).add("new", "1.0", requires=("torch>=2.8",))
    folder.profile("one", "old", "new")
    done = folder.run("lock")
    assert done.returncode == 1
    assert "way out" not in done.stderr
    assert "with other edits it was solved here, but that may not become a lock" in done.stderr
    assert "torch 2.8.0 has no CUDA on amd64; the variant is for CUDA 12.8 [torch-" in done.stderr


def test_quiet_still_says_why_and_what_helps(folder: Folder) -> None:
    folder.profile("bad", "alpha", "gamma")
    loud, quiet = folder.run("lock"), folder.run("-q", "lock")
    assert quiet.returncode == 1
    assert "envs/bad.yaml:13:18: alpha (required by the profile)" in quiet.stderr
    assert "way out 1, solved here" in quiet.stderr
    assert quiet.stderr.splitlines() == loud.stderr.splitlines()[:-1]
