"""The PYTHONPATH that shell scripts set, read and never run."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envbuild.scan.starting.shellpaths import expanded, pythonpath
from envbuild.scan.starting.shellwords import commands
from tests.support.scanned import Link, tree


def read(text, variables=None, **files):
    more = {f"/sim/{name}": content for name, content in files.items()}
    found = pythonpath(
        tree({"/sim/s.sh": text, "/sim/a/x": "", "/sim/b/x": "", **more}),
        "/sim/s.sh",
        variables or {},
    )
    return found.folders, found.sure


@pytest.mark.parametrize(
    ("text", "folders"),
    [
        ("export PYTHONPATH=/a:/b", ("/a", "/b")),
        ("PYTHONPATH=/a\nPYTHONPATH=$PYTHONPATH:/b", ("/a", "/b")),
        ("PYTHONPATH=/a; PYTHONPATH+=:/b", ("/a", "/b")),
        ("PYTHONPATH=/b\nexport PYTHONPATH=/a:${PYTHONPATH}", ("/a", "/b")),
        ('export A="/a" PYTHONPATH="$A/b:/c"', ("/b", "/c")),
        ('export A="/a"; export PYTHONPATH="$A/b:/c"', ("/a/b", "/c")),
        ("export PYTHONPATH=/a:\\\n/b", ("/a", "/b")),
        ("# PYTHONPATH=/no\nPYTHONPATH=/a # :/no", ("/a",)),
        ("PYTHONPATH='/a b':\"/c d\"", ("/a b", "/c d")),
        ("PYTHONPATH=/a//b/../c/:/d/.", ("/a/c", "/d")),
        ("PYTHONPATH=/a::relative:/b:/a", ("/a", "/b")),
        ("PYTHONPATH=${NONE:-/a}:${NONE:+/b}", ("/a",)),
        ("X=1; PYTHONPATH=${X:+/b}:${X:-/a}", ("/b",)),
        ("unset PYTHONPATH; PYTHONPATH=/b:$PYTHONPATH", ("/b",)),
        ("PYTHONPATH=~/a", ("/home/u/a",)),
        ("f() {\n PYTHONPATH=/no\n exit 1\n}\nfunction g {\n exit 1\n}\nPYTHONPATH=/a", ("/a",)),
        ("PYTHONPATH=/a\nexit 0\nPYTHONPATH=/b", ("/a",)),
        ("PYTHONPATH=/a\nexec python3\nPYTHONPATH=/b", ("/a",)),
        ("while true; do PYTHONPATH=/no; done; PYTHONPATH=/a", ("/a",)),
        ('case "$1" in\n -x) PYTHONPATH=/no ;;\nesac\nPYTHONPATH=/a', ("/a",)),
    ],
)
def test_assignments(text, folders):
    assert read(text, {"HOME": "/home/u"}) == (folders, True)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("[ -d /sim/a ]", True),
        ("[ -d /sim/c ]", False),
        ("[ ! -d /sim/c ]", True),
        ("! [[ -z $SET ]]", True),
        ('[ -n "$SET" ]', True),
        ('[ -n "$NONE" ]', False),
        ('[ -z "$NONE" ]', True),
        ("[ -f /sim/a/x ]", True),
        ("[ -f /sim/a ]", False),
        ("[ -e /sim/a ]", True),
        ('[ "$SET" = yes ]', True),
        ('[ "$SET" != yes ]', False),
        ("[[ $SET == yes ]] && [ -d /sim/a ]", True),
        ("[[ $SET == yes ]] && [ -d /sim/c ]", False),
        ("[ -d /sim/c ] || [ -d /sim/a ]", True),
        ("command -v python3", False),
    ],
)
def test_conditions(condition, holds):
    text = f"if {condition}; then\n  PYTHONPATH=/yes\nelse\n  PYTHONPATH=/no\nfi\n"
    assert read(text, {"SET": "yes"})[0] == (("/yes",) if holds else ("/no",))


def test_branches_within_branches():
    text = """
    if [ -d /sim/c ]; then PYTHONPATH=/1
    elif [ -d /sim/a ]; then
      if [ -d /sim/c ]; then PYTHONPATH=/2; else PYTHONPATH=/3; fi
    else PYTHONPATH=/4; fi
    [ -d /sim/c ] && PYTHONPATH=$PYTHONPATH:/5
    [ -d /sim/c ] || PYTHONPATH=$PYTHONPATH:/6
    cd /nowhere &&
      PYTHONPATH=$PYTHONPATH:/7
    """
    assert read(text)[0] == ("/3", "/6", "/7")


def test_lists_with_globs():
    text = """
    for one in "/sim/none" "/sim/a" /sim/ext*/omni.kit.*/pip; do
      if [ -d "$one" ]; then P="${P:+$P:}$one"; fi
    done
    export PYTHONPATH="$P"
    """
    files = {"exts/omni.kit.b/pip/x": "", "extscache/omni.kit.a/pip/x": "", "exts/other/pip/x": ""}
    assert read(text, **files)[0] == (
        "/sim/a",
        "/sim/exts/omni.kit.b/pip",
        "/sim/extscache/omni.kit.a/pip",
    )


@pytest.mark.parametrize(
    "folder",
    [
        '$(dirname "${BASH_SOURCE[0]}")',
        '$( cd "$( dirname "${BASH_SOURCE[0]}" )" && pwd )',
        '$( cd -- "$( dirname -- "${BASH_SOURCE[0]}" )" &> /dev/null && pwd )',
        '$(cd -- "$(dirname "${BASH_SOURCE[0]}")" > /dev/null 2>&1; pwd -P)',
        '$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)',
        "`dirname $0`",
        '$(realpath -s "$(dirname "$0")")',
        '$(dirname "$0")/../sim',
        '$( cd "$( dirname "${BASH_SOURCE[0]}" )/../sim" && pwd )',
    ],
)
def test_the_scripts_own_folder(folder):
    for text in (f"D={folder}", f'D="{folder}"'):
        assert read(f"{text}\nPYTHONPATH=$D/a") == (("/sim/a",), True)


def test_a_link_to_a_script_says_the_folder_of_either():
    files = {"/sim/s.sh": 'PYTHONPATH="$(dirname "$0")/a:$(dirname $(readlink -f $0))/b"'}
    found = pythonpath(tree({**files, "/lab/s.sh": Link("../sim/s.sh")}), "/lab/s.sh", {})
    assert found.folders == ("/lab/a", "/sim/b")


def test_scripts_that_source_others_share_their_variables():
    other = "PYTHONPATH=$here/a:$(dirname $BASH_SOURCE)/b\nreturn\nPYTHONPATH=/no"
    text = 'here=/x\nsource "/sim/other.sh"\n. ./gone.sh\nPYTHONPATH=$PYTHONPATH:/c'
    assert read(text, **{"other.sh": other}) == (("/x/a", "/sim/b", "/c"), True)


def test_filters_of_conda():
    text = "PYTHONPATH=/sim/kit/python/x:/sim/a:/b\n"
    text += "S=/sim\nexport PYTHONPATH=$(echo \"$PYTHONPATH\" | tr ':' '\\n' | "
    text += "grep -v \"$S/kit/python\" | grep -v '/b' | tr '\\n' ':' | sed 's/:$//')\n"
    assert read(text) == (("/sim/a",), True)


def test_what_only_running_it_would_tell_is_said_to_be_unknown():
    assert read("PYTHONPATH=/a:$(python3 -c 'print(1)'):/b") == (("/a", "/b"), False)
    assert read("PYTHONPATH=/a:${X//a/b}") == (("/a",), False)
    assert read("X=$(curl host)\nPYTHONPATH=/a") == (("/a",), True)


@pytest.mark.parametrize(
    "text",
    [
        "while",
        "if",
        "for",
        "for x in",
        "for x in a b; do",
        "if [ -d x ]; then",
        "fi",
        "done",
        "}",
        "(((((",
        "$(",
        '"',
        "'",
        "${",
        "`",
        "a=$(" * 3000,
        '"$(' * 3000,
        "if x; then " * 3000,
        "for x in 1 2 3 4 5 6 7 8 9; do " * 12 + "y=$y$x;" + "done;" * 12,
        "a=xxxxxxxxxx\n" + "a=$a$a$a$a$a$a$a$a\n" * 30,
        "source /sim/s.sh\n" * 20,
        "PYTHONPATH=/*/*/*/*/*/*/*/*",
        "PYTHONPATH=/[:/[!:/*[",
        "\\",
        "&&",
        "|| |",
        "! ! ! !",
        "!",
        "source",
        "for x in " + "/sim/* " * 5000 + "; do y=$x$y; done",
    ],
)
def test_scripts_of_any_kind_come_to_an_end(text):
    read(text)
    read(f"{text}\nPYTHONPATH=/a")


@pytest.mark.property
@settings(max_examples=150)
@given(st.text(alphabet="$(){}[]\"'`;|&\\ \n=:/*?!#aPif", max_size=60))
def test_no_text_breaks_the_reader(text):
    for one in commands(text):
        assert one.words
    folders, _ = read(f"PYTHONPATH=/a:{text}")
    assert all(one.startswith("/") for one in folders)


def test_globs_and_plain_paths():
    here = tree({"/s/a1/x": "", "/s/a2/x": "", "/s/b": Link("a1"), "/s/.hidden/x": ""})
    assert list(expanded(here, "/s/a?/x")) == ["/s/a1/x", "/s/a2/x"]
    assert list(expanded(here, "/s/[ab]*")) == ["/s/a1", "/s/a2", "/s/b"]
    assert list(expanded(here, "/s/b/*")) == ["/s/b/x"]
    assert list(expanded(here, "/gone/./x")) == ["/gone/x"]
    assert list(expanded(here, "/gone/*")) == []
    assert list(expanded(here, "relative/*")) == []
