"""The choices of a user to the files of GitHub and GitLab. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from envbuild.forge import filling, marks
from envbuild.forge.actions import ACTIONS
from envbuild.forge.choices import Choices
from envbuild.forge.filling import one_line
from envbuild.forge.model import Machine, Written

_GITHUB = {
    "ci/github/nightly.yml.j2": ".github/workflows/envbuild-nightly.yml",
    "ci/github/pull-request.yml.j2": ".github/workflows/envbuild-pull-request.yml",
    "ci/github/relock.yml.j2": ".github/workflows/envbuild-relock.yml",
}
_GITLAB = {"ci/gitlab/gitlab-ci.yml.j2": ".gitlab-ci.yml"}
_TEXT = "ci/relock-text.sh.j2"


def github(
    choices: Choices, templates: Mapping[str, str], *, words: tuple[str, ...], sarif: bool
) -> tuple[Written, ...]:
    """The workflows of GitHub. ``words`` is the command line that writes them, ``sarif`` whether
    findings go to code scanning.

    Raises:
        InputError: a template is wrong, or a value cannot stand in one.
    """
    text = filling.fill(templates, _TEXT, {"temp": "RUNNER_TEMP"})
    values = _values(choices, words) | {"sarif": sarif, "relock_text": text.rstrip("\n")}
    return _filled(_GITHUB, templates, values)


def gitlab(
    choices: Choices, templates: Mapping[str, str], *, words: tuple[str, ...]
) -> tuple[Written, ...]:
    """The pipeline of GitLab.

    Raises:
        InputError: a template is wrong, or a value cannot stand in one.
    """
    text = filling.fill(templates, _TEXT, {"temp": "RELOCK"})
    values = _values(choices, words) | {"relock_text": text.rstrip("\n")}
    return _filled(_GITLAB, templates, values)


def _filled(
    places: Mapping[str, str], templates: Mapping[str, str], values: Mapping[str, object]
) -> tuple[Written, ...]:
    return tuple(
        Written(path=path, text=_tidy(filling.fill(templates, name, values)))
        for name, path in sorted(places.items())
    )


def _values(choices: Choices, words: tuple[str, ...]) -> dict[str, object]:
    machines = choices.machines
    plain, gpu = _words("--runner", machines.plain), _words("--gpu-runner", machines.gpu)
    return {
        "mark": marks.line(words),
        "action": ACTIONS,
        "branch": choices.branch,
        "cache": f"{choices.registry}/cache" if choices.registry else "",
        "cron": choices.cron,
        "gpu_words": " ".join(gpu),
        "history": choices.history,
        "host": choices.host,
        "install": choices.install,
        "machine_words": (*plain, *gpu),
        "machines": machines.all,
        "plain": machines.plain[0] if machines.plain else None,
        "plain_words": " ".join(plain),
        "pull_cache": f"{choices.registry}/cache-requests" if choices.registry else "",
        "registry": choices.registry,
        "relock": choices.relock,
        "shards": choices.shards,
    }


def _words(option: str, machines: tuple[Machine, ...]) -> tuple[str, ...]:
    named = (f"{one.architecture}={','.join(one.labels)}" for one in machines if one.labels)
    # In quotes even where a shell needs none: a comma in an array looks like a mistake.
    return tuple(f"{option} '{one_line(name)}'" for name in named)


def _tidy(text: str) -> str:
    """No blanks at the end of a line, no two empty lines, one line break at the end."""
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    while "\n\n\n" in lines:
        lines = lines.replace("\n\n\n", "\n\n")
    return lines.strip("\n") + "\n"
