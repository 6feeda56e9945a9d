"""Packages that want to write outside of the environment: refused before anything is linked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from envbuild.tools import contents
from envbuild.tools.conda import Record
from envbuild.tools.contents import Archive
from tests.install.conftest import SUBDIR, Lab
from tests.support import conda_packages
from tests.support.conda_packages import File, Files

SITE = "lib/python3.11/site-packages"


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody may write to."""
    folder = tmp_path / "outside"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


def put(
    world: Path, name: str, files: Files, *commands: str, python: bool = False, depends: str = ""
) -> None:
    said = conda_packages.record(
        name,
        "1.0",
        subdir="noarch" if python else SUBDIR,
        depends=filter(None, ["python", depends]),
    )
    said |= {"noarch": "python"} if python else {}
    conda_packages.put(world, said, files, entry_points=commands)


def refused(small: Lab, world: Path, *words: str) -> None:
    """A lock with ``evil`` in it is made, and not installed; no package was even unpacked."""
    conda_packages.index(world)
    small.write("evil")
    small.lock()
    small.refused("conda package evil 1.0 (0)", *words, "hint: nothing was installed")
    assert not (small.root / "rattler/pkgs").exists()


@pytest.mark.parametrize("path", ["../../x", "share/../../x", "/{outside}/x", "share\\..\\x", ".."])
def test_a_path_that_leads_out(small: Lab, world: Path, outside: Path, path: str) -> None:
    path = path.replace("/{outside}", str(outside))
    put(world, "evil", {"share/fine": b"", path: b"x"})
    refused(small, world, f"its path {path!r} leads out of the prefix")


@pytest.mark.parametrize("command", ["../x", "{outside}/x", "sub/x", "sub\\x", "..", ""])
def test_a_command_that_is_a_path(small: Lab, world: Path, outside: Path, command: str) -> None:
    command = command.replace("{outside}", str(outside))
    put(world, "evil", {"site-packages/evil.py": b""}, f"{command} = evil:main", python=True)
    refused(small, world, f"its command {command!r} leads out of the prefix")


THROUGH: dict[str, tuple[str, str, bool, str]] = {
    "plain": ("lib/way", "lib/way/x", False, "lib/way"),
    "deep": ("lib/way", "lib/way/a/b/x", False, "lib/way"),
    "dots": ("lib/way", "lib/./way//x", False, "lib/way"),
    "module": (f"{SITE}/way", "site-packages/way/x.py", True, f"{SITE}/way"),
    "modules": ("lib/python3.11", "site-packages/x.py", True, "lib/python3.11"),
    "script": ("bin/way", "python-scripts/way/x", True, "bin/way"),
}
"""By case: the link, the path, whether it is for every Python, and where the link would be."""


@pytest.mark.parametrize("case", THROUGH)
def test_a_path_through_the_link_of_another_package(
    small: Lab, world: Path, outside: Path, case: str
) -> None:
    link, path, python, place = THROUGH[case]
    put(world, "way", {link: File(link=str(outside))})
    put(world, "evil", {path: b"x"}, python=python, depends="way")
    refused(small, world, f"leads through the link {place!r}")


def test_a_path_through_a_link_for_every_python(small: Lab, world: Path, outside: Path) -> None:
    put(world, "way", {"site-packages/way": File(link=str(outside))}, python=True)
    put(world, "evil", {f"{SITE}/way/x.py": b"x"}, depends="way")
    refused(small, world, f"leads through the link '{SITE}/way'")


def test_a_command_through_the_link_of_another_package(
    small: Lab, world: Path, outside: Path
) -> None:
    put(world, "way", {"bin/run": File(link=str(outside / "x"))})
    put(world, "evil", {"site-packages/a.py": b""}, "run = a:main", python=True, depends="way")
    refused(small, world, "its path 'run' leads through the link 'bin/run'")


@pytest.mark.parametrize("link", ["conda-meta", "conda-meta/state", "conda-meta/tool-1.0-0.json"])
def test_a_link_where_conda_writes(small: Lab, world: Path, outside: Path, link: str) -> None:
    put(world, "evil", {link: File(link=str(outside / "x"))})
    refused(small, world, f"its link {link!r} takes the place of what conda writes")


def test_a_link_of_a_package_that_says_nothing_of_its_links(
    small: Lab, world: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = conda_packages._info

    def older(*given: object) -> dict[str, File]:
        return {path: one for path, one in info(*given).items() if path != "info/paths.json"}

    monkeypatch.setattr(conda_packages, "_info", older)
    put(world, "way", {"lib/way": File(link=str(outside))})
    monkeypatch.undo()
    put(world, "evil", {"lib/way/x": b"x"}, depends="way")
    refused(small, world, "leads through the link 'lib/way'")


def test_a_link_that_stays_inside_may_be_led_through(world: Path) -> None:
    """Whether that can be linked is py-rattler's to say: it does not promise an order."""
    put(world, "way", {"share/real/a": b"a", "share/way": File(link="real")})
    put(world, "evil", {"share/way/x": b"x"}, depends="way")
    contents.refuse_escapes(
        tuple(
            Archive(
                record=Record(name=name, version="1.0", build="0", subdir=SUBDIR, url=""),
                path=str(world / SUBDIR / f"{name}-1.0-0.conda"),
            )
            for name in ("evil", "way")
        )
    )


def test_links_that_lead_out_in_two_steps(small: Lab, world: Path, outside: Path) -> None:
    put(world, "way", {"share/one": File(link="two"), "share/two": File(link=str(outside))})
    put(world, "evil", {"share/one/x": b"x"}, depends="way")
    refused(small, world, "leads through the link 'share/one' out of the prefix")


def test_links_that_go_in_circles(small: Lab, world: Path) -> None:
    put(world, "way", {"share/one": File(link="two"), "share/two": File(link="one")})
    put(world, "evil", {"share/one/x": b"x"}, depends="way")
    refused(small, world, "leads through the link 'share/one' out of the prefix")
