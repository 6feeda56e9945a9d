"""What stands out in a tree, found in one walk."""

from envbuild.scan.landmarks import find
from tests.support.scanned import Link, tree


def test_files_and_bytes_are_counted_and_links_are_not():
    marks = find(tree({"/a/x": 100, "/a/y": b"12345", "/b": Link("a"), "/c/": ""}))
    assert (marks.files, marks.bytes) == (2, 105)


def test_folders_that_hold_a_launcher():
    marks = find(tree({"/s/python.sh": "", "/a/python.sh": "", "/a/conda-meta/history": ""}))
    assert marks.held("python.sh") == ("/a", "/s")
    assert marks.held("conda-meta") == ("/a",)
    assert marks.held("isaaclab.sh") == ()


def outside(files, root="/env"):
    return find(tree(files, roots=(root,))).outside


def test_links_that_leave_what_was_read_are_told():
    files = {
        "/env/bin/python": Link("/usr/bin/python3.11"),
        "/env/lib/a.so": Link("../../opt/a.so"),
        "/env/in": Link("lib/a"),
        "/env/lib/a": Link("b"),
        "/env/lib/b": 1,
        "/env/gone": Link("nothing"),
        "/env/loop": Link("loop"),
        "/env/out": Link("lib/out"),
        "/env/lib/out": Link("/srv/data"),
    }
    assert outside(files) == ("/opt/a.so", "/srv/data", "/usr/bin/python3.11")


def test_nothing_is_outside_of_an_image():
    assert find(tree({"/env/bin/python": Link("/usr/bin/python3.11")})).outside == ()


def test_of_many_links_the_folders_that_they_share_are_told():
    """An installer may link each file to its cache."""
    files = {f"/env/p{n}/f{n}.py": Link(f"/cache/uv/archive/x{n}/f.py") for n in range(500)}
    files["/env/bin/python"] = Link("/usr/bin/python3")
    assert outside(files) == ("/cache/uv/archive", "/usr/bin/python3")
