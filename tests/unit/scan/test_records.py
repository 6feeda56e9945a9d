"""What is not as it was installed is told, and nothing else is."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

import pytest

from envbuild.scan.binary import Binary
from envbuild.scan.installed import distributions, records
from envbuild.scan.model import Fault, Site, SiteKind
from envbuild.scan.tree import Tree, Trouble
from tests.support.scanned import Link, tree

SITE = "/env/lib/python3.11/site-packages"
ELF = Binary(machine="x86_64")


def row(path: str, content: str, *, size: int | None = None) -> str:
    digest = (
        base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).decode().rstrip("=")
    )
    return f"{path},sha256={digest},{len(content) if size is None else size}\n"


def wheel(name: str, version: str, files: Mapping[str, str]) -> dict[str, str]:
    """A distribution as it is installed."""
    info = f"{name}-{version}.dist-info"
    about = {
        f"{info}/METADATA": f"Name: {name}\nVersion: {version}\n",
        f"{info}/INSTALLER": "pip\n",
    }
    text = "".join(row(path, content) for path, content in (about | dict(files)).items())
    return {**about, **files, f"{info}/RECORD": f"{text}{info}/RECORD,,\n"}


A = wheel("a", "1.0", {"a/__init__.py": "one", "a/b.py": "two", "a/c.so": "three"})
B = {"b-1.dist-info/METADATA": "Name: b\n"}


def placed(
    files: Mapping[str, object], *, hashed: bool = False, roots: tuple[str, ...] = ("/",)
) -> Tree:
    paths = {path if path[0] == "/" else f"{SITE}/{path}": text for path, text in files.items()}
    digests = {
        path: hashlib.sha256(text.encode()).hexdigest()
        for path, text in paths.items()
        if hashed and isinstance(text, str) and not isinstance(text, Link)
    }
    return tree(paths, digests=digests, roots=roots)  # type: ignore[arg-type]


def faults(found: Tree, *sites: str, kind: SiteKind = "site") -> tuple[Fault, ...]:
    known = [Site(path=path, real=path, kind=kind) for path in sites or (SITE,)]
    return records.faults(found, known, distributions.find(found, known))


def fault(found: Tree, *sites: str) -> Fault:
    (only,) = faults(found, *sites)
    return only


@pytest.mark.parametrize("hashed", [True, False])
def test_what_is_as_it_was_has_no_fault(hashed: bool) -> None:
    assert faults(placed(A, hashed=hashed)) == ()


def test_another_size() -> None:
    assert fault(placed({**A, "a/b.py": "longer"})) == Fault(
        kind="changed",
        site=SITE,
        distributions=("a 1.0",),
        paths=(f"{SITE}/a/b.py",),
        count=1,
    )


def test_another_content_of_the_same_size_is_seen_by_its_hash() -> None:
    files = {**A, "a/b.py": "TWO"}
    assert faults(placed(files)) == ()
    assert fault(placed(files, hashed=True)).kind == "changed"


@pytest.mark.parametrize("digest", ["sha256=", "sha256=short", "md5=abc", "sha256=%%%", ""])
def test_a_hash_that_is_none_says_nothing(digest: str) -> None:
    files = {**A, "a-1.0.dist-info/RECORD": f"a/b.py,{digest},3\n"}
    assert faults(placed(files, hashed=True)) == ()


def without(files: Mapping[str, str], *paths: str) -> dict[str, str]:
    return {path: text for path, text in files.items() if path not in paths}


def test_a_missing_file() -> None:
    missing = fault(placed(without(A, "a/b.py")))
    assert (missing.kind, missing.paths, missing.count) == ("missing", (f"{SITE}/a/b.py",), 1)


def test_no_more_than_eight_paths_are_told() -> None:
    many = wheel("a", "1", {f"a/m{number}.py": "x" for number in range(20)})
    changed = fault(placed({**many, **{f"a/m{number}.py": "xy" for number in range(12)}}))
    assert (len(changed.paths), changed.count) == (8, 12)


@pytest.mark.parametrize(
    "path",
    [
        "a/tests/test_it.py",
        "a/test/data.bin",
        "tests/x.py",
        "a/__pycache__/b.cpython-311.pyc",
        "../../../bin/a",
        "a/b.pyi",
        "a/include/b.h",
        "a-1.0.dist-info/LICENSE",
        "/etc/passwd",
        "a\\b.py",
    ],
)
def test_what_nobody_misses(path: str) -> None:
    record = A["a-1.0.dist-info/RECORD"] + row(path, "x")
    assert faults(placed({**A, "a-1.0.dist-info/RECORD": record})) == ()


def test_a_record_without_hashes_and_sizes_says_nothing() -> None:
    record = "a/__init__.py,,\na/gone.py,,\n"
    assert faults(placed({**A, "a-1.0.dist-info/RECORD": record})) == ()


@pytest.mark.parametrize("installer", ["conda", "debian"])
def test_what_is_rewritten_after_it_was_recorded_says_nothing(installer: str) -> None:
    assert faults(placed({**A, "a/b.py": "longer", "a-1.0.dist-info/INSTALLER": installer})) == ()


def test_an_editable_install_says_nothing() -> None:
    url = '{"url": "file:///src", "dir_info": {"editable": true}}'
    assert faults(placed({**without(A, "a/b.py"), "a-1.0.dist-info/direct_url.json": url})) == ()


def test_what_could_not_be_read_is_not_missing() -> None:
    found = placed(without(A, "a/__init__.py", "a/b.py", "a/c.so"))
    found.folders[SITE]["a"] = placed(A).folders[SITE]["a"]  # type: ignore[index]
    troubled = Tree(
        roots=found.roots,
        folders=found.folders,
        texts=found.texts,
        modules={},
        troubles=(Trouble(path=f"{SITE}/a", why="permission denied"),),
    )
    assert faults(troubled) == ()


def test_a_file_that_is_a_link_to_an_equal_one() -> None:
    linked = {**A, "a/b.py": Link("/pool/two"), "/pool/two": "two"}
    assert faults(placed(linked, hashed=True)) == ()
    assert fault(placed({**linked, "/pool/two": "2"})).kind == "changed"


def test_a_file_behind_a_link_out_of_the_tree_is_not_known() -> None:
    linked = {**A, "a/b.py": Link("/elsewhere/two")}
    assert faults(placed(linked, roots=("/env",))) == ()


def test_a_package_behind_a_link() -> None:
    files = without(A, "a/__init__.py", "a/b.py", "a/c.so")
    there = {"/pool/a/__init__.py": "one", "/pool/a/b.py": "two", "/pool/a/c.so": "three"}
    assert faults(placed({**files, "a": Link("/pool/a"), **there}, hashed=True)) == ()
    assert (
        fault(placed({**files, "a": Link("/pool/a"), **there, "/pool/a/b.py": "2"})).kind
        == "changed"
    )


@pytest.mark.parametrize(
    "record", ["", '"', 'a,"b\nc', "\0,\0,\0", "a" * 300_000, "a/b.py,,-1", "a/b.py"]
)
def test_a_broken_record_says_nothing(record: str) -> None:
    assert faults(placed({**A, "a-1.0.dist-info/RECORD": record})) == ()


def test_metadata_alone() -> None:
    files = without(A, "a/__init__.py", "a/b.py", "a/c.so")
    alone = fault(placed(files))
    assert (alone.kind, alone.distributions, alone.count) == ("no-files", ("a 1.0",), 3)


def test_an_empty_folder_of_metadata() -> None:
    empty = fault(placed({"a-1.0.dist-info/": ""}))
    assert (empty.kind, empty.paths) == ("no-files", (f"{SITE}/a-1.0.dist-info",))


def test_a_distribution_of_metadata_alone_is_whole() -> None:
    assert faults(placed(wheel("isaacsim", "5.1.0", {}))) == ()


def test_a_copy_without_metadata_among_others() -> None:
    files = {"numpy/__init__.py": "x", "numpy/version.py": "version = '1.26.0'"}
    lonely = fault(placed({**A, **files}))
    assert (lonely.kind, lonely.distributions) == ("no-metadata", ("numpy 1.26.0",))
    assert faults(placed(files)) == ()
    assert faults(placed({**A, **files}), kind="path") == ()
    assert (
        faults(
            placed({**A, "numpy": Link("/n"), **{f"/n/{name[6:]}": files[name] for name in files}})
        )
        == ()
    )


def test_two_versions_of_which_one_is_there() -> None:
    old = wheel("a", "0.9", {"a/__init__.py": "zero", "a/old.py": "old"})
    about = {path: text for path, text in old.items() if ".dist-info" in path}
    two = fault(placed({**A, **about}, hashed=True))
    assert (two.kind, two.distributions) == ("two-versions", ("a 0.9", "a 1.0"))
    assert two.detail == "0.9 and 1.0"
    assert two.paths == (f"{SITE}/a-0.9.dist-info", f"{SITE}/a-1.0.dist-info")


def test_files_of_two_versions() -> None:
    old = wheel("a", "0.9", {"a/__init__.py": "zero", "a/old.py": "old"})
    two, mixed = faults(placed({**old, **A}, hashed=True))
    assert (two.kind, mixed.kind) == ("two-versions", "mixed")
    assert f"{SITE}/a/old.py" in mixed.paths
    assert mixed.detail == "0.9 and 1.0"


def test_one_version_recorded_twice_is_no_fault() -> None:
    again = {path.replace("a-1.0", "A-1.0"): text for path, text in A.items() if "METADATA" in path}
    assert faults(placed({**A, **again})) == ()


SOURCES = {f"numpy/{name}.py": name for name in ("__init__", "one", "two", "three")}
CORE = "numpy/core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so"
NUMPY = wheel("numpy", "1.26.4", {**SOURCES, CORE: "core", "numpy/lib.so": "lib"})


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({}, None),
        ({"numpy/one.py": "changed"}, "changed"),
        ({"numpy/more.py": "somebody's"}, None),
        ({"numpy/tests/more.py": "", "numpy/x.cpython-311.pyc": ""}, None),
        ({"numpy/__init__.py": "of 2.2.6"}, "mixed"),
        ({"numpy/version.py": "version = '2.2.6'\n"}, "mixed"),
        ({"numpy/more.so": ""}, "mixed"),
        ({"numpy.libs/libscipy_openblas64_-56d6093b.so": ""}, "mixed"),
        ({"numpy/_core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so": ""}, "mixed"),
        ({f"numpy/{name}.py": "another" for name in ("one", "two", "three")}, "mixed"),
        ({CORE: "x", "numpy/lib.so": "x"}, "changed"),  # stripped
        ({CORE: "x", "numpy/lib.so": "longer"}, "mixed"),
    ],
)
def test_numpy_of_two_versions(change: dict[str, str], kind: str | None) -> None:
    found = faults(placed({**NUMPY, **change}, hashed=True))
    assert [one.kind for one in found] == ([kind] if kind else [])


def test_numpy_without_a_record_is_mixed_where_both_cores_are_there() -> None:
    other = "numpy/_core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so"
    files = {"numpy/__init__.py": "", "numpy/version.py": "version = '2.2.6'\n"}
    assert faults(placed({**files, CORE: "x"})) == ()
    mixed = fault(placed({**files, CORE: "x", other: "x"}))
    assert (mixed.kind, mixed.paths) == ("mixed", (f"{SITE}/{CORE}", f"{SITE}/{other}"))


def test_two_owners() -> None:
    cv = {"cv2/__init__.py": "x" * 600, "cv2/cv2.so": "gui"}
    less = {"cv2/__init__.py": "x" * 600, "cv2/cv2.so": "headless"}
    one, other = wheel("opencv_python", "4.11", cv), wheel("opencv_python_headless", "4.12", less)
    owned = fault(placed({**one, **other}, hashed=True))
    assert owned.kind == "two-owners"
    assert owned.distributions == ("opencv-python 4.11", "opencv-python-headless 4.12")
    assert owned.paths == (f"{SITE}/cv2/cv2.so",)


@pytest.mark.parametrize(
    ("path", "mine", "other"),
    [
        ("nvidia/__init__.py", "", ""),
        ("google/__init__.py", "", "# a namespace"),
        ("shared/data.py", "the same", "the same"),
        ("tests/__init__.py", "mine", "other's"),
        ("LICENSE", "mine", "other's"),
        ("../../../bin/tool", "mine", "other's"),
    ],
)
def test_a_file_that_two_may_have(path: str, mine: str, other: str) -> None:
    one, two = wheel("one", "1", {path: mine}), wheel("two", "1", {path: other})
    assert [
        found.kind for found in faults(placed({**one, **two})) if found.kind == "two-owners"
    ] == []


def test_links_that_lead_nowhere() -> None:
    found = faults(
        placed(
            {
                **A,
                "a/gone.py": Link("nothing.py"),
                "packaging": Link("../other/packaging"),
                "loose/x": Link("y"),
                "loose/y": Link("x"),
                "a/tests/gone.py": Link("nothing.py"),
                "fine.py": Link("a/b.py"),
                "/elsewhere/gone": Link("nothing"),
            }
        )
    )
    assert [(one.kind, one.distributions, one.count) for one in found] == [
        ("dangling", (), 1),
        ("dangling", ("a 1.0",), 1),
        ("loop", (), 2),
    ]


def test_a_package_whose_link_dangles_has_that_fault_alone() -> None:
    files = without(A, "a/__init__.py", "a/b.py", "a/c.so")
    dangling = fault(placed({**files, "a": Link("/pool/a")}))
    assert (dangling.kind, dangling.distributions) == ("dangling", ("a 1.0",))


def test_a_link_out_of_the_tree_may_lead_somewhere() -> None:
    assert faults(placed({**A, "x": Link("/usr/lib/x")}, roots=("/env",))) == ()


def test_a_site_that_two_paths_reach_is_told_once() -> None:
    found = placed({**A, "a/b.py": "longer"})
    known = [Site(path=path, real=SITE, kind="site") for path in (SITE, "/link")]
    copies = distributions.find(found, known[:1])
    assert len(records.faults(found, known, copies)) == 1


def owners(files: Mapping[str, object], *modules: str) -> Mapping[str, str]:
    plain = placed(files)
    paths = [path if path[0] == "/" else f"{SITE}/{path}" for path in modules]
    found = tree(
        {path: plain.texts[path] for path in plain.texts},
        modules=dict.fromkeys(paths, ELF),
    )
    known = [Site(path=SITE, real=SITE, kind="site")]
    copies = distributions.find(found, known)
    return {
        path.removeprefix(f"{SITE}/"): name for path, name in records.owners(found, copies).items()
    }


def test_owners_by_record_by_folder_and_beside_the_site() -> None:
    record = "a/c.so,,\n../../libx.so,,\nz/m.so,,\n../../../../etc/y.so,,\n"
    found = owners(
        {**A, "a-1.0.dist-info/RECORD": record},
        "a/c.so",
        "a/late.so",
        "a.libs/libz.so",
        "z/m.so",
        "stray.so",
        "/env/lib/libx.so",
    )
    assert found == {
        "a/c.so": "a",
        "a/late.so": "a",
        "a.libs/libz.so": "a",
        "z/m.so": "a",
        "/env/lib/libx.so": "a",
    }


def test_of_two_owners_it_is_the_one_whose_size_is_there() -> None:
    files = {
        "a-1.dist-info/RECORD": "cv2/c.so,,7\n",
        "b-1.dist-info/RECORD": "cv2/c.so,,1000\n",
        "c-1.dist-info/RECORD": "cv2/c.so,,9\n",
    }
    assert owners(files, "cv2/c.so") == {"cv2/c.so": "b"}


def test_nobody_owns_what_lies_in_a_namespace() -> None:
    files = {
        "nvidia_a-1.dist-info/top_level.txt": "nvidia\n",
        "nvidia_b-1.dist-info/top_level.txt": "nvidia\n",
    }
    assert owners(files, "nvidia/x/lib.so") == {}
