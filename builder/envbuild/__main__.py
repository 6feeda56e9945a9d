"""The ``envbuild`` command. Answers what needs no thought before anything heavy is imported."""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False  # typing itself would cost as much as the whole answer
if TYPE_CHECKING:
    from typing import TextIO

_CHECKS = {
    "check": ": nothing found",
    "lock": ", all locks fresh",
    "render": ", all Dockerfiles fresh",
}
"""What each stage says of its profiles when there is nothing to say."""

_MANY = 100_000
"""Objects between two searches for garbage. A command ends soon and keeps what it makes: the usual
700 cost 5 ms of each start."""


def script() -> int:
    """The process: the command line, and its end."""
    status = main()
    _leave(status)
    return status


def main() -> int:
    """Run the command line; the exit status."""
    arguments = sys.argv[1:]
    if parent := os.environ.pop("ENVBUILD_ENDS_WITH", ""):
        from envbuild.tools import orphans

        orphans.end_with_parent(parent)
    if arguments == ["--version"]:
        from envbuild import __version__

        if _said(sys.stdout, f"envbuild {__version__}\n"):
            return 0
    elif _answered_from_stamps(arguments):
        return 0
    gc.set_threshold(_MANY)
    from envbuild.cli.main import run

    status = run(arguments)
    gc.freeze()  # nor is anything searched at the end: 10 ms
    return status


def _leave(status: int) -> None:
    """End at once where threads are left: py-rattler's, or ours that wait for an answer that nobody
    wants any more. An interpreter that ends while they run may crash, after all work is done."""
    if not (_rattler_was_used() or _threads_are_left()):
        return
    import atexit

    atexit._run_exitfuncs()  # noqa: SLF001 (conda-lock removes its folders there)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(status)


def _rattler_was_used() -> bool:
    if "rattler" not in sys.modules:
        return False
    from envbuild.tools import rattler

    return rattler.let_go()


def _threads_are_left() -> bool:
    threads = sys.modules.get("threading")
    return threads is not None and threads.active_count() > 1


def _answered_from_stamps(arguments: list[str]) -> bool:
    """``check``, ``lock --check`` and ``render --check`` when nothing has moved since the last
    good answer."""
    if "--check" not in arguments and "check" not in arguments:
        return False
    asked = _read(arguments)
    if asked is None:
        return False
    root, quiet, stage, chosen = asked
    if not os.path.isdir(root):
        return False
    from envbuild import stamps
    from envbuild.speech import counted

    own = stamps.profiles(root)
    if own is None:
        return False
    default = own or stamps.profiles(stamps.shipped_folder()) or {}
    if stage == "lock" and not chosen and stamps.leftovers(root, default):
        return False
    if any(name not in default for name in chosen):
        return False
    profiles = chosen or default
    kept = stamps.Stamps(root, stage)
    if not profiles or not all(kept.fresh(name) for name in profiles):
        return False
    told = [said for name in dict.fromkeys(chosen or sorted(default)) if (said := kept.said(name))]
    if told and not _plain(sys.stdout):
        return False
    rest = f": {len(told)} not wholly pinned" if told else _CHECKS[stage]
    many = counted(len(set(profiles)), "profile")
    if told and not _said(sys.stdout, "".join(f"{line}\n" for line in told)):
        return False
    return quiet or _said(sys.stderr, f"{many}{rest}\n")


def _plain(stream: TextIO | None) -> bool:
    """Whether a stream takes text without colours; what stands on a terminal may want some."""
    wanted = "FORCE_COLOR" in os.environ or "CLICOLOR_FORCE" in os.environ
    return stream is not None and not wanted and not stream.isatty()


def _said(stream: TextIO | None, line: str) -> bool:
    """Whether a stream took a line; what a closed or a full one means, the slow way explains."""
    if stream is None:
        return False
    try:
        stream.write(line)
        stream.flush()
    except OSError:
        return False
    return True


def _read(arguments: list[str]) -> tuple[str, bool, str, list[str]] | None:
    """Root, quiet, stage and profiles of a plain check; None for any other command line."""
    root, quiet, stage = ".", False, ""
    rest = list(arguments)
    while rest and not stage:
        word = rest.pop(0)
        if word in ("-C", "--directory") and rest:
            root = rest.pop(0)
        elif word in ("-q", "--quiet"):
            quiet = True
        elif word in _CHECKS:
            stage = word
        else:
            return None
    chosen = [word for word in rest if stage == "check" or word != "--check"]
    asks = stage == "check" or len(chosen) < len(rest)
    if not stage or not asks or any(word.startswith("-") for word in chosen):
        return None
    return root, quiet, stage, chosen


if __name__ == "__main__":
    sys.exit(script())
