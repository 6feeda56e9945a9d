"""The guard's script, run as code over trees that stand in for an image."""

import ast
import hashlib
import json
import os
import sys
import sysconfig

import pytest

from envbuild.render.guard import bundle, script


class Image:
    """A site-packages and a bundled folder, both the interpreter's, with packages in them."""

    def __init__(self, root, monkeypatch, capsys):
        self.root = root
        self.site = root / "python/lib/python3.11/site-packages"
        self.bundled = root / "extscache/omni.pip-1.0/pip_prebundle"
        self.manifest = root / "bundle.json"
        self.capsys = capsys
        for folder in (self.site, self.bundled):
            folder.mkdir(parents=True)
        monkeypatch.setattr(sysconfig, "get_path", lambda name: str(self.site))
        monkeypatch.setattr(sys, "path", [str(root / "script"), str(self.site)])
        monkeypatch.setattr(sys, "argv", [str(root / "script/bundle.py")])
        self.glob = str(root / "ext*/*/pip_prebundle")

    def install(self, place, named, *files):
        """What pip would leave: the files of a package and a list of them."""
        name, _, version = named.partition("==")
        info = place / f"{name}-{version}.dist-info"
        for old in place.glob(f"{name}-*.dist-info"):
            for line in (old / "RECORD").read_text().splitlines():
                (place / line.partition(",")[0]).unlink(missing_ok=True)
            (old / "RECORD").unlink(missing_ok=True)
            old.rmdir()
        info.mkdir()
        rows = []
        for file in files:
            path = place / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{named} {file}\n")
            rows.append(f"{file},sha256=x,1")
        (info / "RECORD").write_text("\n".join([*rows, f"{info.name}/RECORD,,"]) + "\n")
        return info

    def __call__(self, command, *globs):
        status = bundle.main([command, str(self.manifest), *(globs or [self.glob])])
        said = self.capsys.readouterr()
        return status, said.err or said.out


@pytest.fixture
def image(tmp_path, monkeypatch, capsys):
    made = Image(tmp_path, monkeypatch, capsys)
    made.install(made.site, "rich==13.0", "rich/__init__.py", "rich/table.py")
    made.install(made.bundled, "numpy==1.26.0", "numpy/__init__.py", "numpy/core/a.py")
    made.install(made.bundled, "protobuf==4.0", "google/protobuf/__init__.py")
    assert made("record") == (0, "8 bundled files in 2 folders\n")
    return made


def faults(said):
    """The lines between the heading and the hint."""
    return [line.strip() for line in said.splitlines() if line.startswith("  ")]


def test_what_is_new_and_hides_nothing_is_no_fault(image):
    image.install(image.site, "six==1.16", "six.py", "google/other/__init__.py")
    (image.bundled / "numpy/__pycache__").mkdir()
    (image.bundled / "numpy/__pycache__/x.pyc").write_text("")
    assert image("check") == (0, "8 bundled files are as they were\n")


def test_a_package_that_replaces_a_bundled_one_is_named(image):
    image.install(image.bundled, "numpy==2.2.6", "numpy/__init__.py", "numpy/_core/a.py")
    status, said = image("check")
    assert status == 1
    prebundle = image.bundled
    assert faults(said) == [
        f"replaced {prebundle}/numpy/__init__.py: by numpy 2.2.6",
        f"removed {prebundle}/numpy/core/a.py: by numpy 2.2.6",
        f"removed {prebundle}/numpy-1.26.0.dist-info/RECORD: by numpy 2.2.6",
    ]
    assert "python.exclude" in said


def test_a_package_of_the_interpreter_is_bundled_too(image):
    image.install(image.site, "rich==14.0", "rich/__init__.py", "rich/table.py")
    status, said = image("check")
    assert status == 1
    assert f"replaced {image.site}/rich/table.py: by rich 14.0" in faults(said)


def test_a_package_that_hides_a_bundled_one_is_named(image):
    image.install(image.site, "numpy==2.2.6", "numpy/__init__.py")
    status, said = image("check")
    assert status == 1
    assert faults(said) == [f"shadowed {image.bundled}/numpy: by {image.site}/numpy of numpy 2.2.6"]


@pytest.mark.parametrize("file", ["numpy.py", "numpy.abi3.so"])
def test_a_module_hides_as_a_package_does(image, file):
    (image.site / file).write_text("")
    assert f"by {image.site}/{file} of a step of this build" in image("check")[1]


def test_a_part_of_a_namespace_package_is_hidden_alone_or_with_the_whole(image):
    image.install(image.site, "protobuf==5.0", "google/protobuf/__init__.py")
    hidden = f"shadowed {image.bundled}/google/protobuf: by {image.site}/google"
    assert faults(image("check")[1]) == [f"{hidden}/protobuf of protobuf 5.0"]
    (image.site / "google/__init__.py").write_text("")
    assert faults(image("check")[1]) == [f"{hidden} of protobuf 5.0"]


def test_duplicates_of_the_base_itself_are_no_faults(image):
    (image.site / "numpy").mkdir()
    (image.site / "numpy/__init__.py").write_text("")
    assert image("record")[0] == 0
    assert image("check")[0] == 0


def test_what_stands_behind_the_bundle_on_the_path_hides_nothing(image, monkeypatch):
    behind = image.root / "behind"
    (behind / "numpy").mkdir(parents=True)
    (behind / "numpy/__init__.py").write_text("")
    monkeypatch.setattr(sys, "path", [*sys.path, str(image.bundled), str(behind)])
    assert image("check")[0] == 0
    monkeypatch.setattr(sys, "path", [*sys.path[:2], str(behind), str(image.bundled)])
    assert image("check")[0] == 1


def test_an_editable_checkout_is_a_place_too_and_its_package_is_named(image, monkeypatch):
    source = image.root / "opt/tool"
    for name in ("tool", "tests", "numpy"):
        (source / name).mkdir(parents=True)
        (source / name / "__init__.py").write_text("")
    (image.bundled / "tests").mkdir()
    (image.bundled / "tests/__init__.py").write_text("")
    image("record")
    info = image.install(image.site, "tool==0.1", "__editable__.tool-0.1.pth")
    (info / "direct_url.json").write_text(
        json.dumps({"url": f"file://{source}", "dir_info": {"editable": True}})
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(source)])
    assert faults(image("check")[1]) == [
        f"shadowed {image.bundled}/numpy: by {source}/numpy of tool 0.1"
    ]


def test_a_removed_package_and_a_changed_link_are_named(image):
    os.symlink("a.py", image.bundled / "numpy/core/link.py")
    image("record")
    for path in ("protobuf-4.0.dist-info/RECORD", "google/protobuf/__init__.py"):
        (image.bundled / path).unlink()
    (image.bundled / "numpy/core/link.py").unlink()
    os.symlink("b.py", image.bundled / "numpy/core/link.py")
    said = faults(image("check")[1])
    gone = f"removed {image.bundled}/google/protobuf/__init__.py"
    assert f"{gone}: by what removed protobuf 4.0" in said
    link = f"replaced {image.bundled}/numpy/core/link.py"
    assert f"{link}: by a step of this build, and no package" in said


def test_many_faults_are_counted_and_each_package_has_its_first(image):
    image.install(image.bundled, "big==1.0", *(f"big/m{n}.py" for n in range(40)), "small.py")
    image("record")
    image.install(image.bundled, "big==2.0", *(f"big/m{n}.py" for n in range(40)))
    image.install(image.site, "rich==14.0", "rich/__init__.py", "rich/table.py")
    said = image("check")[1]
    lines = faults(said)
    assert len(lines) == bundle.SHOWN + 1
    assert {"by big 2.0", "by rich 14.0"} == {line.rpartition(": ")[2] for line in lines[:2]}
    assert lines[-1] == "and 25 more"


def test_globs_that_name_nothing_are_refused(image):
    status, said = image("record", "/nothing/here/*", "/nor/here")
    assert status == 2
    assert "the base image has none of /nothing/here/*, /nor/here" in said


@pytest.mark.parametrize("arguments", [[], ["what", "x"], ["check", "/nothing/bundle.json"]])
def test_what_cannot_be_answered_is_said(arguments, capsys):
    assert bundle.main(arguments) == 2
    assert capsys.readouterr().err.startswith("envbuild: the bundle cannot be looked at: ")


def test_the_digests_are_those_of_the_files(image):
    held = json.loads(image.manifest.read_text())["files"]
    path = image.bundled / "numpy/__init__.py"
    size, digest, _ = held[str(path)]
    assert (size, digest) == (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())


def test_the_script_is_for_python_3_9_and_the_standard_library_alone():
    tree = ast.parse(script(), feature_version=(3, 9))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [one.name for one in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names
