"""Answers that hold for ever, by their question: in the user's cache, each checked by who reads it.

An answer is told by the sha256 of its question, and is JSON.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TypeVar

import msgspec

from envbuild.tools import typed
from envbuild.tools.trouble import cannot_write

_Kind = TypeVar("_Kind")


class Answers:
    """The answers below a folder."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def recall(self, question: object, kind: type[_Kind]) -> _Kind | None:
        """What was answered; None where nothing was, or nothing that can be read."""
        try:
            with open(self._path(question), "rb") as file:
                return typed.decode(file.read(), kind)
        except (OSError, msgspec.MsgspecError):
            return None

    def remember(self, question: object, answer: object) -> None:
        """Keep an answer.

        Raises:
            ToolError: the cache cannot be written.
        """
        path = self._path(question)
        beside = f"{path}.{os.urandom(4).hex()}"
        try:
            os.makedirs(self._folder, exist_ok=True)
            try:
                with open(beside, "wb") as file:
                    file.write(msgspec.json.encode(answer))
                os.replace(beside, path)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(beside)
        except OSError as error:
            raise cannot_write(path, error) from None

    def forget(self, question: object) -> None:
        """Drop an answer that has turned out to be of no use."""
        with contextlib.suppress(OSError):
            os.unlink(self._path(question))

    def _path(self, question: object) -> str:
        asked = msgspec.json.encode(question, order="sorted")
        return f"{self._folder}/{hashlib.sha256(asked).hexdigest()}.json"
