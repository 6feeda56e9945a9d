"""A case: files, commands, and what each command answers, in one text file.

The text before the first ``--- `` says what the case shows. Then parts, each under its own line:

``--- file PATH``       the file's text follows
``--- bytes PATH``      the file's bytes follow, written as in a Python string
``--- folder PATH MODE`` a folder; its mode is set when all files are written
``--- tree NAME PATH``  an environment of ``tests.support.environments``; where the path ends in
                        ``.tar``, ``.oci`` or ``.rootfs`` it is an image or a container's root
``--- environment``     ``NAME=VALUE`` lines for all commands
``--- process``         run the commands as processes without the superuser's file rights
``--- run ARGUMENTS``   a command line, followed by its answer:
``--- exit CODE``, ``--- stdout``, ``--- stderr``, ``--- wrote PATH``
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import environments

_PART = re.compile(
    r"^--- (file|bytes|folder|tree|environment|process|run|exit|stdout|stderr|wrote)(?: (.*))?$"
)


@dataclass
class Command:
    """One command line and its answer; ``wrote`` are files to look at when it has ended."""

    arguments: list[str]
    exit: int = 0
    stdout: str = ""
    stderr: str = ""
    wrote: dict[str, str] = field(default_factory=dict)


@dataclass
class Case:
    """A whole case; ``setting`` is its text up to the first command, kept as it is."""

    setting: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)
    trees: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    process: bool = False
    commands: list[Command] = field(default_factory=list)


def read(text: str) -> Case:
    """The case that a text describes."""
    case = Case()
    for kind, argument, body in _parts(text):
        if kind == "run":
            case.commands.append(Command(shlex.split(argument)))
        elif case.commands:
            _answer(case.commands[-1], kind, argument, body)
        else:
            case.setting += f"--- {kind}{' ' + argument if argument else ''}\n" if kind else ""
            case.setting += body
            _setting(case, kind, argument, body)
    return case


def written(case: Case) -> str:
    """The text of a case, with the answers that it holds now."""
    text = case.setting
    for command in case.commands:
        text += f"--- run {shlex.join(command.arguments)}".rstrip() + "\n"
        text += f"--- exit {command.exit}\n"
        for name in ("stdout", "stderr"):
            content = getattr(command, name)
            text += f"--- {name}\n{content}" if content else ""
        for path, content in command.wrote.items():
            text += f"--- wrote {path}\n{content}"
    return text


def _parts(text: str) -> list[tuple[str, str, str]]:
    parts = [["", "", ""]]
    for line in text.splitlines(keepends=True):
        found = _PART.match(line.rstrip("\n"))
        if found:
            parts.append([found[1], found[2] or "", ""])
        else:
            parts[-1][2] += line
    return [(kind, argument, body) for kind, argument, body in parts]


def _setting(case: Case, kind: str, argument: str, body: str) -> None:
    match kind:
        case "file":
            case.files[argument] = body.encode()
        case "bytes":
            case.files[argument] = body.encode().decode("unicode_escape").encode("latin-1")
        case "folder":
            path, mode = argument.split()
            case.folders[path] = int(mode, 8)
        case "tree":
            name, path = argument.split()
            case.trees[path] = name
        case "environment":
            case.environment.update(line.split("=", 1) for line in body.splitlines())
        case "process":
            case.process = True
        case "":
            assert body.strip(), "a case begins with what it shows"
        case _:
            raise ValueError(f"{kind} before the first command")


def _answer(command: Command, kind: str, argument: str, body: str) -> None:
    match kind:
        case "exit":
            command.exit = int(argument)
        case "stdout" | "stderr":
            setattr(command, kind, body)
        case "wrote":
            command.wrote[argument] = body
        case _:
            raise ValueError(f"{kind} after the first command")


def place(case: Case, root: Path) -> None:
    """Write the files and folders of a case."""
    for path, name in case.trees.items():
        environments.place(name, root / path)
    for name, data in case.files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    for name in case.folders:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name, mode in case.folders.items():
        (root / name).chmod(mode)
