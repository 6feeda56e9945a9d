"""What is wrong with merged layers, and whose file it is that must change.

A merged tree shows where each value came from, which is not always who made it wrong: a child that
adds a variant to a complete parent, and leaves out what the parent's own variants say, leaves a
hole in a mapping that the parent opened. A problem that the parent by itself does not have is its
child's.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from envbuild.errors import Problem
from envbuild.profile import explain, rules
from envbuild.profile.layers import Layers
from envbuild.profile.merge import merge
from envbuild.profile.model import Environment
from envbuild.profile.reader import Tree
from envbuild.profile.resolved import Variant
from envbuild.tools import typed


class Finding(Struct, frozen=True, kw_only=True):
    """A problem of one variant; ``rule`` when its keys, each one right, contradict each other."""

    variant: str
    problem: Problem
    rule: bool


class Examined(Struct, frozen=True, kw_only=True):
    """The variants that decode, and every problem at the place where the value came from.

    ``ruled`` is False where no variant decoded, so that the rules have not been asked.
    """

    variants: tuple[Variant, ...]
    findings: tuple[Finding, ...]
    ruled: bool


def examine(layers: Layers) -> Examined:
    """Decode every variant of a profile, and hold its keys against each other."""
    if layers.common is None:
        return Examined(variants=(), findings=(), ruled=False)
    if not layers.variants:
        return _without_variants(layers, layers.common)
    variants: list[Variant] = []
    findings: list[Finding] = []
    for name, upper in layers.variants.items():
        tree = layers.common
        for layer in upper:
            tree = merge(tree, layer)
        variant, found = _variant(name, tree, complete=layers.complete)
        variants += [variant] if variant else []
        findings += found
    return Examined(variants=tuple(variants), findings=tuple(findings), ruled=bool(variants))


def laid(examined: Examined, layers: Layers) -> dict[Problem, Problem]:
    """Each problem as it was found, and as it is to be said: at a place of the file to change."""
    own = layers.files[0]
    foreign = [f for f in examined.findings if f.problem.mark and f.problem.mark.file != own]
    if not foreign or layers.parent is None:
        return {finding.problem: finding.problem for finding in examined.findings}
    below = examine(layers.parent)
    inherited = laid(below, layers.parent)
    said: dict[Problem, Problem] = {}
    for finding in examined.findings:
        problem = finding.problem
        if finding not in foreign or (finding.rule and not below.ruled):
            said[problem] = problem
        elif problem in inherited:
            said[problem] = inherited[problem]
        else:
            mark = layers.places.get(finding.variant, layers.parent_mark)
            said[problem] = replace(problem, mark=mark)
    return said


def _without_variants(layers: Layers, common: Tree) -> Examined:
    """What all variants would share may be wrong too; what is missing there, a child may give."""
    _, found = _variant("", common, complete=False)
    findings = tuple(one for one in found if not one.rule)
    if not layers.doubtful:
        missing = Problem(
            message="a profile has at least one variant",
            mark=layers.anchor,
            hint="variants: {linux-amd64-cu128: {}}",
        )
        findings = (Finding(variant="", problem=missing, rule=False), *findings)
    return Examined(variants=(), findings=findings, ruled=False)


def _variant(
    name: str, tree: Tree, *, complete: bool
) -> tuple[Variant | None, tuple[Finding, ...]]:
    """A variant, or why it does not decode; and what its keys contradict in each other."""
    try:
        environment = typed.convert(tree.value, Environment)
    except msgspec.ValidationError as error:
        wrong = explain.problems(tree, error, kind=Environment, complete=complete)
        return None, tuple(Finding(variant=name, problem=one, rule=False) for one in wrong)
    variant = Variant(name=name, environment=environment, marks=tree.marks)
    broken = rules.problems(variant, tree.removed)
    return variant, tuple(Finding(variant=name, problem=one, rule=True) for one in broken)
