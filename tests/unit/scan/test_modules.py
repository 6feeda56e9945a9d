"""The shared objects of sites: whose they are, and for which Python."""

from __future__ import annotations

import pytest

from envbuild.scan.binary import Binary
from envbuild.scan.installed import modules
from envbuild.scan.model import Module, Site
from tests.support.scanned import Link, tree

ELF = Binary(machine="x86_64")


def sites(*paths: str) -> list[Site]:
    return [Site(path=path, real=path, kind="site") for path in paths]


def found(files: dict[str, Link], known: list[Site], *paths: str) -> dict[str, str]:
    here = tree(files, modules=dict.fromkeys(paths, ELF))
    return {one.path: one.site for one in modules.find(here, known, {})}


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("_c.cpython-311-x86_64-linux-gnu.so", "cpython-311"),
        ("_c.cpython-313t-aarch64-linux-gnu.so", "cpython-313t"),
        ("cv2.abi3.so", "abi3"),
        ("x.pypy39-pp73-x86_64-linux-gnu.so", "pypy39"),
        ("libfoo.so", ""),
        ("libfoo.so.1.2", ""),
        ("cpython-311.so", ""),
        (".abi3.so", ""),
    ],
)
def test_the_python_of_a_name(name: str, tag: str) -> None:
    assert modules.tag(f"/site.cpython-310.so/{name}") == tag


def test_a_module_with_its_owner() -> None:
    path = "/s/a/_c.abi3.so"
    here = tree({}, modules={path: ELF, "/usr/lib/libc.so.6": ELF})
    assert modules.find(here, sites("/s"), {path: "a"}) == (
        Module(path=path, site="/s", distribution="a", tag="abi3", binary=ELF),
    )


def test_the_innermost_site_has_it() -> None:
    known = sites("/s", "/s/isaacsim/exts/x/pip_prebundle")
    inner = "/s/isaacsim/exts/x/pip_prebundle/a.so"
    assert found({}, known, inner, "/s/b.so") == {inner: known[1].path, "/s/b.so": "/s"}


def test_a_site_is_called_as_it_is_reached() -> None:
    known = [Site(path="/link", real="/real", kind="site"), *sites("/real")]
    assert found({}, known, "/real/a.so") == {"/real/a.so": "/link"}


def test_what_links_lead_to_comes_once() -> None:
    links = {
        "/b/pkg": Link("/pool/pkg"),
        "/a/pkg": Link("/pool/pkg"),
        "/a/one.so": Link("/pool/one.so"),
        "/a/other": Link("/b/other"),
    }
    paths = ("/pool/pkg/x.so", "/pool/one.so", "/b/other/y.so", "/pool/nobody.so")
    assert found(links, sites("/a", "/b"), *paths) == {
        "/pool/pkg/x.so": "/a",
        "/pool/one.so": "/a",
        "/b/other/y.so": "/b",
    }


@pytest.mark.parametrize("target", ["/", "/usr", "nowhere", "loop"])
def test_a_link_does_not_make_the_whole_tree_a_site(target: str) -> None:
    links = {"/usr/s/loop": Link(target)}
    assert found(links, sites("/usr/s"), "/usr/lib/x.so", "/usr/s/y.so") == {
        "/usr/s/y.so": "/usr/s"
    }


def test_the_site_of_a_wheel_is_the_root() -> None:
    assert found({}, sites("/"), "/a/x.so") == {"/a/x.so": "/"}
