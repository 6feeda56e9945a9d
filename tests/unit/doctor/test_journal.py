"""Repairs on disk: put in place, cut off at every step, and undone byte for byte."""

from __future__ import annotations

import contextlib
import os
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envbuild.doctor.repair import journal, staging
from envbuild.doctor.repair.manifest import FOLDER
from envbuild.errors import InputError, ToolError
from tests.support.wheels import wheel
from tests.unit.doctor import prefixes


def silent(_text):
    """Nobody listens."""


class KilledError(Exception):
    """What a process that is killed at some step does no more."""


class Until:
    """Ends what tells it its steps at one of them."""

    def __init__(self, last=10**9):
        self.last = last
        self.steps = 0

    def __call__(self, _text):
        self.steps += 1
        if self.steps > self.last:
            raise KilledError


@pytest.fixture
def prefix(tmp_path):
    return prefixes.numpy(tmp_path / "env")


@pytest.fixture
def new(tmp_path):
    (tmp_path / "wheels").mkdir()
    return prefixes.new_numpy(tmp_path / "wheels")


def repaired(prefix, new, **changes):
    return journal.apply(prefixes.part(prefix, **changes), lambda _: new, say=silent)


def prepared(prefix, new):
    before = staging.look(str(prefix), "touched")
    return journal.prepare(prefixes.part(prefix), lambda _: new, before=before, say=silent)


def names(prefix):
    return {str(path.relative_to(prefix)) for path in prefix.rglob("*") if FOLDER not in path.parts}


def test_a_wheel_stands_in_the_place_of_the_old_distribution(prefix, new):
    repaired(prefix, new)
    site = prefixes.site(prefix)
    info = site / "numpy-1.26.0.dist-info"
    assert (site / "numpy/__init__.py").read_text() == "version = '1.26.0'\n"
    assert not (site / "numpy/_core").exists()
    assert not (site / "numpy/__pycache__").exists()
    assert not (site / "numpy-2.2.6.dist-info").exists()
    assert (site / "scipy/__init__.py").read_text() == "import numpy\n"
    assert (info / "INSTALLER").read_text() == "envbuild\n"
    assert (info / "REQUESTED").read_bytes() == b""
    assert (prefix / "share/doc/numpy.txt").read_text() == "words\n"


def test_scripts_name_the_interpreter_of_the_prefix(prefix, new):
    repaired(prefix, new)
    for name in ("f2py", "conv-template"):
        script = prefix / "bin" / name
        assert script.read_text().splitlines()[0] == f"#!{prefix}/bin/python"
        assert script.stat().st_mode & 0o111


def test_the_record_names_every_file_that_came(prefix, new):
    repaired(prefix, new)
    site = prefixes.site(prefix)
    rows = (site / "numpy-1.26.0.dist-info/RECORD").read_text().splitlines()
    paths = {os.path.normpath(site / row.split(",")[0]) for row in rows}
    assert f"{prefix}/bin/f2py" in paths
    assert f"{prefix}/share/doc/numpy.txt" in paths
    assert all(os.path.isfile(path) for path in paths)


def test_undone_the_tree_is_byte_for_byte_what_it_was(prefix, new):
    before = prefixes.looks(prefix)
    path = repaired(prefix, new)
    assert prefixes.looks(prefix) != before
    assert journal.latest(str(prefix)) == path
    made = journal.undo(path, say=silent)
    assert made.what == (f"numpy 1.26.0 in {prefixes.site(prefix)} in the place of 2.2.6",)
    assert prefixes.looks(prefix) == before
    assert journal.latest(str(prefix)) is None


def test_links_and_odd_modes_come_back(prefix, new):
    site = prefixes.site(prefix)
    (site / "numpy/_core/multiarray.so").chmod(0o640)
    (site / "numpy/_core/multiarray.so.1").symlink_to("multiarray.so")
    (site / "numpy/_core").chmod(0o750)
    with (site / "numpy-2.2.6.dist-info/RECORD").open("a") as file:
        file.write("numpy/_core/multiarray.so.1,,\n")
    before = prefixes.looks(prefix)
    path = repaired(prefix, new)
    assert not (site / "numpy/_core").exists()
    journal.undo(path, say=silent)
    assert prefixes.looks(prefix) == before


class Spare:
    """A prefix at some moment, which can be had again."""

    def __init__(self, prefix):
        self.prefix = prefix
        self.kept = prefix.with_name("spare")
        shutil.copytree(prefix, self.kept, symlinks=True)

    def again(self):
        shutil.rmtree(self.prefix)
        shutil.copytree(self.kept, self.prefix, symlinks=True)


def test_what_is_killed_at_any_step_is_undone(prefix, new):
    before = prefixes.looks(prefix)
    path = prepared(prefix, new)
    spare, whole = Spare(prefix), Until()
    journal.carry_out(path, say=whole)
    assert journal.finished(path)
    for last in range(whole.steps):
        spare.again()
        with pytest.raises(KilledError):
            journal.carry_out(path, say=Until(last))
        assert not journal.finished(path)
        journal.undo(journal.latest(str(prefix)), say=silent)
        assert prefixes.looks(prefix) == before, last


def test_an_undo_that_is_killed_at_any_step_is_gone_on_with(prefix, new):
    before = prefixes.looks(prefix)
    path = repaired(prefix, new)
    spare, whole = Spare(prefix), Until()
    journal.undo(path, say=whole)
    for last in range(whole.steps):
        spare.again()
        with pytest.raises(KilledError):
            journal.undo(path, say=Until(last))
        with pytest.raises(KilledError):
            journal.undo(path, say=Until(0))
        journal.undo(journal.latest(str(prefix)), say=silent)
        assert prefixes.looks(prefix) == before, last


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """A prefix whose repair is prepared: how it looked before, its journal, and itself again."""
    folder = tmp_path_factory.mktemp("cut")
    prefix = prefixes.numpy(folder / "env")
    before = prefixes.looks(prefix)
    path = prepared(prefix, prefixes.new_numpy(folder))
    return before, path, Spare(prefix)


@pytest.mark.property
@settings(max_examples=25)
@given(first=st.integers(0, 40), more=st.lists(st.integers(0, 40), max_size=4))
def test_cut_off_here_and_there_it_ends_where_it_began(ready, first, more):
    before, path, spare = ready
    spare.again()
    with contextlib.suppress(KilledError):
        journal.carry_out(path, say=Until(first))
    for last in more:
        if journal.latest(str(spare.prefix)):
            with contextlib.suppress(KilledError):
                journal.undo(path, say=Until(last))
    if journal.latest(str(spare.prefix)):
        journal.undo(path, say=silent)
    assert prefixes.looks(spare.prefix) == before


def test_an_error_on_the_way_undoes_what_was_done(prefix, new):
    before = prefixes.looks(prefix)
    with pytest.raises(KilledError):
        journal.apply(prefixes.part(prefix), lambda _: new, say=Until(9))
    assert prefixes.looks(prefix) == before


def test_a_wheel_that_cannot_be_had_changes_nothing(prefix):
    before = prefixes.looks(prefix)

    def none(_wanted):
        raise ToolError("the package index does not answer")

    with pytest.raises(ToolError, match="does not answer"):
        journal.apply(prefixes.part(prefix), none, say=silent)
    assert prefixes.looks(prefix) == before


@pytest.mark.parametrize("content", [b"no zip", wheel("scipy", "1.26.0", {"a.py": b""})])
def test_what_is_not_the_wanted_wheel_is_refused(prefix, tmp_path, content):
    before = prefixes.looks(prefix)
    path = tmp_path / "scipy-1.26.0-py3-none-any.whl"
    path.write_bytes(content)
    with pytest.raises(ToolError, match=r"scipy-1.26.0-py3-none-any.whl cannot be installed"):
        journal.apply(prefixes.part(prefix), lambda _: str(path), say=silent)
    assert prefixes.looks(prefix) == before


@pytest.mark.parametrize("name", ["../../../../../outside.py", "/outside.py", "numpy/../../../x"])
def test_a_wheel_that_writes_outside_is_refused(prefix, tmp_path, name):
    path = tmp_path / "numpy-1.26.0-py3-none-any.whl"
    path.write_bytes(wheel("numpy", "1.26.0", {name: b"x = 1\n"}))
    before = prefixes.looks(tmp_path)
    with pytest.raises(ToolError, match="cannot be installed"):
        journal.apply(prefixes.part(prefix), lambda _: str(path), say=silent)
    assert prefixes.looks(tmp_path) == before


def test_a_changed_file_stops_the_undo_and_is_named(prefix, new):
    path = repaired(prefix, new)
    edited = prefixes.site(prefix) / "numpy/core/__init__.py"
    edited.write_text("mine\n")
    before = prefixes.looks(prefix)
    with pytest.raises(InputError, match=r"1 file changed since the repair: .*core/__init__.py"):
        journal.undo(path, say=silent)
    assert prefixes.looks(prefix) == before


def test_a_new_file_in_a_new_folder_stops_the_undo(prefix, new):
    path = repaired(prefix, new)
    (prefixes.site(prefix) / "numpy/core/mine.txt").write_text("mine\n")
    with pytest.raises(InputError, match=r"core/mine.txt"):
        journal.undo(path, say=silent)


def test_a_file_in_the_place_of_one_that_went_stops_the_undo(prefix, new):
    path = repaired(prefix, new)
    taken = prefixes.site(prefix) / "numpy/_core"
    taken.mkdir()
    (taken / "multiarray.so").write_text("mine\n")
    with pytest.raises(InputError, match=r"_core/multiarray.so"):
        journal.undo(path, say=silent)


def test_what_python_compiled_since_goes_with_the_repair(prefix, new):
    before = prefixes.looks(prefix)
    path = repaired(prefix, new)
    for folder in ("numpy", "numpy/core"):
        cache = prefixes.site(prefix) / folder / "__pycache__"
        cache.mkdir()
        (cache / "__init__.cpython-311.pyc").write_bytes(b"compiled since")
    journal.undo(path, say=silent)
    after = prefixes.looks(prefix)
    assert {name: (one[0], one[2]) for name, one in after.items()} == {
        name: (one[0], one[2]) for name, one in before.items()
    }


def test_folders_that_others_changed_since_keep_their_times(prefix, new):
    path = repaired(prefix, new)
    site = prefixes.site(prefix)
    os.utime(f"{path}/finished", ns=(2 * 10**18, 1_500_000_000 * 10**9))
    (site / "other.py").write_text("x = 1\n")
    now = site.stat().st_mtime_ns
    journal.undo(path, say=silent)
    assert site.stat().st_mtime_ns >= now
    assert (site / "other.py").exists()


def test_repairs_are_undone_the_last_one_first(prefix, new, tmp_path):
    before = prefixes.looks(prefix)
    first = repaired(prefix, new)
    newer = prefixes.new_numpy(tmp_path, "1.26.4")
    again = prefixes.replacement(prefix, version="1.26.4")
    second = repaired(prefix, newer, replacements=(again,))
    with pytest.raises(InputError, match="not the last repair") as refused:
        journal.undo(first, say=silent)
    assert refused.value.hint == f"undo {second} first"
    journal.undo(second, say=silent)
    journal.undo(first, say=silent)
    assert prefixes.looks(prefix) == before


def test_a_package_that_is_not_there_yet_comes_and_goes(tmp_path, new):
    prefix = prefixes.environment(tmp_path / "env")
    before = prefixes.looks(prefix)
    path = repaired(prefix, new)
    assert (prefixes.site(prefix) / "numpy/core/multiarray.so").exists()
    journal.undo(path, say=silent)
    assert prefixes.looks(prefix) == before


def test_paths_are_set_aside_and_come_back(prefix):
    site = prefixes.site(prefix)
    (site / "numpy-1.26.0.dist-info").mkdir()
    (site / "numpy-1.26.0.dist-info/METADATA").write_text("old\n")
    (site / "gone").symlink_to("nothing")
    before = prefixes.looks(prefix)
    aside = (f"{site}/numpy-1.26.0.dist-info", f"{site}/gone")
    path = repaired(prefix, "", replacements=(), aside=aside)
    assert not os.path.lexists(site / "gone")
    assert not (site / "numpy-1.26.0.dist-info").exists()
    journal.undo(path, say=silent)
    assert prefixes.looks(prefix) == before


def test_a_link_is_set_aside_and_what_it_leads_to_is_not_touched(prefix, tmp_path):
    bundle = tmp_path / "bundle"
    (bundle / "inner").mkdir(parents=True)
    (bundle / "inner/a.py").write_text("x = 1\n")
    link = prefixes.site(prefix) / "bundle"
    link.symlink_to(bundle)
    before, theirs = prefixes.looks(prefix), prefixes.looks(bundle)
    path = repaired(prefix, "", replacements=(), aside=(str(link),))
    assert not os.path.lexists(link)
    assert prefixes.looks(bundle) == theirs
    journal.undo(path, say=silent)
    assert prefixes.looks(prefix) == before
    assert prefixes.looks(bundle) == theirs


def test_a_mixed_tree_goes_as_a_whole(prefix, new):
    """Without a RECORD nobody knows whose its files are, and with two of them neither."""
    site = prefixes.site(prefix)
    (site / "numpy/lib/empty").mkdir(parents=True)
    (site / "numpy/lib/leftover.py").write_text("x = 1\n")
    (site / "numpy-2.2.6.dist-info/RECORD").unlink()
    before = prefixes.looks(prefix)
    path = repaired(prefix, new, aside=(f"{site}/numpy", f"{site}/numpy-2.2.6.dist-info"))
    assert not (site / "numpy/lib").exists()
    assert not (site / "numpy-2.2.6.dist-info").exists()
    assert (site / "numpy/core/multiarray.so").exists()
    journal.undo(path, say=silent)
    assert prefixes.looks(prefix) == before


def test_a_record_that_names_files_of_others_is_refused(prefix, new, tmp_path):
    (tmp_path / "outside").write_text("mine\n")
    record = prefixes.site(prefix) / "numpy-2.2.6.dist-info/RECORD"
    record.write_text(record.read_text() + "../../../../outside,,\n")
    before = prefixes.looks(tmp_path)
    with pytest.raises(InputError, match="outside would be changed, which lies outside"):
        repaired(prefix, new)
    assert prefixes.looks(tmp_path) == before


def test_what_lies_behind_a_link_is_not_changed(prefix, new, tmp_path):
    bundle = tmp_path / "bundle"
    shutil.move(prefixes.site(prefix) / "numpy", bundle)
    (prefixes.site(prefix) / "numpy").symlink_to(bundle)
    before = prefixes.looks(tmp_path)
    with pytest.raises(InputError, match=r"lies behind a link, to .*bundle"):
        repaired(prefix, new)
    assert prefixes.looks(tmp_path) == before


def test_a_bundle_inside_the_site_is_not_changed(prefix, new):
    closed = (f"{prefixes.site(prefix)}/numpy/core",)
    before = prefixes.looks(prefix)
    with pytest.raises(InputError, match="numpy/core is not to be changed"):
        repaired(prefix, new, closed=closed)
    assert prefixes.looks(prefix) == before


def test_metadata_without_a_record_is_refused(prefix, new):
    (prefixes.site(prefix) / "numpy-2.2.6.dist-info/RECORD").unlink()
    with pytest.raises(InputError, match="has no RECORD"):
        repaired(prefix, new)


def test_a_wheel_with_scripts_needs_an_interpreter(prefix, new):
    (prefix / "bin/python").unlink()
    with pytest.raises(ToolError, match="no interpreter"):
        repaired(prefix, new)


def test_a_journal_of_elsewhere_is_refused(prefix, new, tmp_path):
    path = repaired(prefix, new)
    moved = tmp_path / "moved"
    shutil.copytree(path, moved)
    with pytest.raises(InputError, match="was not written here"):
        journal.undo(str(moved), say=silent)
    with pytest.raises(InputError, match="no journal"):
        journal.undo(str(tmp_path), say=silent)


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ('/bin/f2py"', '/../outside"'),
        ('"old/0"', '"../../../outside"'),
        ('"new/0"', '"/outside"'),
        ('"format":1', '"format":2'),
    ],
)
def test_a_journal_that_moves_files_of_others_is_refused(prefix, new, said, instead):
    path = repaired(prefix, new)
    written = prefix / FOLDER / os.path.basename(path) / "journal.json"
    text = written.read_text()
    assert said in text
    written.write_text(text.replace(said, instead))
    before = prefixes.looks(prefix)
    with pytest.raises(InputError, match="was not written here"):
        journal.undo(path, say=silent)
    assert prefixes.looks(prefix) == before


def test_what_a_repair_left_that_never_began_is_removed(prefix, new):
    (prefix / FOLDER / "20250101T000000.000000Z/new").mkdir(parents=True)
    assert journal.latest(str(prefix)) is None
    path = repaired(prefix, new)
    assert [one.name for one in (prefix / FOLDER).iterdir()] == [os.path.basename(path)]


def test_nothing_in_a_journal_looks_like_a_package(prefix, new):
    path = repaired(prefix, new)
    listed = {name for _, folders, files in os.walk(path) for name in (*folders, *files)}
    assert all(name.isdigit() for name in listed - {"new", "old", "journal.json", "finished"})
