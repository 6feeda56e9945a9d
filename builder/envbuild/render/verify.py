"""The rendered Dockerfile, read back and held against what it was to say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envbuild.errors import InputError
from envbuild.render import words
from envbuild.render.context import Context
from envbuild.render.dockerfile import DockerfileError, parse
from envbuild.render.model import Instruction
from envbuild.render.templates import DOCKERFILE
from envbuild.render.twin import inert_text

_INHERITED = "\x00"
"""Stands for the base's PATH; no value of a profile can hold it."""

_BASE = "${BASE_IMAGE}"
_TOOLS = {"uv": "${UV_IMAGE}", "conda": "${MICROMAMBA_IMAGE}"}
"""What is taken from another image, by where Python comes from."""

_HINT = "a value goes into a template through sh, docker_word, exec_form or comment"


_SHOWN = 80
"""Characters of a line of the Dockerfile that a message shows."""


class _Mismatch(Exception):  # noqa: N818 (not an error for callers)
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def dockerfile(text: str, twin: str, context: Context) -> tuple[Instruction, ...]:
    """The instructions of ``text``, when they are the plan's and no value changed their shape.

    ``twin`` is what the same template makes of the inert context.

    Raises:
        InputError: naming the template, the line of the rendered file, and the field.
    """
    try:
        instructions = parse(text)
        if twin != text:
            _same_shape(instructions, _parse_twin(twin))
        _says(instructions, context)
    except (DockerfileError, _Mismatch) as error:
        shown = text.split("\n")[error.line - 1].strip()[:_SHOWN]
        raise InputError(
            f"templates/{DOCKERFILE} makes a wrong Dockerfile: {error.message} "
            f"({context.profile}/{context.dockerfile}, line {error.line}: {shown})",
            hint=_HINT,
        ) from None
    return instructions


def dockerignore(text: str, context: Context) -> None:
    """Refuse an ignore file that lets in anything but what the build reads.

    Raises:
        InputError: naming the template.
    """
    rules = tuple(line for line in text.split("\n") if line and not line.startswith("#"))
    expected = ("*", *(f"!{path}" for path in context.context))
    if rules != expected:
        raise InputError(
            f"templates/dockerignore.j2: {context.dockerfile}.dockerignore says "
            f"{', '.join(rules)[:200] or 'nothing'}; the build reads {', '.join(expected)[:200]}",
            hint="the file denies all, then lets in each path of `context`",
        )


def _parse_twin(twin: str) -> tuple[Instruction, ...]:
    try:
        return parse(twin)
    except DockerfileError as error:
        raise _Mismatch(f"a value changed how it parses: {error.message}", error.line) from None


def _same_shape(real: Sequence[Instruction], twin: Sequence[Instruction]) -> None:
    for instruction, other in zip(real, twin, strict=False):
        if instruction.keyword != other.keyword:
            message = f"a value began the instruction {instruction.keyword}"
            raise _Mismatch(message, instruction.line)
        if _inert(instruction.flags) != _inert(other.flags):
            message = f"a value changed the flags of {instruction.keyword}"
            raise _Mismatch(message, instruction.line)
        # Most arguments hold no value, or one without a character to make inert.
        same = instruction.arguments == other.arguments
        if not same and _tokens(instruction) != _tokens(other):
            message = f"a value reached {instruction.keyword} without its filter"
            raise _Mismatch(message, instruction.line)
    if len(real) != len(twin):
        longer = real if len(real) > len(twin) else twin
        extra = longer[min(len(real), len(twin))]
        message = f"a value added or removed the instruction {extra.keyword}"
        raise _Mismatch(message, extra.line if longer is real else real[-1].line)


def _inert(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(inert_text(text) for text in texts)


def _tokens(instruction: Instruction) -> tuple[tuple[str, str], ...]:
    """What a builder, or the shell that it starts, takes the arguments apart into.

    Each piece is its text made inert, and what in it is acted on: the first is equal when only
    values differ, the second must be.
    """
    exec_form = words.exec_form(instruction.arguments)
    if exec_form is not None:
        return tuple((inert_text(word), "[]") for word in exec_form)
    if instruction.keyword in {"ENV", "LABEL"}:
        return tuple((inert_text(x), "") for pair in _pairs(instruction) for x in pair)
    if instruction.keyword in {"RUN", "CMD", "ENTRYPOINT"}:
        try:
            found = words.shell_tokens(instruction.arguments)
        except ValueError as error:
            raise _Mismatch(f"{instruction.keyword}: {error}", instruction.line) from None
        return tuple((inert_text(token.text), token.live) for token in found)
    return tuple((inert_text(word), "") for word in instruction.arguments.split())


def _pairs(instruction: Instruction) -> tuple[tuple[str, str], ...]:
    try:
        return words.pairs(instruction.arguments, {"PATH": _INHERITED})
    except ValueError as error:
        raise _Mismatch(f"{instruction.keyword}: {error}", instruction.line) from None


def _word(instruction: Instruction) -> str:
    try:
        return words.unquote(instruction.arguments, {})
    except ValueError as error:
        raise _Mismatch(f"{instruction.keyword}: {error}", instruction.line) from None


def _says(instructions: Sequence[Instruction], context: Context) -> None:
    starts = [i for i, found in enumerate(instructions) if found.keyword == "FROM"]
    if not starts:
        raise _Mismatch("it has no FROM", 1)
    _images(instructions, context)
    final = instructions[starts[-1] :]
    said_at_last = {key: (value, line) for key, value, line in _said(final)}
    for keyword, name, value in _planned(context):
        found = said_at_last.get((keyword, name))
        if found is None:
            message = f"{keyword} {name or value} is missing".rstrip()
            raise _Mismatch(message, final[0].line)
        if found[0] != value:
            said = f"{keyword} {name} is" if name else f"{keyword} is"
            raise _Mismatch(f"{said} {found[0]!r}; the profile says {value!r}", found[1])


def _images(instructions: Sequence[Instruction], context: Context) -> None:
    """The arguments name the images of the plan; the last stage stands on the base, and each image
    that is built on is used somewhere."""
    _arguments(instructions, context)
    roots: dict[str, str] = {}
    image = ""
    line = 1
    for found in instructions:
        if found.keyword != "FROM":
            continue
        name, *alias = found.arguments.split()
        image = roots.get(name, name)
        line = found.line
        roots[alias[-1] if alias else f"\x00{line}"] = image
    if image != _BASE:
        raise _Mismatch(f"the last stage stands on {image}; the profile's stands on {_BASE}", line)
    wanted = [_BASE]
    wanted += [f"${{{context.wheels.image}}}"] if context.wheels and context.wheels.image else []
    wanted += [tool for source, tool in _TOOLS.items() if source == context.python.source]
    for reference in wanted:
        if reference not in roots.values():
            raise _Mismatch(f"FROM {reference} is missing", line)


def _arguments(instructions: Sequence[Instruction], context: Context) -> None:
    """Before the first stage, each argument with the image that the lock names for it."""
    said: dict[str, tuple[str, int]] = {}
    for found in instructions:
        if found.keyword == "FROM":
            break
        if found.keyword == "ARG":
            name, _, value = found.arguments.partition("=")
            said[name] = (value, found.line)
    for image in context.images:
        value, line = said.get(image.argument, ("", 1))
        if value != image.default:
            wrong = f"is {value}" if value else "is missing"
            message = f"ARG {image.argument} {wrong}; the lock says {image.default}"
            raise _Mismatch(message, line)


def _planned(context: Context) -> Iterator[tuple[str, str, object]]:
    """Keyword, name and value of all that the final stage has to say."""
    for variable in context.variables:
        yield "ENV", variable.name, variable.value
    if context.inherited_path:
        yield "ENV", "PATH", f"{context.inherited_path}:{_INHERITED}"
    for label in context.labels:
        yield "LABEL", label.name, label.value
    for file in context.files:
        yield "COPY", file.path, (f"--chmod={file.mode}", file.source)
    for checkout in context.checkouts:
        yield "COPY", checkout.path, ("--from=sources", f"/src/{checkout.name}")
    yield "WORKDIR", "", context.workdir
    if context.user:
        yield "USER", "", str(context.user.uid)
    if context.entrypoint:
        yield "ENTRYPOINT", "", context.entrypoint
    if context.command:
        yield "CMD", "", context.command


def _said(final: Sequence[Instruction]) -> Iterator[tuple[tuple[str, str], object, int]]:
    """Keyword and name, value and line of all that a stage says, in its order."""
    for found in final:
        if found.keyword in {"ENV", "LABEL"}:
            for name, value in _pairs(found):
                yield (found.keyword, name), value, found.line
        elif found.keyword == "COPY":
            *sources, path = found.arguments.split()
            yield ("COPY", path), (*found.flags, *sources), found.line
        elif found.keyword in {"ENTRYPOINT", "CMD"}:
            yield (found.keyword, ""), words.exec_form(found.arguments), found.line
        elif found.keyword in {"WORKDIR", "USER"}:
            yield (found.keyword, ""), _word(found), found.line
