"""What keys ask of each other, through whole profiles."""

import pytest

from envbuild.profile.resolve import resolve
from envbuild.profile.rules import PLAIN_REQUIREMENT

from .samples import BASE, changed, refused, sources

GIT = """\
git:
  - name: lib
    url: https://example.com/lib
    commit: "0123456789012345678901234567890123456789"
    path: {path}
    install: {install}
"""


def git(install="none", path="/opt/lib", more=""):
    return GIT.format(install=install, path=path) + more


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "source: uv\n  prefix: /opt/base\n",
            "source: image\n",
            (
                "9:3: python.interpreter is missing: source image uses one that the base image has"
                " // interpreter: /isaac-sim/python.sh"
            ),
        ),
        (
            "source: uv\n  prefix: /opt/base\n",
            "source: uv\n",
            (
                "9:3: python.prefix is missing: source uv makes an environment there"
                " // prefix: /opt/base"
            ),
        ),
        (
            "source: uv\n",
            "source: conda\n",
            (
                "9:3: conda is missing: python.source is conda"
                ' // conda: {channels: [conda-forge], packages: ["python=3.11"]}'
            ),
        ),
        (
            "variants:",
            "conda: {channels: [conda-forge], packages: []}\nvariants:",
            "12:1: conda is given, but python.source is uv // source: conda, or remove conda",
        ),
        (
            "variants:",
            "files: [{source: a, path: /a}, {source: b, path: /a}]\nvariants:",
            "12:44: files: '/a' is the path of two items // give each its own path",
        ),
        (
            "variants:",
            "smoke: [{name: a, imports: [x]}, {name: a, imports: [y]}]\nvariants:",
            "12:35: smoke: 'a' is the name of two items // give each its own name",
        ),
        (
            "variants:",
            git() + git(path="/opt/b").removeprefix("git:\n") + "variants:",
            "18:5: git: 'lib' is the name of two items // give each its own name",
        ),
        (
            "variants:",
            git() + git().removeprefix("git:\n").replace("name: lib", "name: b") + "variants:",
            "21:5: git: '/opt/lib' is the path of two items // give each its own path",
        ),
        (
            "  prefix: /opt/base\n",
            (
                "  prefix: /opt/base\n  indexes:\n"
                "    - {name: a, url: https://example.com/a, packages: []}\n"
                "    - {name: a, url: https://example.com/b, packages: []}\n"
            ),
            "13:8: python.indexes: 'a' is the name of two items // give each its own name",
        ),
        (
            "  prefix: /opt/base\n",
            (
                "  prefix: /opt/base\n  build-from-source:\n"
                "    - {package: p, reason: r, needs: [lib]}\n"
            ),
            (
                "12:39: p needs 'lib', which is no git source with install: cmake"
                " // such sources: none"
            ),
        ),
        (
            "variants:",
            git(more="    subdirectory: python\n") + "variants:",
            (
                "18:5: git: subdirectory has no effect with install: none"
                " // it says what pip or cmake installs; the checkout is always whole"
            ),
        ),
        (
            "variants:",
            git("pip", more="    options: [-DA=b]\n") + "variants:",
            "18:5: git: options has no effect with install: pip // they are for install: cmake",
        ),
        (
            "variants:",
            git("cmake", "/opt/base") + "variants:",
            (
                "16:5: git: 'lib' is installed to /opt/base, where python.prefix /opt/base is"
                " // path: /opt/lib"
            ),
        ),
        (
            "variants:",
            git("cmake", "/opt/base/lib") + "variants:",
            (
                "16:5: git: 'lib' is installed to /opt/base/lib, where python.prefix /opt/base is"
                " // path: /opt/lib"
            ),
        ),
        (
            "variants:",
            git("cmake", "/") + "variants:",
            (
                "16:5: git: 'lib' is installed to /, where python.prefix /opt/base is"
                " // path: /opt/lib"
            ),
        ),
        (
            "variants:",
            'hardware: {driver: {min: "580", below: "570.10"}}\nvariants:',
            (
                "12:12: hardware.driver: no version is at least 580 and below 570.10"
                " // min is the lower one"
            ),
        ),
        (
            "variants:",
            'hardware: {driver: {min: "580", below: "580.0"}}\nvariants:',
            (
                "12:12: hardware.driver: no version is at least 580 and below 580.0"
                " // min is the lower one"
            ),
        ),
    ],
)
def test_contradictions(old, new, problem):
    assert refused("base", base=changed(old, new)) == [f"envs/base.yaml:{problem}"]


BUILD = "prefix: /opt/base\n  build-from-source: [{package: p, reason: r, needs: [lib]}]\n"


@pytest.mark.parametrize(
    "changes",
    [
        {"source: uv\n  prefix: /opt/base\n": "source: image\n  interpreter: /usr/bin/python3\n"},
        {
            "source: uv": "source: conda",
            "variants:": "conda: {channels: [], packages: []}\nvariants:",
        },
        {
            "prefix: /opt/base\n": BUILD,
            "variants:": git(
                "cmake", "/opt/base-lib", "    subdirectory: c\n    options: [-DA=b]\n"
            )
            + "variants:",
        },
        {"variants:": git("pip", more="    subdirectory: python\n") + "variants:"},
        {"variants:": git("none", "/opt/base/src") + "variants:"},
        {"variants:": 'hardware: {driver: {min: "570.9", below: "570.10"}}\nvariants:'},
        {"variants:": 'hardware: {driver: {below: "570.10"}}\nvariants:'},
    ],
)
def test_what_agrees(changes):
    text = BASE
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    assert resolve("base", sources(base=text)).name == "base"


WRONG = "write it as pip does: name[extra]>=1.0,<2 ; marker"


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("requirements: [numpy, torch==2.7.0]", None),
        ("constraints", 17),
        ("build-constraints", 23),
    ],
)
def test_requirements_are_read(field, column):
    text = (
        changed("torch==2.7.0", "torch >> 2")
        if column is None
        else changed("  requirements:", f"  {field}: ['torch >> 2']\n  requirements:")
    )
    (found,) = refused("base", base=text)
    where, _, message = found.partition(": ")
    assert where == f"envs/base.yaml:11:{column or 25}"
    assert message.startswith("'torch >> 2' is not a requirement: ")
    assert message.endswith(f" // {WRONG}")


def test_nested_requirements_are_read():
    text = changed(
        "  requirements:",
        "  overrides: [{requirement: 'a b', reason: r}]\n"
        "  metadata: [{name: m, source: s, requires-dist: [x, 'y =< 1']}]\n"
        "  requirements:",
    )
    assert [line.split(": ")[0] for line in refused("base", base=text)] == [
        "envs/base.yaml:11:16",
        "envs/base.yaml:12:54",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "torch",
        "torch==2.7.0",
        "a-b_c.d[x,y] >= 1.0, < 2",
        "a==1.*",
        "a!=1.0.*",
        "a>=1.0.post1.dev2",
    ],
)
def test_plain_requirements_need_no_parser(text):
    assert PLAIN_REQUIREMENT.fullmatch(text)


@pytest.mark.parametrize(
    "text",
    [
        "torch; python_version < '3.12'",
        "torch @ https://example.com/torch.whl",
        "torch>=1!2.0",
        "torch~=2.1",
        "torch===2.7.0",
        "torch==2.7.0+cu128",
        "torch (>=1)",
    ],
)
def test_other_requirements_are_parsed(text):
    assert not PLAIN_REQUIREMENT.fullmatch(text)
    assert resolve("base", sources(base=changed("torch==2.7.0", f'"{text}"'))).name == "base"
