"""The form of a rule: what it asks of a world, and what it says when the answer is yes.

A condition is a mapping; its keys hold together. ``all``, ``any`` and ``not`` combine conditions,
every other key asks one thing. These types are the one source of truth for the form: files are
decoded to them, and their problems are found against the schema that is made from them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from envbuild.knowledge.reading import Evidence, Identity
from envbuild.profile.words import EnvName, GpuArchitecture, Line, PackageName, Text


class Form(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """A part of a rule; its keys are in kebab-case."""


Releases = Annotated[
    str, Meta(max_length=100, description='the releases of a product: ">=5,<6", or "*" for any')
]
Wish = Annotated[
    str,
    Meta(min_length=1, max_length=200, description="a package and its versions: numpy>=2"),
]
Pattern = Annotated[
    str, Meta(min_length=1, max_length=200, description="a text, with * for anything")
]
Term = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][A-Za-z0-9.-]*$",
        max_length=100,
        description="a value of the world (python), a fact (isaac-sim.numpy), or a version",
    ),
]


class Comparison(Form, frozen=True, kw_only=True):
    """Two values held against each other; one that is not known fits nothing.

    ``than`` may be a list of a fact: then ``different`` is *none of them*.
    """

    value: Term
    relation: Literal["equal", "different", "older", "newer"] = field(name="is")
    than: Term


class Barred(Form, frozen=True, kw_only=True):
    """What the profile leaves to a package does (``only: false``) not hold a version at all, or
    (``more: true``) holds it, and others."""

    package: PackageName
    version: Term
    more: bool = False


class GpuTest(Form, frozen=True, kw_only=True):
    """A GPU of the profile. ``cuda``: the variant's CUDA cannot make code for it, or only such
    as an older GPU of its family runs; ``torch``: the torch has no code for it."""

    named: tuple[GpuArchitecture, ...] = ()
    cuda: Literal["cannot-target", "cannot-compile"] | None = None
    torch: Literal["no-code"] | None = None


class ContractTest(Form, frozen=True, kw_only=True):
    """A contract of the profile. ``peer_numpy``: versions, of which the peer must have one;
    ``disagrees``: the peer's own contract with this profile says another."""

    encoding: tuple[str, ...] = ()
    peer_numpy: Releases | None = None
    disagrees: Literal["role", "transport", "encoding", "port"] | None = None


class GitTest(Form, frozen=True, kw_only=True):
    """A git source by its address, and how it is installed."""

    url: Pattern
    install: tuple[Literal["none", "pip", "cmake"], ...] = ()


class Condition(Form, frozen=True, kw_only=True):
    """What a rule asks. Keys of one mapping hold together; a list in a key offers choices.

    ``requires``: the profile wants the package, and every version that it leaves is one of these
    (so does the lock, where there is one). ``pulls``: the same, and what the package asks for
    comes too. ``bounded``: whatever wants the package, the profile leaves it only these.
    """

    isaac_sim: Releases | None = None
    isaac_lab: Releases | None = None
    gr00t: Releases | None = None
    simulator: Literal["image", "pip"] | None = None
    python: Releases | None = None
    cuda: Releases | None = None
    architecture: Literal["amd64", "arm64"] | None = None
    image: tuple[Pattern, ...] = ()
    git: GitTest | None = None
    requires: tuple[Wish, ...] = ()
    pulls: tuple[Wish, ...] = ()
    bounded: tuple[Wish, ...] = ()
    locked: tuple[Wish, ...] = ()
    brought: tuple[Wish, ...] = ()
    overridden: tuple[Wish, ...] = ()
    conda: tuple[Pattern, ...] = ()
    conda_channel: tuple[Pattern, ...] = ()
    without_extra: tuple[Wish, ...] = ()
    placeholder: Literal["without-index"] | None = None
    bundled: Literal["locked-again", "other-version"] | None = None
    bundle: Literal["not-named"] | None = None
    barred: Barred | None = None
    companion: Literal["unmatched"] | None = None
    excluded: tuple[PackageName, ...] = ()
    built_from_source: tuple[PackageName, ...] = ()
    built_with: tuple[EnvName, ...] = ()
    build_constraint: tuple[Wish, ...] = ()
    gpu: GpuTest | None = None
    contract: ContractTest | None = None
    env_missing: tuple[EnvName, ...] = ()
    env_set: tuple[EnvName, ...] = ()
    eula: Literal["not-stated"] | None = None
    entrypoint: Literal["missing", "shell-form"] | None = None
    known: tuple[Term, ...] = ()
    compare: Comparison | None = None
    all_: tuple[Condition, ...] = field(default=(), name="all")
    any_: tuple[Condition, ...] = field(default=(), name="any")
    not_: Condition | None = field(default=None, name="not")


Severity = Literal["error", "warning", "note"]


class Rule(Form, frozen=True, kw_only=True):
    """What may not meet, in which words, and how to get out of it.

    Texts name values as ``{python}`` or ``{isaac-sim.numpy}``, and what the condition has found as
    ``{package}``. ``fix`` are alternatives. ``at`` is the place in the profile for a finding that
    has none of its own (a dotted path). ``covers`` are rules that need not speak at the same place
    when this one does.
    """

    id: Identity
    severity: Severity
    title: Text
    when: Condition
    message: Text
    why: Text
    fix: Annotated[tuple[Text, ...], Meta(min_length=1)]
    evidence: Evidence
    at: Line | None = None
    covers: tuple[Identity, ...] = ()


class RuleFile(Form, frozen=True, kw_only=True):
    """A book of rules."""

    schema: Literal[1]
    rules: tuple[Rule, ...]
