"""What moved, as text, and as Markdown for a pull request. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from envbuild.lock.moves import RISKS, Move, Risk
from envbuild.report.plain import code, markdown, printable

HEADINGS: dict[Risk, str] = {
    "security": "Security",
    "abi": "ABI-breaking",
    "bundle": "Shadowing what the image brings",
    "cuda": "CUDA",
    "glibc": "glibc",
    "major": "Major versions",
    "minor": "Minor versions",
    "other": "Other versions",
    "added": "Added",
    "removed": "Removed",
    "input": "Inputs",
}


class Diff(Struct, frozen=True, kw_only=True):
    """Two sides as the user named them, the variants that were compared, and what moved."""

    old: str
    new: str
    variants: tuple[str, ...]
    moves: tuple[Move, ...]


def text(diff: Diff) -> str:
    """Lines under a heading for each risk."""
    if not diff.moves:
        return printable(f"{diff.old} -> {diff.new}: nothing moved")
    lines = [printable(f"{diff.old} -> {diff.new}: {_count(diff)} moved")]
    for risk in RISKS:
        moves = [move for move in diff.moves if move.risk == risk]
        if moves:
            lines += ["", HEADINGS[risk], *_lines(diff, moves)]
    return "\n".join(lines)


def _count(diff: Diff) -> str:
    return "1 thing" if len(diff.moves) == 1 else f"{len(diff.moves)} things"


def _lines(diff: Diff, moves: list[Move]) -> Iterator[str]:
    width = min(40, max(len(printable(move.what)) for move in moves))
    for move in moves:
        words = printable(f"{move.what:<{width}}  {_change(move)}")
        why = f"  {printable(move.why)}" if move.why else ""
        yield f"  {words.rstrip()}{why}{_where(diff, move)}"


def _change(move: Move) -> str:
    if move.old == move.new:
        return move.old
    if not move.old:
        return f"+ {move.new}"
    return f"{move.old} -> {move.new}" if move.new else f"- {move.old}"


def _where(diff: Diff, move: Move) -> str:
    """The variants of a move that does not hold for all of them."""
    if not move.variants or set(move.variants) == set(diff.variants):
        return ""
    return printable(f"  [{', '.join(move.variants)}]")


def as_markdown(diff: Diff) -> str:
    """One table, the riskiest rows first; every value is shown as it is and marks nothing up."""
    head = f"### {code(diff.old)} → {code(diff.new)}"
    if not diff.moves:
        return f"{head}\n\nNothing moved."
    several = any(_where(diff, move) for move in diff.moves)
    columns = ["Risk", "What", "Old", "New", "Why", *(["Variants"] if several else [])]
    rows = [columns, ["---"] * len(columns)]
    for move in diff.moves:
        cells = [HEADINGS[move.risk], code(move.what), code(move.old), code(move.new)]
        cells += [markdown(move.why)]
        where = ", ".join(code(name) for name in move.variants) if _where(diff, move) else "all"
        rows.append([*cells, *([where] if several else [])])
    table = "\n".join(
        "|" + "|".join(f" {cell} " if cell else " " for cell in row) + "|" for row in rows
    )
    return f"{head}\n\n{table}"
