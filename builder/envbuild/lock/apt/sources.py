"""Where an image takes Debian packages from: both forms of apt's lists, sources.list(5). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

_LINE = re.compile(
    r"deb\s+(?:\[(?P<options>[^\]]*)\]\s*)?(?P<uri>\S+)\s+(?P<suite>\S+)(?P<rest>.*)"
)


class Source(Struct, frozen=True, kw_only=True):
    """One suite of one archive. ``components`` empty: ``suite`` is a path that ends in ``/``.

    ``architectures`` empty: whatever the image is for.
    """

    uri: str
    suite: str
    components: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The folder that its ``Release`` stands in."""
        uri = self.uri.rstrip("/")
        if self.components:
            return f"{uri}/dists/{self.suite.strip('/')}"
        inner = self.suite.strip("/").removeprefix("./").strip(".")
        return f"{uri}/{inner}" if inner else uri


def sources(files: Mapping[str, str], architecture: str) -> tuple[Source, ...]:
    """The sources of binary packages that the files of ``/etc/apt`` name for an architecture.

    ``files`` are texts by path; those whose name ends in ``.sources`` are in the newer form. What
    is no http or https (a CD, a folder of the image) is left out.
    """
    found: dict[Source, None] = {}
    for path, text in sorted(files.items(), key=lambda item: (item[0].count("/"), item[0])):
        read = _paragraphs(text) if path.endswith(".sources") else _lines(text)
        for one in read:
            fits = not one.architectures or architecture in one.architectures
            if fits and one.uri.startswith(("http://", "https://")):
                plain = Source(
                    uri=one.uri.replace("$(ARCH)", architecture),
                    suite=one.suite.replace("$(ARCH)", architecture),
                    components=one.components,
                )
                found.setdefault(plain)
    return tuple(found)


def _lines(text: str) -> Iterator[Source]:
    """``deb [arch=amd64] http://… suite component …``."""
    for line in text.splitlines():
        said = _LINE.fullmatch(line.partition("#")[0].strip())
        if said is None:
            continue
        options = dict(
            word.partition("=")[::2] for word in (said["options"] or "").split() if "=" in word
        )
        components = tuple(said["rest"].split())
        if bool(components) != said["suite"].endswith("/"):
            architectures = tuple(filter(None, options.get("arch", "").split(",")))
            yield Source(
                uri=said["uri"],
                suite=said["suite"],
                components=components,
                architectures=architectures,
            )


def _paragraphs(text: str) -> Iterator[Source]:
    """Paragraphs of fields (deb822)."""
    for fields in paragraphs(text):
        enabled = fields.get("enabled", "yes").strip().lower() not in ("no", "false", "off", "0")
        if not enabled or "deb" not in fields.get("types", "").split():
            continue
        components = tuple(fields.get("components", "").split())
        architectures = tuple(re.split(r"[\s,]+", fields.get("architectures", "").strip()))
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                if bool(components) != suite.endswith("/"):
                    yield Source(
                        uri=uri,
                        suite=suite,
                        components=components,
                        architectures=tuple(filter(None, architectures)),
                    )


def paragraphs(text: str) -> Iterator[dict[str, str]]:
    """The paragraphs of a Debian control file: values by field name in lower case."""
    for paragraph in re.split(r"\n[ \t]*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in paragraph.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in (" ", "\t"):
                if name:
                    fields[name] += f"\n{line.strip()}"
                continue
            name, colon, value = line.partition(":")
            name = name.strip().lower()
            if not colon:
                name = ""
            else:
                fields[name] = value.strip()
        if fields:
            yield fields
