"""What a builder may take from its cache: only what would come out the same."""

import msgspec
import pytest

from envbuild.lock.folder import sha256
from envbuild.render.dockerfile import parse

from .conftest import (
    EXPLICIT,
    VARIANT,
    conda_half,
    locked,
    package,
    resolved,
    runs,
    texts_of,
    tree,
)


@pytest.mark.parametrize("source", ["image", "uv", "conda", "in place"])
def test_what_is_mounted_is_named_in_the_command(templates, source):
    """podman 4.3 takes a layer from its cache although the mounted file has changed."""
    python = {"version": "3.11", "source": source, "interpreter": "/python.sh", "prefix": "/opt/e"}
    if source == "in place":
        python |= {"source": "image", "prefix": None}
    conda = {"channels": ["conda-forge"], "packages": ["python=3.11"]}
    profile = resolved(python=python, **({"conda": conda} if source == "conda" else {}))
    lock = locked(
        package("numpy==1.26.0"),
        package("docopt==0.6.2", "source"),
        conda=conda_half() if source == "conda" else None,
    )
    made = tree(profile, lock, templates)
    checked = []
    for run in parse(made["Dockerfile"]):
        for flag in run.flags:
            mount = dict(part.partition("=")[::2] for part in flag.split(","))
            if mount.get("target") == "/run/envbuild/in":
                (path,) = [name for name in made if name.startswith(f"{mount['source']}/")]
                name, digest = path.rpartition("/")[2], sha256(made[path].encode())
                assert f'"$(sha256sum < /run/envbuild/in/{name})" = "{digest}  -"' in run.arguments
                checked.append(mount["source"].removeprefix(f"{VARIANT}/"))
            elif mount.get("source") in {"/wheels", "/bin/micromamba", "/envbuild"}:
                assert " : " in run.arguments
                checked.append(mount["source"])
    own = {
        "image": [],
        "uv": ["python"],
        "conda": ["apt/base", "/bin/micromamba", "conda"],
        "in place": ["bundle"],
    }[source]
    end = ["bundle", "/envbuild"] if source == "in place" else []
    assert checked == [*own, "sources", "/wheels", "wheels-2", *end]


def test_a_piece_is_the_same_while_its_packages_are(templates):
    """A light package that moves, or who asked for a heavy one, leaves the layers below alone."""
    first = locked(package("torch==2.7.0"), package("numpy==1.26.0"), package("six==1.16.0"))
    second = locked(package("torch==2.7.0"), package("numpy==1.26.0"), package("six==1.17.0"))
    one, two = (tree(resolved(), lock, templates) for lock in (first, second))
    assert sorted(path for path in one if one[path] != two[path]) == [
        "Dockerfile",
        f"{VARIANT}/wheels-3/requirements.txt",
    ]
    commands = [[i.arguments for i in parse(made["Dockerfile"])] for made in (one, two)]
    moved = [n for n, (a, b) in enumerate(zip(*commands, strict=True)) if a != b]
    installs = [n for n, a in enumerate(commands[0]) if "pip install" in a]
    assert len(installs) == 3
    recorded = next(n for n, a in enumerate(commands[0]) if a.startswith(": "))
    assert moved[:2] == [recorded, installs[-1]]


def test_what_was_built_is_installed_before_what_moves(templates):
    lock = locked(
        package("torch==2.7.0"), package("six==1.16.0"), package("docopt==0.6.2", "source")
    )
    found = [run for run in runs(resolved(), lock, templates) if "pip install" in run]
    assert ["docopt" in run for run in found] == [False, True, False]


def recipe(profile, lock, templates, explicit=EXPLICIT):
    texts = texts_of(lock) | {"linux-64.explicit.txt": explicit}
    found = parse(tree(profile, lock, templates, texts)["Dockerfile"])
    (run,) = [i.arguments for i in found if "/run/envbuild/wheels" in i.arguments]
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
            locked(package("docopt==0.6.1", "source")),
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
    other_text = EXPLICIT.replace(b"a-1", b"a-2")
    found = [
        recipe(
            profile,
            locked(package("docopt==0.6.2", "source"), conda=conda_half(digest=sha256(text))),
            templates,
            text,
        )
        for text in (EXPLICIT, other_text)
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
    heavy = locked(package("torch==2.7.0"), package("docopt==0.6.2", "source"))
    assert recipe(resolved(), heavy, templates) not in found[install - 1]
    light = locked(package("six==1.16.0"), package("docopt==0.6.2", "source"))
    assert recipe(resolved(), light, templates) in found[install - 1]
