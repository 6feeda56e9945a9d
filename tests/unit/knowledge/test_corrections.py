"""The checked claims: well formed, about facts that exist, and each answered by the facts too."""

import msgspec
import pytest

from envbuild.knowledge import facts
from envbuild.knowledge.model import Correction
from envbuild.profile.words import Name


def correction(name: str) -> Correction:
    return next(row for row in facts.corrections() if row.id == name)


def value(kind: str, release: str, name: str) -> object:
    found = facts.fact(kind, release, name)
    assert found is not None
    return found.value


def test_a_claim_stands_once_under_a_plain_name() -> None:
    rows = facts.corrections()
    assert len({row.id for row in rows}) == len(rows) == len({row.claim for row in rows})
    for row in rows:
        assert msgspec.convert(row.id, Name) == row.id


def test_claims_and_truths_are_sentences() -> None:
    for row in facts.corrections():
        for text in (row.claim, row.truth):
            assert text.endswith(".")
            assert "  " not in text
            assert text[0].isupper() or text[0] in '"0' or text.startswith(("pip ", "python.sh "))


def test_a_claim_is_about_facts_that_exist() -> None:
    for row in facts.corrections():
        for about in row.about:
            if about.kind == "gpus":
                assert facts.gpu_floor(about.release) is not None
                assert about.name == "cuda"
            elif about.release:
                assert facts.fact(about.kind, about.release, about.name) is not None, row.id
            else:
                assert about.name in facts.fact_names(about.kind), row.id


def test_every_verdict_is_given() -> None:
    given = {row.verdict for row in facts.corrections()}
    assert given == {"true", "half true", "false", "not established"}


# --- A compatibility table that goes around, row by row -------------------------------------------
# What it says, the verdict, and the facts that a reader gets instead.


@pytest.mark.parametrize(
    ("name", "verdict", "kind", "release", "says"),
    [
        # the matrix: environment, Isaac Sim, Python, NumPy
        (
            "gr00t-spark-python-3-10",
            "false",
            "gr00t",
            "n1.7-spark",
            {"python": "3.12", "cuda": "13.0", "numpy": "1.26.4", "architectures": ("arm64",)},
        ),
        (
            "isaac-sim-5-0-numpy-1",
            "true",
            "isaac-sim",
            "5.0.0",
            {"python": "3.11", "numpy": "1.26.0", "numpy-series": "1.x"},
        ),
        (
            "isaac-sim-5-1-numpy-2",
            "false",
            "isaac-sim",
            "5.1.0",
            {"python": "3.11", "numpy": "1.26.0", "numpy-series": "1.x"},
        ),
        (
            "isaac-sim-6-python-3-11",
            "half true",
            "isaac-sim",
            "6.0.0",
            {"python": "3.12", "numpy": "2.3.1", "numpy-series": "2.x"},
        ),
        # the comparison of versions
        (
            "isaac-sim-4-2-numpy-1",
            "true",
            "isaac-sim",
            "4.2.0",
            {"numpy-series": "1.x", "numpy": "unknown"},
        ),
        ("isaac-lab-2-2-for-5-0", "true", "isaac-lab", "2.2.0", {"isaac-sim": "5.0.0"}),
        ("unitree-wants-5-0", "half true", "isaac-sim", "5.0.0", {"isaac-lab": ("2.2.0",)}),
        # the requirements of GR00T
        ("gr00t-numpy-range", "half true", "gr00t", "n1", {"numpy": ">=1.23.5,<2.0"}),
        ("gr00t-numpy-range", "half true", "gr00t", "n1.6", {"numpy": "1.26.4", "python": "3.10"}),
        ("gr00t-uv", "true", "gr00t", "n1.6", {"uv": ">=0.8.4"}),
        ("gr00t-port", "true", "gr00t", "n1.6", {"port": "5555", "wire": "msgpack-npy"}),
        ("gr00t-without-simulator", "true", "gr00t", "n1.6", {"python": "3.10"}),
        # what it gives as proof
        ("issue-3312-proves-5-1", "false", "isaac-sim", "5.1.0", {"numpy": "1.26.0"}),
        ("issue-2235-proves-5-1", "false", "isaac-sim", "4.5.0", {"numpy-series": "1.x"}),
        ("discussion-4339-numpy", "false", "isaac-sim", "5.1.0", {"numpy": "1.26.0"}),
        ("pr-3808-numpy-2", "not established", "isaac-sim", "5.1.0", {"numpy": "1.26.0"}),
        # what it tells people to do
        ("numpy-below-2-is-enough", "half true", "isaac-sim", "6.0.1", {"numpy": "2.3.1"}),
        ("pip-install-numpy-into-kit", "false", "isaac-sim", "5.1.0", {"numpy": "1.26.0"}),
        ("python-sh-shows-numpy", "half true", "isaac-sim", "5.1.0", {"numpy": "1.26.0"}),
    ],
)
def test_a_row_of_the_table(
    name: str, verdict: str, kind: str, release: str, says: dict[str, object]
) -> None:
    assert correction(name).verdict == verdict
    assert {fact: value(kind, release, fact) for fact in says} == says


def test_the_gpu_of_the_table_needs_a_newer_cuda_than_it_says() -> None:
    floor = facts.gpu_floor("sm_121")
    assert floor is not None
    assert floor.cuda == "12.9"
    assert "12.9" in correction("gr00t-spark-python-3-10").truth


def test_both_ways_out_for_lerobot_are_told() -> None:
    truth = correction("lerobot-in-the-simulator").truth
    assert "two environments" in truth.lower()
    assert "packaging==23.0" in truth
    assert "rerun-sdk==0.23.1" in truth
