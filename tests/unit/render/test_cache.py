"""What a builder may take from its cache: only what would come out the same."""

import msgspec
import pytest

from envbuild.lock.model import FileDigest
from envbuild.render.dockerfile import parse

from .conftest import VARIANT, conda_half, locked, package, resolved, runs, text


@pytest.mark.parametrize("source", ["image", "uv", "conda"])
def test_what_is_mounted_is_named_in_the_command(templates, source):
    """podman 4.3 takes a layer from its cache although the mounted file has changed."""
    python = {"version": "3.11", "source": source, "interpreter": "/python.sh", "prefix": "/opt/e"}
    conda = {"channels": ["conda-forge"], "packages": ["python=3.11"]}
    profile = resolved(python=python, **({"conda": conda} if source == "conda" else {}))
    lock = locked(
        package("numpy==1.26.0"),
        package("docopt==0.6.2", "source"),
        conda=conda_half() if source == "conda" else None,
    )
    named = {
        f"{VARIANT}.txt": "a" * 64,
        f"{VARIANT}.sdist.txt": "b" * 64,
        "linux-64.explicit.txt": "e" * 64,
    }
    checked = 0
    for run in parse(text(profile, lock, templates)):
        for flag in run.flags:
            mount = dict(part.partition("=")[::2] for part in flag.split(","))
            if mount.get("source") in named:
                digest = named[mount["source"]]
                assert f'"$(sha256sum < {mount["target"]})" = "{digest}  -"' in run.arguments
                checked += 1
            elif mount.get("source") in {"/wheels", "/bin/micromamba"}:
                assert " : " in run.arguments
                checked += 1
    assert checked == {"image": 3, "uv": 3, "conda": 5}[source]


def recipe(profile, lock, templates):
    (run,) = [r for r in runs(profile, lock, templates) if "/run/envbuild/wheels" in r]
    return run.partition(": ")[2].partition(";")[0]


def test_the_recipe_of_the_wheels_follows_what_they_are_built_from(templates):
    def python(**changes):
        return {"version": "3.11", "source": "image", "interpreter": "/python.sh", **changes}

    lock = locked(package("docopt==0.6.2", "source"))
    flags = [{"package": "docopt", "reason": "r", "environment": {"CFLAGS": "-O2"}}]
    found = [
        recipe(resolved(python=python()), lock, templates),
        recipe(
            resolved(python=python(**{"build-constraints": ["setuptools<81"]})), lock, templates
        ),
        recipe(resolved(python=python(**{"build-from-source": flags})), lock, templates),
        recipe(resolved(python=python(), apt=["libgl1"]), lock, templates),
        recipe(
            resolved(python=python()),
            locked(
                package("docopt==0.6.2", "source"),
                sources=FileDigest(path="x.txt", sha256="e" * 64),
            ),
            templates,
        ),
    ]
    assert len(set(found)) == len(found)
    assert all(len(digest) == 64 for digest in found)
    changed_env = recipe(resolved(python=python(), env={"A": "b"}), lock, templates)
    assert changed_env == found[0]


def test_the_recipe_of_the_wheels_follows_the_conda_packages_below_them(templates):
    python = {"version": "3.11", "source": "conda", "prefix": "/opt/e"}
    conda = {"channels": ["conda-forge"], "packages": ["python=3.11"]}
    profile = resolved(python=python, conda=conda)
    found = [
        recipe(profile, locked(package("docopt==0.6.2", "source"), conda=half), templates)
        for half in (conda_half(), conda_half(sha256="0" * 64))
    ]
    assert len(set(found)) == 2
    other = locked(
        package("docopt==0.6.2", "source"),
        conda=msgspec.structs.replace(conda_half(), explicit=conda_half().explicit[:1]),
    )
    assert recipe(profile, other, templates) == found[0]


def test_the_stage_of_the_wheels_ends_with_its_recipe(templates):
    """podman 4.3 mounts a stage that is whole in its cache as if nothing was built in it."""
    lock = locked(package("docopt==0.6.2", "source"))
    found = runs(resolved(), lock, templates)
    install = next(i for i, run in enumerate(found) if "/run/envbuild/wheels" in run)
    assert found[install - 1] == f": {recipe(resolved(), lock, templates)}"
    other = locked(
        package("six==1.16.0"),
        package("docopt==0.6.2", "source"),
        wheels=FileDigest(path=f"{VARIANT}.txt", sha256="f" * 64),
    )
    assert recipe(resolved(), other, templates) not in found[install - 1]
