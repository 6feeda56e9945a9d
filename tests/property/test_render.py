"""Quoting goes through a real shell and back; no value of a profile changes a Dockerfile's shape."""

import copy
import subprocess
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from envbuild.errors import InputError
from envbuild.lock.folder import sha256
from envbuild.lock.model import (
    LOCK_FORMAT,
    CondaHalf,
    FileDigest,
    Lock,
    LockedPackage,
    SolverInput,
    VariantLock,
)
from envbuild.profile.model import Environment
from envbuild.profile.resolved import ResolvedProfile, Variant
from envbuild.profile.words import NO_CONTROL
from envbuild.render.dockerfile import parse
from envbuild.render.quoting import docker_word, exec_form, shell_word
from envbuild.render.tree import render
from envbuild.render.words import exec_form as parse_exec_form
from envbuild.render.words import pairs, shell_tokens

pytestmark = pytest.mark.property

LINES = st.from_regex(NO_CONTROL, fullmatch=True)
TRICKY = st.lists(
    st.one_of(
        LINES, st.sampled_from(["\\", "'", '"', "$", "$(id)", "`id`", " ", "#", "<<EOF", "-", "*"])
    )
).map("".join)


@given(TRICKY)
@example("\\")
@example("' \\\\ \"")
def test_env_values_come_back(value):
    (found,) = parse(f"ENV A={docker_word(value)} B={docker_word(value)}")
    assert pairs(found.arguments, {}) == (("A", value), ("B", value))


@given(st.lists(TRICKY, min_size=1))
def test_exec_forms_come_back(values):
    (found,) = parse(f"CMD {exec_form(values)}")
    assert parse_exec_form(found.arguments) == tuple(values)


@settings(max_examples=60, deadline=None)
@given(st.lists(TRICKY, max_size=30))
def test_shell_words_come_back_through_a_real_shell(values):
    """Through the Dockerfile too: the line is cut out of a parsed RUN."""
    words = " ".join(shell_word(value) for value in values)
    (found,) = parse(f"RUN printf '%s\\0' \\\n  {words} --")
    printed = subprocess.run(["/bin/sh", "-c", found.arguments], capture_output=True, check=True)
    assert printed.stdout == b"".join(v.encode() + b"\0" for v in [*values, "--"])


@given(st.lists(TRICKY, min_size=1))
@example(["%", "~", "a%20b"])
def test_quoted_words_are_never_live(values):
    tokens = shell_tokens(" ".join(shell_word(value) for value in values))
    assert [token.text for token in tokens] == values
    assert not [token.live for token in tokens if token.live]


# --- Every string of a profile that can reach a Dockerfile ---------------------------------------

TEMPLATES = Path(__file__).parents[2] / "templates"
SHIPPED = {str(p.relative_to(TEMPLATES)): p.read_text() for p in TEMPLATES.rglob("*.j2")}
VARIANT = "linux-amd64-cu128"
COMMON = {
    "schema": 1,
    "name": "demo",
    "summary": "A summary.",
    "base": {
        "image": "registry.example.com/sim:5.0",
        "digest": f"sha256:{'5' * 64}",
        "build-image": "registry.example.com/devel:5.0",
        "distribution": "ubuntu-22.04",
    },
    "apt": ["libgl1"],
    "git": [
        {
            "name": "lib",
            "url": "https://example.com/lib",
            "commit": "1" * 40,
            "path": "/opt/lib",
            "install": "cmake",
            "ref": "main",
            "subdirectory": "src",
            "apt": ["bison"],
            "options": ["-DA=b"],
        },
        {
            "name": "tool",
            "url": "https://example.com/tool",
            "commit": "2" * 40,
            "path": "/opt/tool",
            "install": "pip",
        },
    ],
    "files": [{"source": "a.sh", "path": "/a.sh", "mode": "0755"}],
    "env": {"KEY": "value"},
    "user": {"name": "dev", "uid": 1000, "create": True},
    "workdir": "/workspace",
    "entrypoint": ["entry"],
    "command": ["command"],
}
BUILDS = [
    {
        "package": "docopt",
        "reason": "A reason.",
        "apt": ["gcc"],
        "needs": ["lib"],
        "environment": {"FLAG": "value"},
    }
]
PYTHONS = {
    "image": {"interpreter": "/isaac-sim/python.sh"},
    "venv": {"interpreter": "/usr/bin/python3", "prefix": "/opt/e"},
    "uv": {"prefix": "/opt/e"},
    "conda": {"prefix": "/opt/e"},
}


def profile_tree(kind):
    source = "image" if kind == "venv" else kind
    python = {
        "version": "3.11",
        "source": source,
        "build-constraints": ["setuptools<82"],
        "build-from-source": BUILDS,
        **PYTHONS[kind],
    }
    tree = {**copy.deepcopy(COMMON), "python": copy.deepcopy(python)}
    if kind == "conda":
        tree["conda"] = {
            "channels": ["conda-forge"],
            "packages": ["ffmpeg=6.1"],
            "virtual-packages": {"__glibc": "2.35"},
        }
    return tree


def leaves(tree, path=()):
    """The path of every string; the name of a variable counts as one, as ``(..., name, None)``."""
    if isinstance(tree, str):
        yield path
    elif isinstance(tree, dict):
        for key, value in tree.items():
            if path and path[-1] in {"env", "environment", "virtual-packages"}:
                yield (*path, key, None)
            yield from leaves(value, (*path, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from leaves(value, (*path, index))


# A name that picks out another value, not a text of the Dockerfile.
CHOICES = {"package", "needs", "source", "install", "reason"}
PLACES = [
    (kind, path)
    for kind in PYTHONS
    for path in leaves(profile_tree(kind))
    if not CHOICES.intersection(path) or path[0] == "files"
]


def put(tree, path, value):
    *way, last = path
    if last is None:
        *way, last = way
        for key in way:
            tree = tree[key]
        tree[value] = tree.pop(last)
        return
    for key in way:
        tree = tree[key]
    tree[last] = value


WHEELS = b"numpy==1.0 \\\n    --hash=sha256:aa\n"
SOURCES = b"docopt==1.0 \\\n    --hash=sha256:bb\n"
TEXTS = {
    f"{VARIANT}.txt": WHEELS,
    f"{VARIANT}.sdist.txt": SOURCES,
    "linux-64.explicit.txt": b"@EXPLICIT\n",
}


def conda_half():
    file = FileDigest(path="linux-64.explicit.txt", sha256=sha256(b"@EXPLICIT\n"))
    return CondaHalf(
        solver="py-rattler 0.28.0",
        packages=(),
        explicit=(file,),
        environment=file,
        lock=file,
        virtual=file,
    )


def lock(environment):
    def package(name, integrity):
        return LockedPackage(name=name, version="1.0", requested=(), integrity=integrity)

    return Lock(
        format=LOCK_FORMAT,
        profile=environment.name,
        tools={"uv": "0.13.8"},
        variants={
            VARIANT: VariantLock(
                digest="d" * 64,
                input=SolverInput(image="", python="", platform="", as_of="", requirements=()),
                wheels=FileDigest(path=f"{VARIANT}.txt", sha256=sha256(WHEELS)),
                sources=FileDigest(path=f"{VARIANT}.sdist.txt", sha256=sha256(SOURCES)),
                packages=(package("numpy", "wheel"), package("docopt", "source")),
                conda=conda_half() if environment.conda else None,
            )
        },
        files=tuple(
            FileDigest(path=f"files/{file.source}", sha256=sha256(b"a file"))
            for file in environment.files
        ),
    )


def rendered(environment):
    profile = ResolvedProfile(
        name=environment.name,
        summary=environment.summary,
        files=("envs/demo.yaml",),
        variants=(Variant(name=VARIANT, environment=environment, marks={}),),
    )
    texts = TEXTS | {f"files/{file.source}": b"a file" for file in environment.files}
    made = render(profile, lock(environment), texts=texts, templates=SHIPPED)
    return {file.path: file.text for file in made.files}


def instructions(environment):
    return parse(rendered(environment)["Dockerfile"])


PLAIN = {kind: instructions(msgspec.convert(profile_tree(kind), Environment)) for kind in PYTHONS}


def check(kind, path, value):
    """Refused with a message, or every value is there and the shape is that of plain values."""
    tree = profile_tree(kind)
    put(tree, path, value)
    if path == ("git", 0, "name"):  # a build needs it under this name
        tree["python"]["build-from-source"][0]["needs"] = [value]
    try:
        environment = msgspec.convert(tree, Environment)
    except msgspec.ValidationError:
        return "refused"
    try:
        files = rendered(environment)
    except InputError as error:
        if "which no line of a Dockerfile can carry" in error.message:
            return "refused"
        raise
    found = parse(files["Dockerfile"])
    assert [i.keyword for i in found] == [i.keyword for i in PLAIN[kind]]
    said = {i.keyword: [j.arguments for j in found if j.keyword == i.keyword] for i in found}
    assert environment.env.items() <= dict(pairs(said["ENV"][-1], {})).items()
    labels = dict(pairs(said["LABEL"][-1], {}))
    assert labels["org.opencontainers.image.description"] == environment.summary
    assert parse_exec_form(said["ENTRYPOINT"][-1]) == environment.entrypoint
    assert parse_exec_form(said["CMD"][-1]) == environment.command
    words = {token.text for run in said["RUN"] for token in shell_tokens(run)}
    (build,) = environment.python.build_from_source
    assert {f"{k}={v}" for k, v in build.environment.items()} <= words
    assert {*environment.python.build_constraints} <= words
    asked = {line for path, text in files.items() if "/apt/" in path for line in text.split("\n")}
    assert {*environment.apt, *build.apt} <= asked
    sources = {text for path, text in files.items() if path.endswith("/source.txt")}
    assert sources == {f"{git.url} {git.commit}\n" for git in environment.git}
    return "kept"


HOSTILE = [
    "a\nRUN id",
    "a\n",
    "/a\n",
    "a\\\nRUN id",
    "a\u2028RUN id",
    "a\rb",
    "\x00",
    '"; id; "',
    "'; id; '",
    "$(id)",
    "`id`",
    "${PATH}",
    "--privileged",
    "-x",
    "#comment",
    "a\\",
    "\\",
    "<<EOF",
    "größe ☃ 机器人",
    "a b",
    "",
    "x" * 10_000,
    "../../etc/passwd",
    "* ? [a]",
    "a\tb",
]


@pytest.mark.parametrize("value", HOSTILE, ids=[ascii(v[:20]) for v in HOSTILE])
def test_no_hostile_value_changes_the_shape(value):
    results = {check(kind, path, value) for kind, path in PLACES}
    assert "refused" in results


def test_harmless_values_are_kept_in_free_text():
    for path in [("env", "KEY"), ("entrypoint", 0), ("command", 0), ("summary",)]:
        assert check("image", path, 'it\'s "$5" \\ #1 größe') == "kept"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PLACES), st.one_of(TRICKY, st.text(), st.sampled_from(HOSTILE)))
def test_no_value_changes_the_shape(place, value):
    assert check(*place, value) in {"refused", "kept"}


def test_the_places_are_all_kinds_of_string():
    names = {tuple(p for p in path if isinstance(p, str)) for _, path in PLACES}
    assert len(PLACES) > 100
    assert {("env", "KEY"), ("git", "options"), ("conda", "packages"), ("user", "name")} <= names
