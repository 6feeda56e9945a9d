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
            git().replace('    commit: "0123456789012345678901234567890123456789"\n', "")
            + "variants:",
            (
                "13:5: git: 'lib' has neither a commit nor a ref // commit: 40 hex digits, or "
                "ref: a branch or a tag, resolved when it is locked"
            ),
        ),
        (
            "variants:",
            git("cmake").replace("name: lib", "name: wheels") + "variants:",
            (
                "13:5: git: 'wheels' is the name of a stage of each build"
                " // another name: wheels-library"
            ),
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


CONDA = {
    "source: uv": "source: conda",
    "variants:": """\
conda:
  channels: [{channels}]
  packages: []
  virtual-packages: {{{virtual}}}
variants:""",
}


def in_conda(*, channels="conda-forge", virtual=""):
    """The base with its Python from conda."""
    text = BASE
    for old, new in CONDA.items():
        assert text.count(old) == 1
        text = text.replace(old, new.format(channels=channels, virtual=virtual))
    return text


SECRET = (
    "a channel with credentials would be written to every lock // name it without them;"
    " mirrored_channels in your conda settings says where it is read"
)


@pytest.mark.parametrize(
    "channel",
    [
        "https://conda.example.com/t/tk-1234-abcd/main",
        "https://conda.example.com/t/tk-1234-abcd/main/label/dev",
        "https://conda.example.com:8443/t/0/main",
        "http://conda.example.com/t/x/",
    ],
)
def test_a_channel_with_credentials_is_refused(channel):
    """The address itself is said nowhere: messages are kept, in the logs of CI too."""
    (found,) = refused("base", base=in_conda(channels=f"conda-forge, {channel}"))
    assert found == f"envs/base.yaml:13:27: {SECRET}"


@pytest.mark.parametrize(
    "channel", ["https://user:word@conda.example.com/main", "https://user@conda.example.com/main"]
)
def test_a_channel_with_a_user_has_not_even_the_form(channel):
    (found,) = refused("base", base=in_conda(channels=channel))
    assert found.startswith("envs/base.yaml:13:14: ")
    assert "a conda channel" in found


@pytest.mark.parametrize(
    "channel",
    [
        "conda-forge",
        "nvidia/label/cuda-12.8.1",
        "https://conda.example.com/main",
        "https://conda.example.com:8443/channels/main",
        "https://conda.example.com/t",
        "https://conda.example.com/at/all/main",
    ],
)
def test_a_channel_without_credentials_is_taken(channel):
    (variant,) = resolve("base", sources(base=in_conda(channels=channel))).variants
    assert variant.environment.conda.channels == (channel,)


MACHINES = [
    ("__glibc", "2.39", ["2.35", "2"]),
    ("__cuda", "12.8", ["12.8", "13", "12.8.1"]),
    ("__linux", "5.10", ["5.10", "6.8.0", "6"]),
    ("__archspec", "x86_64_v3", ["x86_64", "x86_64_v3", "aarch64", "zen4"]),
    ("__unix", "2.39", ["0"]),
    ("__osx", "2.39", ["15.0"]),
]
"""The virtual package, the example of the message, and values that are taken."""


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, _, values in MACHINES for value in ["", *values]],
)
def test_what_a_machine_can_have(name, value):
    text = in_conda(virtual=f'{name}: "{value}"')
    (variant,) = resolve("base", sources(base=text)).variants
    assert variant.environment.conda.virtual_packages == {name: value}


@pytest.mark.parametrize(
    ("name", "example", "value"),
    [
        (name, example, value)
        for name, example, _ in MACHINES
        for value in [">=2.35", "2.*", "2.35=0", "2.", ".2", "-1", "2 35", "1=x86_64", "=", "X"]
    ],
)
def test_what_no_machine_has(name, example, value):
    (found,) = refused("base", base=in_conda(virtual=f'{name}: "{value}"'))
    assert found == (
        f"envs/base.yaml:15:22: {name}: {value!r} is not what a machine has"
        f' // {name}: "{example}", or "" where there is none'
    )


@pytest.mark.parametrize(
    ("name", "value"), [("__archspec", "2.39"), ("__glibc", "glibc"), ("__cuda", "cu128")]
)
def test_numbers_and_architectures_are_told_apart(name, value):
    (found,) = refused("base", base=in_conda(virtual=f'{name}: "{value}"'))
    assert f"{name}: {value!r} is not what a machine has" in found


def test_every_wrong_word_of_a_conda_part_is_said_at_its_place():
    channel = "https://conda.example.com/t/word/main"
    found = refused(
        "base",
        base=in_conda(
            channels=f"{channel}, a, {channel}",
            virtual='__glibc: "new", __unix: "0", __cuda: ">=1"',
        ),
    )
    assert [line.split(": ")[0] for line in found] == [
        "envs/base.yaml:13:14",
        "envs/base.yaml:13:56",
        "envs/base.yaml:15:22",
        "envs/base.yaml:15:51",
    ]


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
