"""The words of a profile: strings and numbers that must have a form before they are believed.

A string that reaches a shell or a Dockerfile has a pattern here. Each word says in plain English
what it looks like; messages, the schema and the reference page all take it from here.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

NO_CONTROL = r"^[^\x00-\x1f\x7f\u0085\u2028\u2029]*$(?!\n)"
"""Any text on one line: no control character, so that no value can begin a new instruction.

``(?!\\n)`` stands behind each ``$`` because ``$`` alone also fits before a last line feed.
"""

Line = Annotated[str, Meta(pattern=NO_CONTROL, max_length=4096, description="one line of text")]
Text = Annotated[
    str, Meta(pattern=NO_CONTROL, min_length=1, max_length=500, description="a sentence")
]
Name = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$(?!\n)",
        max_length=64,
        description="lower-case words joined by hyphens",
    ),
]
VariantName = Annotated[
    str,
    Meta(
        pattern=r"^linux-(amd64|arm64)-(cpu|cu[1-9][0-9]{2})$(?!\n)",
        description="a platform and an accelerator: linux-amd64-cu128",
    ),
]
Moment = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$(?!\n)",
        description="a moment in UTC: 2026-02-01T00:00:00Z",
    ),
]
ImageReference = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*(:[0-9]+)?(/[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*)*"
        r":[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$(?!\n)",
        description="an image with its tag: nvcr.io/nvidia/isaac-sim:5.1.0",
    ),
]
Sha256 = Annotated[
    str, Meta(pattern=r"^sha256:[0-9a-f]{64}$(?!\n)", description="sha256: and 64 hex digits")
]
Commit = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{40}$(?!\n)", description="a commit, 40 hex digits")
]
GitUrl = Annotated[
    str,
    Meta(
        pattern=(
            r"^(https://[A-Za-z0-9._:-]+/|ssh://([A-Za-z0-9._-]+@)?[A-Za-z0-9._:-]+/|file:///)"
            r"[A-Za-z0-9._~@:/%+-]+$(?!\n)"
        ),
        description="a repository by https, ssh or file, without credentials",
    ),
]
HttpUrl = Annotated[
    str,
    Meta(
        pattern=r"^(https?|file)://[A-Za-z0-9._~:/%+-]+$(?!\n)",
        description="an address by https, http or file, without credentials",
    ),
]
GitRef = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$(?!\n)",
        max_length=200,
        description="a branch or a tag",
    ),
]
AbsolutePath = Annotated[
    str,
    Meta(
        pattern=r"^(?!.*/\.\.?(/|$))/([A-Za-z0-9_.@+-]+(/[A-Za-z0-9_.@+-]+)*)?$(?!\n)",
        max_length=1024,
        description="an absolute path in the image, of letters, digits and _.@+-",
    ),
]
RelativePath = Annotated[
    str,
    Meta(
        pattern=r"^(?!.*(^|/)\.\.?(/|$))[A-Za-z0-9_.@+-]+(/[A-Za-z0-9_.@+-]+)*$(?!\n)",
        max_length=1024,
        description="a relative path without . and .., of letters, digits and _.@+-",
    ),
]
SiteGlob = Annotated[
    str,
    Meta(
        pattern=r"^/[A-Za-z0-9_.@+*/-]+$(?!\n)",
        max_length=1024,
        description="an absolute path in the image, with * for any name",
    ),
]
AptName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9+.-]*[a-z0-9+.]$(?!\n)",
        max_length=200,
        description="a Debian package",
    ),
]
EnvName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$(?!\n)", max_length=200, description="a variable's name"
    ),
]
PackageName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$(?!\n)",
        description="a Python package's name",
    ),
]
Requirement = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][^\x00-\x1f\x7f\u0085\u2028\u2029#]*$(?!\n)",
        max_length=500,
        description="a requirement as pip takes it: name[extra]>=1.0,<2 ; marker",
    ),
]
CondaSpec = Annotated[
    str,
    Meta(
        pattern=r"""^[A-Za-z0-9_][A-Za-z0-9_.*=<>!,| :/\[\]'"-]*$(?!\n)""",
        max_length=500,
        description="a conda specification: python=3.11",
    ),
]
CondaChannel = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:-]*$(?!\n)",
        max_length=500,
        description="a conda channel",
    ),
]
VirtualPackage = Annotated[
    str, Meta(pattern=r"^__[a-z]+$(?!\n)", description="a virtual package: __glibc")
]
PythonVersion = Annotated[
    str,
    Meta(
        pattern=r"^3\.(9|1[0-9])(\.[0-9]+)?$(?!\n)", description="a Python version: 3.11 or 3.11.9"
    ),
]
Module = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$(?!\n)",
        description="a module as Python imports it",
    ),
]
GpuArchitecture = Annotated[
    str, Meta(pattern=r"^sm_[1-9][0-9]{1,2}$(?!\n)", description="a GPU architecture: sm_90")
]
DriverVersion = Annotated[
    str, Meta(pattern=r"^[0-9]{3}(\.[0-9]+){0,2}$(?!\n)", description="a driver version: 580.65.06")
]
Mode = Annotated[str, Meta(pattern=r"^0[0-7]{3}$(?!\n)", description="file permissions: 0644")]
IndexPattern = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9-]*\*?$(?!\n)",
        description="a canonical package name, or the beginning of some and *",
    ),
]
CmakeOption = Annotated[
    str,
    Meta(
        pattern=r"^-D[A-Za-z0-9_]+=[A-Za-z0-9_./-]+$(?!\n)",
        description="a cmake option: -DNAME=VALUE",
    ),
]
UserName = Annotated[
    str, Meta(pattern=r"^[a-z_][a-z0-9_-]*$(?!\n)", max_length=32, description="an account's name")
]
Port = Annotated[int, Meta(ge=1, le=65535)]
Uid = Annotated[int, Meta(ge=0, le=65533)]
