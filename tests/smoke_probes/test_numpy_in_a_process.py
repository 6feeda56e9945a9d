"""A NumPy whose modules come from two folders: stand-ins of NumPy, and a finder as Kit has it.

The real NumPy wheels under such a finder are in the images of tests/replica.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke_probes.fakes import LAUNCH, imports, intent, judged, run, site, trial

NAMES = ("random", "testing", "ma", "linalg", "fft", "lib")

FINDER = """
    import importlib.util, os, sys

    class Finder:
        def find_spec(self, name, path=None, target=None):
            place = os.path.join(os.environ["BUNDLE"], *name.split("."), "__init__.py")
            if name.startswith("numpy") and os.path.exists(place):
                return importlib.util.spec_from_file_location(
                    name, place, submodule_search_locations=[os.path.dirname(place)]
                )

    class SimulationApp:
        def __init__(self, _):
            sys.meta_path.insert(0, Finder())

        def close(self):
            pass
    """


def numpy(version: str) -> dict[str, str]:
    """Something that is imported as NumPy is, and says a version."""
    files = {f"numpy/{name}/__init__.py": "" for name in NAMES}
    files["numpy/lib/recfunctions/__init__.py"] = ""
    files["numpy/version.py"] = f'version = "{version}"'
    files["numpy/__init__.py"] = f'__version__ = "{version}"'
    return files


def one_root(tmp_path: Path, first: str, bundle: str, *, expected: str, before: bool):
    path = site(tmp_path / "site", {**numpy(first), "isaacsim/__init__.py": FINDER})
    steps = [
        *(imports("numpy") if before else ()),
        LAUNCH,
        {"check": "numpy-submodules", "do": "numpy-submodules"},
        {"check": "numpy-one-root", "do": "numpy-one-root"},
    ]
    made = intent(trial(*steps), numpy=expected)
    bundled = site(tmp_path / "bundle", numpy(bundle))
    ran = run(made, tmp_path / "run", path=[path], environment={"BUNDLE": str(bundled)})
    found = judged(made, ran)
    assert found["test-0/numpy-submodules"].verdict == "pass"  # no message tells of the mix
    return found["test-0/numpy-one-root"]


def test_a_silent_mix_is_found_by_the_roots(tmp_path):
    one = one_root(tmp_path, "1.26.4", "1.26.0", expected="1.26.0", before=True)
    assert one.verdict == "fail"
    assert one.reason.startswith("modules of NumPy 1.26.0 run under NumPy 1.26.4: 7 of 8 come from")


def test_the_app_first_takes_all_from_the_bundle(tmp_path):
    one = one_root(tmp_path, "1.26.4", "1.26.0", expected="1.26.0", before=False)
    assert one.verdict == "pass"
    assert "modules of NumPy 1.26.0, all from" in one.reason


def test_two_copies_of_one_version_are_a_warning(tmp_path):
    one = one_root(tmp_path, "1.26.0", "1.26.0", expected="1.26.0", before=True)
    assert one.verdict == "warn"
    assert "a second copy of the same version" in one.reason


def test_one_root_of_another_version_than_the_locks_fails(tmp_path):
    one = one_root(tmp_path, "1.26.4", "1.26.4", expected="1.26.0", before=False)
    assert one.verdict == "fail"
    assert one.reason.startswith("NumPy 1.26.4 of ")
    assert one.reason.endswith("numpy runs, and not 1.26.0")


@pytest.mark.parametrize("missing", ["testing", "ma"])
def test_every_submodule_that_fails_is_named(tmp_path, missing):
    files = numpy("1.26.0")
    files[f"numpy/{missing}/__init__.py"] = "raise AttributeError('broken')"
    files["numpy/fft/__init__.py"] = "raise ImportError('too')"
    made = intent(trial({"check": "numpy-submodules", "do": "numpy-submodules"}))
    found = judged(made, run(made, tmp_path / "run", path=[site(tmp_path / "site", files)]))
    lines = found["test-0/numpy-submodules"].lines
    assert lines == (f"numpy.{missing}: AttributeError: broken", "numpy.fft: ImportError: too")
