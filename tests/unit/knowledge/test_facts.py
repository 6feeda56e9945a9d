"""The files of facts: each is listed, and each statement has evidence."""

import re

import pytest
import yaml

from envbuild.knowledge import facts, tables
from envbuild.knowledge.model import (
    Bundle,
    Companion,
    CondaName,
    Correction,
    Distribution,
    GpuFloor,
    Layer,
    Library,
    NumpyPair,
    Placeholder,
    TorchBuild,
)

ROWS = {
    "bundles": Bundle,
    "bundles-6": Bundle,
    "companions": Companion,
    "conda-names": CondaName,
    "corrections": Correction,
    "distributions": Distribution,
    "gpus": GpuFloor,
    "layers": Layer,
    "libraries": Library,
    "numpy-pairs": NumpyPair,
    "placeholders": Placeholder,
    "torch": TorchBuild,
}
RELEASES = ("gr00t", "isaac-lab", "isaac-sim", "isaac-sim-parts")


def text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_every_fact_file_is_listed_for_the_stamps() -> None:
    paths = facts.facts_files()
    names = [path.rpartition("/")[2] for path in paths]
    assert names == sorted(f"{name}.yaml" for name in (*ROWS, *RELEASES))


@pytest.mark.parametrize(("name", "kind"), ROWS.items())
def test_every_row_has_evidence(name: str, kind: type) -> None:
    rows = tables.rows(name, kind)
    assert rows
    for row in rows:
        evident(row.source, row.date, row.confidence)


@pytest.mark.parametrize("kind", facts.KINDS)
def test_every_fact_of_a_release_has_evidence(kind: str) -> None:
    for release in facts.releases(kind):
        found = facts.facts_of(kind, release)
        assert found
        for fact in found:
            assert (fact.kind, fact.release) == (kind, release)
            evident(fact.source, fact.date, fact.confidence)


def evident(source: str, date: str, confidence: str) -> None:
    assert len(source) > 10
    assert not source.endswith((" and", ",", "(")), "the rest is behind a # and reads as a comment"
    assert source.count("(") == source.count(")")
    assert "://" not in source
    assert re.fullmatch(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]", date)
    assert confidence in ("read", "derived", "claimed")


@pytest.mark.parametrize("path", facts.facts_files())
def test_a_number_behind_a_space_is_never_lost_as_a_comment(path: str) -> None:
    for line in text(path).splitlines():
        before, found, comment = line.partition(" #")
        assert not found or not before.strip() or not comment[:1].isdigit(), line


@pytest.mark.parametrize("path", facts.facts_files())
def test_no_file_names_the_public_index(path: str) -> None:
    assert "pythonhosted" not in text(path).lower()


@pytest.mark.parametrize("path", facts.facts_files())
def test_no_file_has_a_key_twice(path: str) -> None:
    """YAML's own reader would take the last of two without a word."""

    def check(node: yaml.Node) -> None:
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            assert len(keys) == len(set(keys)), f"{path}: {keys}"
            for _, value in node.value:
                check(value)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                check(item)

    root = yaml.compose(text(path), Loader=yaml.BaseLoader)
    assert root is not None
    check(root)
