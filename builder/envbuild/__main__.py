"""The ``envbuild`` command. Answers what needs no thought before anything heavy is imported."""

from __future__ import annotations

import sys

_CHECKS = {"lock": "locks", "render": "Dockerfiles"}


def main() -> None:
    """Run the command line and end the process."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        from envbuild import __version__

        sys.stdout.write(f"envbuild {__version__}\n")
        return
    if _answered_from_stamps(arguments):
        return
    from envbuild.cli.main import run

    sys.exit(run(arguments))


def _answered_from_stamps(arguments: list[str]) -> bool:
    """``lock --check`` and ``render --check`` when nothing has moved since the last good answer."""
    root = "."
    if len(arguments) > 2 and arguments[0] in ("-C", "--directory"):
        root, arguments = arguments[1], arguments[2:]
    if len(arguments) < 2 or arguments[0] not in _CHECKS or arguments[1] != "--check":
        return False
    stage, chosen = arguments[0], arguments[2:]
    if any(name.startswith("-") for name in chosen):
        return False
    from envbuild import stamps

    own = stamps.names(root)
    profiles = chosen or own
    if not profiles or not set(profiles) <= set(own):
        return False
    program = stamps.identity()
    if not all(stamps.fresh(root, stage, name, program) for name in profiles):
        return False
    sys.stderr.write(f"{len(profiles)} profiles, all {_CHECKS[stage]} fresh\n")
    return True


if __name__ == "__main__":
    main()
