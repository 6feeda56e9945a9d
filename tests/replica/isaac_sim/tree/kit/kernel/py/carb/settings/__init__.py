"""A stand-in for carb.settings: a value by a path of slashes."""

from __future__ import annotations

__replica__ = True


class ISettings:
    """Kit's settings."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {}

    def get(self, path: str) -> object:
        return self._values.get(path)

    def set(self, path: str, value: object) -> None:
        self._values[path] = value

    set_bool = set_int = set_float = set_string = set_default = set  # noqa: A003

    def get_as_bool(self, path: str) -> bool:
        return bool(self._values.get(path))

    def get_as_int(self, path: str) -> int:
        value = self._values.get(path)
        return int(value) if isinstance(value, int | float | str) else 0

    def get_as_string(self, path: str) -> str:
        return str(self._values.get(path) or "")


_settings = ISettings()


def get_settings() -> ISettings:
    """The settings of the app."""
    return _settings
