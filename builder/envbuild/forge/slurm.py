"""The choices of a user to the jobs of a Slurm cluster, and to definitions of Apptainer. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, structs

from envbuild.forge import filling, marks
from envbuild.forge.choices import SlurmChoices
from envbuild.forge.model import Written
from envbuild.profile.resolved import Variant

_JOBS = {
    "ci/slurm/night.sbatch.j2": "slurm/night.sbatch",
    "ci/slurm/report.sbatch.j2": "slurm/report.sbatch",
    "ci/slurm/submit.sh.j2": "slurm/submit",
}
_DEFINITION = "ci/slurm/image.def.j2"


class Locked(Struct, frozen=True, kw_only=True):
    """A variant that has an image: ``lock`` is the digest of its lock, ``interpreter`` what starts
    Python in it."""

    variant: Variant
    lock: str
    interpreter: str


def slurm(
    choices: SlurmChoices,
    templates: Mapping[str, str],
    *,
    words: tuple[str, ...],
    locked: Iterable[Locked] = (),
) -> tuple[Written, ...]:
    """The jobs, and for Apptainer a definition for each variant.

    Raises:
        InputError: a template is wrong, or a value cannot stand in one.
    """
    mark = marks.line(words)
    values = structs.asdict(choices) | {"mark": mark}
    jobs = tuple(
        Written(path=path, text=filling.fill(templates, name, values), program="." not in path)
        for name, path in sorted(_JOBS.items())
    )
    if choices.runtime != "apptainer":
        return jobs
    return (*jobs, *(_definition(one, choices, templates, mark=mark) for one in locked))


def _definition(
    one: Locked, choices: SlurmChoices, templates: Mapping[str, str], *, mark: str
) -> Written:
    environment, name = one.variant.environment, one.variant.name
    profile = environment.name
    layout = choices.images.removeprefix("oci:")
    values = {
        "mark": mark,
        "profile": profile,
        "variant": name,
        "summary": environment.summary,
        "lock": one.lock,
        "interpreter": one.interpreter,
        "layout": f"{layout}/{profile}/{name}" if choices.images.startswith("oci:") else "",
        "reference": f"{choices.images}/{profile}:{name}",
        "imports": tuple(_imports(one.variant)),
    }
    text = filling.fill(templates, _DEFINITION, values)
    return Written(path=f"slurm/apptainer/{profile}/{name}.def", text=text)


def _imports(variant: Variant) -> Iterable[str]:
    """What a machine without a GPU can import in an image, a line of Python for each test."""
    for test in variant.environment.smoke:
        if test.launch == "none" and test.needs == "nothing" and test.imports:
            yield f"import {', '.join((*test.before_launch, *test.imports))}"
