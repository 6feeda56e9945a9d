"""The questions that pins come from, each asked once in a run however many variants want it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.lock.apt import asking as apt
from envbuild.lock.system import UV
from envbuild.tools.net import NetError

if TYPE_CHECKING:
    from envbuild.lock.apt.asking import AptAnswer, AptQuestion, AskSuite
    from envbuild.lock.apt.image import ImageSystem
    from envbuild.lock.questions import Question, Questions
    from envbuild.tools.manifests import Manifest


class Doors(Struct, frozen=True, kw_only=True):
    """The ways to the world outside. Each raises NetError, ``commit`` RemoteError.

    ``manifest`` takes a reference and an architecture, ``system`` what it gave with the reference,
    ``suite`` reads archives, ``commit`` takes the address of a repository and a branch or tag.
    """

    manifest: Callable[[str, str], Manifest]
    system: Callable[[str, Manifest], ImageSystem]
    suite: AskSuite
    commit: Callable[[str, str], str]


class PinWorld(Struct, frozen=True):
    """The world as one run sees it: an image that two variants stand on is asked for once."""

    doors: Callable[[], Doors]
    questions: Questions

    def manifest(self, reference: str, architecture: str) -> Question[Manifest]:
        """The manifest of an image."""
        return self.questions.ask(
            ("manifest", reference, architecture),
            lambda: self.doors().manifest(reference, architecture),
        )

    def uv_image(self, version: Callable[[], str], architecture: str) -> None:
        """Ask for uv's image as soon as uv has said its version; the answer is taken up by
        :meth:`manifest`."""
        self.questions.ask(
            ("uv", architecture), lambda: self.manifest(f"{UV}:{version()}", architecture)
        )

    def commit(self, url: str, ref: str) -> Question[str]:
        """The commit that a branch or tag is at."""
        return self.questions.ask(("commit", url, ref), lambda: self.doors().commit(url, ref))

    def apt(self, question: AptQuestion, base: str, build: str) -> Question[AptAnswer]:
        """The versions of Debian packages over a base image, and over the image that native code
        is compiled in."""
        return self.questions.ask(
            ("apt", question, base, build), lambda: self._versions(question, base, build)
        )

    def _versions(self, question: AptQuestion, base: str, build: str) -> AptAnswer:
        def system(reference: str, called: str) -> ImageSystem:
            try:
                manifest = self.manifest(reference, question.architecture).answer()
                return self.doors().system(reference, manifest)
            except NetError as error:
                said = f"of the {called} image: {error.message}"
                raise NetError(said, detail=f"{reference}: {error.detail}") from None

        try:
            return apt.ask(
                question, system(base, "base"), lambda: system(build, "build"), self.doors().suite
            )
        except NetError as error:
            return apt.none(question, error.message, error.detail)
