"""The filters through which a user's string reaches a rendered file, and no other way.

Each refuses what its form cannot carry, so that no value can begin a new line.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable

from envbuild.errors import InputError

_LONG = 100
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")


def shell_word(value: str) -> str:
    """One word of a POSIX shell: ``it's`` becomes ``'it'"'"'s'``.

    Raises:
        InputError: a control character or half a surrogate pair.
    """
    return shlex.quote(_one_line(value))


def docker_word(value: str) -> str:
    r"""A double-quoted word of ``ENV`` or ``LABEL``; no ``$`` in it is expanded.

    Inside double quotes a builder takes a backslash as an escape only before ``"``, ``$`` and
    ``\`` (moby/buildkit, frontend/dockerfile/shell/lex.go, processDoubleQuote).

    Raises:
        InputError: a control character or half a surrogate pair.
    """
    return '"' + re.sub(r'([\\"$])', r"\\\1", _one_line(value)) + '"'


def exec_form(values: Iterable[str]) -> str:
    """The JSON array of ``ENTRYPOINT`` and ``CMD``, one word a line when it is long.

    Some builders refuse a line of more than 64 KiB.

    Raises:
        InputError: a control character or half a surrogate pair.
    """
    words = [json.dumps(_one_line(value), ensure_ascii=False) for value in values]
    line = "[" + ", ".join(words) + "]"
    if len(line) <= _LONG:
        return line
    return "[ \\\n    " + ", \\\n    ".join(words) + " \\\n]"


def comment(value: str) -> str:
    """Text of a comment that goes on behind other words of its line.

    Raises:
        InputError: a control character or half a surrogate pair.
    """
    return _one_line(value)


def _one_line(value: str) -> str:
    found = _UNSAFE.search(value)
    if found:
        raise InputError(
            f"a value holds U+{ord(found[0]):04X}, which no line of a Dockerfile can carry: "
            f"{value[:60]!r}",
            hint="remove the control character from the profile or the lock",
        )
    return value


FILTERS: dict[str, Callable[..., str]] = {
    "sh": shell_word,
    "docker_word": docker_word,
    "exec_form": exec_form,
    "comment": comment,
}
"""By the names that templates know them by."""
