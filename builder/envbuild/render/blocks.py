"""Blocks that a template overrides, although no template that it extends has them.

jinja2 ignores such a block without a word; what stands in it would be missing in every Dockerfile.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from envbuild.errors import Mark, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jinja2 import Environment, nodes


def unknown(environment: Environment, name: str) -> tuple[Problem, ...]:
    """Every such block of the template ``name`` and of those that it extends.

    A template that extends one by a computed name is not looked at.

    Raises:
        jinja2.TemplateError: one of them is missing or does not parse.
    """
    seen: list[str] = []
    found: list[Problem] = []
    while name not in seen:
        seen.append(name)
        tree = _parsed(environment, name)
        parent = _parent(tree) if tree else None
        if tree is None or parent is None:
            break
        outer = list(_outer(tree))
        known = _known(environment, parent) if outer else None
        if known is not None:
            found += [_problem(block, name, known) for block in outer if block.name not in known]
        name = parent
    return tuple(found)


def _parsed(environment: Environment, name: str) -> nodes.Template | None:
    """The tree of a template that extends another; None of one that does not."""
    from jinja2 import nodes

    assert environment.loader is not None
    text, file, _ = environment.loader.get_source(environment, name)
    if "extends" not in text:
        return None
    tree = environment.parse(text, name, file)
    return tree if tree.find(nodes.Extends) else None


def _parent(tree: nodes.Template) -> str | None:
    """The name of what a template extends; None of a computed one."""
    from jinja2 import nodes

    extends = tree.find(nodes.Extends)
    named = extends.template if extends else None
    return str(named.value) if isinstance(named, nodes.Const) else None


def _outer(tree: nodes.Node) -> Iterator[nodes.Block]:
    """The blocks that stand in no other: one inside another is new, and filled where it stands."""
    from jinja2 import nodes

    for node in tree.iter_child_nodes():
        if isinstance(node, nodes.Block):
            yield node
        else:
            yield from _outer(node)


def _known(environment: Environment, name: str) -> set[str] | None:
    """The blocks of a template and of all that it extends; None where that cannot be said."""
    known: set[str] = set()
    seen: set[str] = set()
    while name not in seen:
        seen.add(name)
        known |= environment.get_template(name).blocks.keys()
        tree = _parsed(environment, name)
        if tree is None:
            return known
        parent = _parent(tree)
        if parent is None:
            return None
        name = parent
    return None


def _problem(block: nodes.Block, name: str, known: set[str]) -> Problem:
    near = difflib.get_close_matches(block.name, known, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    return Problem(
        message=f"the block {block.name!r} overrides nothing: what this template extends has none",
        mark=Mark(file=f"templates/{name}", line=block.lineno, column=1),
        hint=f"{meant}blocks: {', '.join(sorted(known))}",
    )
