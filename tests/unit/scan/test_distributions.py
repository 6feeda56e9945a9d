"""Every copy of a distribution is found, whatever its metadata looks like."""

from __future__ import annotations

import pytest

from envbuild.scan.installed import distributions, metadata
from envbuild.scan.model import Distribution, Site, SiteKind
from tests.support.scanned import Link, tree

SITE = "/env/lib/python3.11/site-packages"


def site(path: str = SITE, kind: SiteKind = "site") -> Site:
    return Site(path=path, real=path, kind=kind)


def found(files: dict, *sites: Site) -> tuple[Distribution, ...]:
    placed = {path if path[0] == "/" else f"{SITE}/{path}": text for path, text in files.items()}
    return distributions.find(tree({f"{SITE}/": "", **placed}), sites or (site(),))


def one(files: dict, *sites: Site) -> Distribution:
    (only,) = found(files, *sites)
    return only


def test_a_wheel() -> None:
    assert one(
        {
            "numpy-1.26.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: NumPy\nVersion: 1.26.0\n"
            "Requires-Dist: a>=1\nRequires-Dist: b ; extra == 'x'\n\nVersion: of the description\n",
            "numpy-1.26.0.dist-info/INSTALLER": "pip\n",
            "numpy-1.26.0.dist-info/RECORD": "numpy/__init__.py,,\nnumpy-1.26.0.dist-info/METADATA,,\n",
            "numpy/__init__.py": 1,
        }
    ) == Distribution(
        name="numpy",
        version="1.26.0",
        site=SITE,
        metadata=f"{SITE}/numpy-1.26.0.dist-info",
        package=f"{SITE}/numpy",
        requires=("a>=1", "b ; extra == 'x'"),
        installer="pip",
    )


METADATA = "Name: Zope.Interface\nVersion: 5.0\n"


@pytest.mark.parametrize(
    ("data", "name", "version"),
    [
        (METADATA.encode("utf-8-sig"), "zope-interface", "5.0"),
        (METADATA.encode("utf-16"), "zope-interface", "5.0"),
        (METADATA.replace("\n", "\r\n").encode(), "zope-interface", "5.0"),
        (b"Author: J\xf6rg\n" + METADATA.encode(), "zope-interface", "5.0"),
        (b"\n\n" + METADATA.encode(), "zope-interface", "5.0"),
        (b"NAME: one\nName: two\nversion:\n 1.5\nsummary: a\n\tVersion: 9\n", "one", "1.5"),
        (b"no header\n" + METADATA.encode(), "zope-interface", "5.0"),
        (b"Name: ../../etc\nVersion: 1 or 2\n", "folder", "3.0"),
        (b"Name: UNKNOWN NAME\n", "folder", "3.0"),
        (b"\0\xff\xfe garbage", "folder", "3.0"),
        (b"", "folder", "3.0"),
    ],
)
def test_odd_metadata(data: bytes, name: str, version: str) -> None:
    copy = one({"Folder-3.0.dist-info/METADATA": data})
    assert (copy.name, copy.version) == (name, version)


@pytest.mark.parametrize(
    ("folder", "name", "version"),
    [
        ("a-1.0.dist-info", "a", "1.0"),
        ("foo-bar-1.0rc1.dist-info", "foo-bar", "1.0rc1"),
        ("A_b-2!1.0+cu128.dist-info", "a-b", "2!1.0+cu128"),
        ("x-1.0-py3.11.egg-info", "x", "1.0"),
        ("x-1.0-py3.11-linux-x86_64.egg-info", "x", "1.0"),
        ("x.egg-info", "x", ""),
        ("x-dev.egg-info", "x", "dev"),
    ],
)
def test_a_folder_without_metadata_says_it_itself(folder: str, name: str, version: str) -> None:
    copy = one({f"{folder}/": ""})
    assert (copy.name, copy.version) == (name, version)


@pytest.mark.parametrize(
    "folder",
    [
        "~umpy-1.26.0.dist-info",
        "-umpy-1.26.0.dist-info",
        ".dist-info",
        "\x1b[31m.dist-info",
        "numpy",
    ],
)
def test_what_is_none(folder: str) -> None:
    assert found({f"{folder}/": ""}) == ()


def test_an_egg_info_folder_and_its_requirements() -> None:
    copy = one(
        {
            "x.egg-info/PKG-INFO": "Name: x\nVersion: 1.0\n",
            "x.egg-info/requires.txt": "a\n\n# no\n[:python_version < '3.9']\nb>1\n[extra]\nc\n"
            "[gpu:os_name == 'posix']\nd\n",
            "x.egg-info/top_level.txt": "_x\nthe_x\n",
            "the_x/__init__.py": 1,
            "_x/__init__.py": 1,
        }
    )
    assert copy.requires == (
        "a",
        "b>1 ; python_version < '3.9'",
        'c ; extra == "extra"',
        "d ; (os_name == 'posix') and extra == \"gpu\"",
    )
    assert copy.package == f"{SITE}/the_x"


def test_debian_has_an_egg_info_file_or_a_record_of_the_source() -> None:
    path = "/usr/lib/python3/dist-packages"
    copies = found(
        {
            f"{path}/six-1.16.0.egg-info": "Name: six\nVersion: 1.16.0\n",
            f"{path}/PyYAML-6.0.dist-info/RECORD": "yaml/__init__.py,,\n",
            f"{path}/yaml/__init__.py": 1,
        },
        site(path, "debian"),
    )
    assert [(one.name, one.version, one.installer) for one in copies] == [
        ("pyyaml", "6.0", "debian"),
        ("six", "1.16.0", "debian"),
    ]


def test_pip_next_to_debian_says_who_it_is() -> None:
    path = "/usr/local/lib/python3.11/dist-packages"
    assert one({f"{path}/a-1.dist-info/INSTALLER": "uv"}, site(path, "debian")).installer == "uv"


def test_a_package_of_conda() -> None:
    files = {"a-1.dist-info/METADATA": "Name: a\n", "/env/conda-meta/a-1-0.json": "{}"}
    assert one(files).installer == "conda"
    assert one({**files, "a-1.dist-info/INSTALLER": "pip\n"}).installer == "pip"


def test_an_editable_install() -> None:
    url = '{"url": "file:///src/my%20lab", "dir_info": {"editable": true}}'
    assert one({"lab-1.dist-info/direct_url.json": url}).editable == "/src/my lab"


def test_a_develop_install() -> None:
    copy = one(
        {
            "isaac-lab.egg-link": "/src/lab\n.\n",
            "/src/lab/isaac_lab.egg-info/PKG-INFO": "Name: isaac_lab\nVersion: 2.2.0\n",
            "/src/lab/isaac_lab/__init__.py": 1,
        }
    )
    assert (copy.name, copy.version, copy.editable) == ("isaac-lab", "2.2.0", "/src/lab")
    assert copy.package == "/src/lab/isaac_lab"


@pytest.mark.parametrize("text", ["/nowhere\n", "../../../../../../etc\n", "", "\0\n"])
def test_a_develop_install_of_what_is_not_there(text: str) -> None:
    copy = one({"a.egg-link": text})
    assert (copy.name, copy.version, copy.package) == ("a", "", "")


@pytest.mark.parametrize(
    ("metadata", "package"),
    [
        ({"top_level.txt": "cv2\n"}, "cv2"),
        (
            {
                "RECORD": "cv2/a.py,,\ncv2/b.py,,\nx/c.py,,\n../../../bin/cv,,\nopencv_python.libs/l.so,,\n"
            },
            "cv2",
        ),
        ({"RECORD": '"cv2/a,b.py",,\n'}, "cv2"),
        ({"top_level.txt": "/etc\n../cv2\n"}, "opencv_python"),
        ({}, "opencv_python"),
    ],
)
def test_the_main_module(metadata: dict[str, str], package: str) -> None:
    files = {f"opencv_python-4.dist-info/{name}": text for name, text in metadata.items()}
    folders = {f"{name}/__init__.py": 1 for name in ("cv2", "x", "opencv_python")}
    assert (
        one({"opencv_python-4.dist-info/WHEEL": "", **files, **folders}).package
        == f"{SITE}/{package}"
    )


def test_a_module_in_one_file_has_no_folder() -> None:
    assert one({"six-1.dist-info/RECORD": "six.py,,\n", "six.py": 1}).package == ""


OLD = 'import json\nversion_json = """\n{\n "dirty": false,\n "version": "1.24.4"\n}\n"""\n'


@pytest.mark.parametrize(
    ("name", "text", "version"),
    [
        ("version.py", 'version = "2.2.6"\n__version__ = version\n', "2.2.6"),
        ("version.py", "short_version: str = '1.0'\nversion: str = '1.26.0'\n", "1.26.0"),
        ("_version.py", OLD, "1.24.4"),
        ("version.py", "version = get_versions()['version']\n", "1.26.4"),
    ],
)
def test_numpy_is_what_its_files_say(name: str, text: str, version: str) -> None:
    copy = one(
        {
            "numpy-1.26.4.dist-info/METADATA": "Name: numpy\nVersion: 1.26.4\n",
            "numpy/__init__.py": 1,
            f"numpy/{name}": text,
        }
    )
    assert (copy.version, copy.recorded) == (version, "" if version == "1.26.4" else "1.26.4")


@pytest.mark.parametrize(
    ("one_version", "other", "same"),
    [
        ("1.26.0", "1.26", True),
        ("2.7.0+cu128", "2.7.0", True),
        ("1.0-rc1", "1.0rc1", True),
        ("1.26.0", "1.26.4", False),
        ("unknown", "unknown+1", True),
        ("unknown", "1.0", False),
    ],
)
def test_one_release(one_version: str, other: str, same: bool) -> None:
    assert metadata.same_release(one_version, other) is same


def test_a_copy_without_metadata() -> None:
    copies = found(
        {
            "numpy/__init__.py": 1,
            "numpy/version.py": 'version = "1.26.0"\n',
            "scipy/": "",
            "my_namespace/__init__.py": 1,
        }
    )
    assert copies == (
        Distribution(name="numpy", version="1.26.0", site=SITE, package=f"{SITE}/numpy"),
    )


def test_a_recorded_package_is_no_copy_without_metadata() -> None:
    copy = one(
        {
            "opencv_python_headless-4.dist-info/RECORD": "cv2/__init__.py,,\n",
            "cv2/__init__.py": 1,
        }
    )
    assert copy.name == "opencv-python-headless"


def test_a_package_behind_a_link() -> None:
    copy = one(
        {
            "numpy-1.26.0.dist-info": Link("/shared/numpy-1.26.0.dist-info"),
            "numpy": Link("/shared/numpy"),
            "/shared/numpy-1.26.0.dist-info/METADATA": "Name: numpy\nVersion: 1.26.0\n",
            "/shared/numpy/version.py": 'version = "1.26.4"\n',
            "gone-1.dist-info": Link("nowhere"),
        }
    )
    assert (copy.version, copy.recorded, copy.package) == ("1.26.4", "1.26.0", f"{SITE}/numpy")


def test_each_site_has_its_own_copies_in_the_order_of_the_sites() -> None:
    sites = (site("/b"), site("/a"))
    copies = found(
        {"/a/x-1.dist-info/": "", "/b/y-1.dist-info/": "", "/b/x-2.dist-info/": ""}, *sites
    )
    assert [(one.site, one.name, one.version) for one in copies] == [
        ("/b", "x", "2"),
        ("/b", "y", "1"),
        ("/a", "x", "1"),
    ]
