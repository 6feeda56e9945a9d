"""A runner that answers from a table, and engines to ask through it."""

from __future__ import annotations

from collections.abc import Callable

from envbuild.engines.model import Capabilities, Engine
from envbuild.tools.proc import Command, Outcome

PODMAN = Engine(
    name="podman",
    builder="podman",
    program=("/bin/podman",),
    version="4.3.1",
    capabilities=Capabilities(clamp="flag", registry_cache=True),
)
BUILDAH = Engine(
    name="buildah",
    builder="buildah",
    program=("/bin/buildah",),
    version="1.28.2",
    capabilities=Capabilities(clamp="flag", registry_cache=True, runs=False),
)
BUILDX = Engine(
    name="docker",
    builder="buildx",
    program=("/bin/docker",),
    version="26.1.5",
    capabilities=Capabilities(clamp="export", registry_cache=True),
)
BUILDKIT = Engine(
    name="docker",
    builder="buildkit",
    program=("/bin/docker",),
    version="20.10.24",
    environment=(("DOCKER_BUILDKIT", "1"),),
)
ENGINES = (PODMAN, BUILDAH, BUILDX, BUILDKIT)

Answer = tuple[int, str, str]
"""Exit code, standard output, standard error."""


def fits(word: str, command: Command) -> bool:
    """Whether an argument or the program is the word; with a dash in it, a part of them."""
    whole = word in command.argv or command.argv[0].endswith(f"/{word.lstrip('/')}")
    return whole or ("-" in word and any(word in one for one in command.argv))


class Table:
    """Answers each command by the first row whose words all fit it."""

    def __init__(self, *rows: tuple[str, Answer | Callable[[Command], Answer]]) -> None:
        self.rows = rows
        self.asked: list[Command] = []

    def __call__(self, command: Command) -> Outcome:
        self.asked.append(command)
        for words, answer in self.rows:
            if all(fits(word, command) for word in words.split()):
                code, out, err = answer(command) if callable(answer) else answer
                return Outcome(command=command, code=code, stdout=out, stderr=err, seconds=0.1)
        raise AssertionError(f"nothing in the table for: {' '.join(command.argv)}")

    def lines(self) -> list[str]:
        return [" ".join(command.argv) for command in self.asked]


def option(command: Command, name: str) -> str:
    """The value of ``--name=value`` in a command line."""
    return next(one.partition("=")[2] for one in command.argv if one.startswith(f"{name}="))
