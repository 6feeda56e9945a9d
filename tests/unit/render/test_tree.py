import msgspec
import pytest

from envbuild.errors import InputError
from envbuild.lock.folder import lock_digest
from envbuild.lock.model import AptPins, ImagePin
from envbuild.render.dockerfile import parse
from envbuild.render.tree import dockerfile_names, render, tidy

from .conftest import (
    EXPLICIT,
    VARIANT,
    conda_half,
    locked,
    package,
    resolved,
    runs,
    text,
    texts_of,
    tree,
    variant_lock,
)


def test_a_file_for_each_variant_and_its_ignore_file(templates):
    profile = resolved(VARIANT, "linux-arm64-cu130")
    lock = msgspec.structs.replace(
        locked(), variants={VARIANT: variant_lock(), "linux-arm64-cu130": variant_lock()}
    )
    made = render(profile, lock, texts=texts_of(lock), templates=templates)
    assert made.profile == "demo"
    assert [file.path for file in made.files] == [
        "Dockerfile",
        "Dockerfile.dockerignore",
        "Dockerfile.linux-arm64-cu130",
        "Dockerfile.linux-arm64-cu130.dockerignore",
        f"{VARIANT}/bundle/bundle.py",
        "linux-arm64-cu130/bundle/bundle.py",
    ]
    assert dockerfile_names(profile)[VARIANT] == "Dockerfile"


def test_nothing_to_install_is_one_stage_without_run(templates):
    python = {"version": "3.11", "source": "image", "interpreter": "/python3", "prefix": "/opt/e"}
    found = parse(text(resolved(python=python), locked(), templates))
    keywords = [i.keyword for i in found if "-m venv" not in i.arguments]
    assert keywords == ["ARG", "FROM", "USER", "ARG", "ENV", "LABEL", "WORKDIR"]


def test_locked_wheels_are_installed_by_hash_and_nothing_else(templates):
    found = runs(resolved(), locked(package("numpy==1.26.0")), templates)
    (run,) = [one for one in found if "pip install" in one]
    assert "--no-deps --require-hashes --only-binary :all: -r /run/envbuild/in/requirem" in run


def test_the_bundle_is_recorded_before_and_checked_at_the_end(templates):
    python = {
        "version": "3.11",
        "source": "image",
        "interpreter": "/isaac-sim/python.sh",
        "bundled-sites": ["/isaac-sim/ext*/pip_prebundle"],
    }
    files = [{"source": "run.sh", "path": "/run.sh"}]
    lock = locked(package("numpy==1.26.0"), files=["files/run.sh"])
    found = parse(text(resolved(python=python, files=files), lock, templates))
    last = max(i for i, one in enumerate(found) if one.keyword in {"FROM", "RUN", "COPY"})
    check = found[last]
    assert "check /run/envbuild/bundle/bundle.json '/isaac-sim/ext*/pip_prebundle'" in (
        check.arguments.replace("       ", " ")
    )
    stage = next(i for i, one in enumerate(found) if one.arguments == "${BASE_IMAGE} AS bundle")
    record, recipe = (one.arguments for one in found[stage + 2 : stage + 4])
    assert "/isaac-sim/python.sh /run/envbuild/in/bundle.py record /envbuild/bundle.json" in record
    assert recipe.startswith(": ")
    assert recipe[2:] in check.arguments


def test_the_last_step_of_the_bundle_follows_all_that_the_image_is_made_of(templates):
    """podman 4.3 mounts a stage that is whole in its cache as if nothing was made in it."""

    def recipe(profile, made=templates):
        found = parse(text(profile, locked(), made))
        return next(i.arguments for i in found if i.arguments.startswith(": "))

    other = {**templates, "dockerfile/settings.j2": templates["dockerfile/settings.j2"] + "\n"}
    found = [
        recipe(resolved()),
        recipe(resolved(env={"A": "b"})),
        recipe(resolved(summary="Other.")),
        recipe(resolved(), other),
    ]
    assert len(set(found)) == len(found)


def test_an_environment_of_its_own_has_nothing_to_protect(templates):
    python = {
        "version": "3.11",
        "source": "image",
        "interpreter": "/usr/bin/python3",
        "prefix": "/opt/e",
    }
    made, install = runs(resolved(python=python), locked(package("numpy==1.26.0")), templates)
    assert made.endswith("/usr/bin/python3 -m venv /opt/e")
    assert "/opt/e/bin/python -m pip install" in install
    assert "bundle" not in "".join(tree(resolved(python=python), locked(), templates))


def test_placeholders_alone_need_no_development_image(templates):
    base = {
        "image": "registry.example.com/sim:5.0",
        "build-image": "registry.example.com/devel:1",
        "distribution": "ubuntu-22.04",
    }
    profile = resolved(base=base)
    rendered = text(profile, locked(package("isaacsim==5.1.0.0", "stub")), templates)
    assert "FROM base AS wheels" in rendered
    assert "#   isaacsim==5.1.0.0" in rendered


def test_a_compiled_package_is_built_on_the_development_image(templates):
    base = {
        "image": "registry.example.com/sim:5.0",
        "build-image": "registry.example.com/devel:1",
        "distribution": "ubuntu-22.04",
    }
    python = {
        "version": "3.11",
        "source": "image",
        "interpreter": "/usr/bin/python3",
        "build-from-source": [{"package": "Flash_Attn", "reason": "r", "apt": ["gcc"]}],
    }
    profile = resolved(base=base, python=python, apt=["libgl1"])
    lock = locked(package("flash-attn==2.7.4", "source", system=("ninja-build",)))
    found = parse(text(profile, lock, templates))
    stage = next(i for i, f in enumerate(found) if f.arguments == "${BUILD_IMAGE} AS wheels")
    assert "ARG BUILD_IMAGE=registry.example.com/devel:1\n" in text(profile, lock, templates)
    apt = next(f for f in found[stage:] if "apt-get install" in f.arguments)
    assert f"--mount=type=bind,source={VARIANT}/apt/wheels,target=/run/envbuild/in" in apt.flags
    assert tree(profile, lock, templates)[f"{VARIANT}/apt/wheels/packages.txt"] == (
        "gcc\nlibgl1\nninja-build\n"
    )


def test_builds_without_isolation_come_last_and_find_the_locked_packages(templates):
    python = {
        "version": "3.10",
        "source": "uv",
        "prefix": "/opt/e",
        "build-from-source": [
            {"package": "flash-attn", "reason": "r", "isolation": False},
            {"package": "aaa", "reason": "r", "environment": {"A": "1"}},
        ],
    }
    lock = locked(
        package("torch==2.7.0"),
        package("flash-attn==2.7.4", "source"),
        package("aaa==1", "source"),
        package("docopt==0.6.2", "source"),
    )
    found = runs(resolved(python=python), lock, templates)
    order = [
        next(i for i, run in enumerate(found) if words in run)
        for words in (
            "-r /run/envbuild/in/requirements.txt",
            "-m ensurepip",
            "/^docopt==/",
            "/^aaa==/",
            "--find-links /wheels",
            "--no-build-isolation",
            "--find-links /run/envbuild/wheels",
        )
    ]
    assert order == sorted(order)
    assert sum("uv pip install" in run and "--no-build" in run for run in found) == 2


def test_no_secret_value_path_or_index_is_kept(templates):
    profile = resolved(python={"version": "3.11", "source": "uv", "prefix": "/opt/e"})
    lock = locked(package("numpy==1.26.0"), package("docopt==0.6.2", "source"))
    found = parse(text(profile, lock, templates))
    kept = [i for i in found if i.keyword in {"ENV", "ARG", "COPY", "LABEL"}]
    assert not [i for i in kept if "secret" in i.arguments or "PIP_" in i.arguments]
    mounted = [flag for i in found for flag in i.flags if flag.startswith("--mount=type=secret")]
    assert mounted
    assert not [flag for flag in mounted if "target" in flag or "required" in flag]


def test_every_mount_target_is_new_to_the_base(templates):
    """buildah 1.28 deletes a file of the base that a mount covered."""
    python = {"version": "3.11", "source": "conda", "prefix": "/opt/e"}
    conda = {"channels": ["conda-forge"], "packages": ["python=3.11"]}
    lock = locked(package("numpy==1.26.0"), package("docopt==0.6.2", "source"), conda=conda_half())
    found = parse(text(resolved(python=python, conda=conda), lock, templates))
    targets = [
        part.removeprefix("target=")
        for i in found
        for flag in i.flags
        for part in flag.split(",")
        if part.startswith("target=")
    ]
    assert "/run/envbuild/micromamba" in targets
    assert all(target.startswith("/run/envbuild/") for target in targets)


CONDA = {
    "python": {"version": "3.11", "source": "conda", "prefix": "/opt/e"},
    "conda": {"channels": ["conda-forge"], "packages": ["python=3.11"]},
}


def test_conda_packages_are_installed_from_the_lock_alone(templates):
    """No channel, no specification, no virtual package: nothing is solved in a build."""
    lock = locked(conda=conda_half())
    (found,) = [r for r in runs(resolved(**CONDA), lock, templates) if "micromamba create" in r]
    assert "--prefix /opt/e --file /run/envbuild/in/explicit.txt;" in found
    assert found.index("sha256sum < /run/envbuild/in/explicit") < found.index("micromamba create")
    for word in ("--channel", "conda-forge", "python=3.11", "CONDA_OVERRIDE"):
        assert word not in found


def test_a_build_reads_the_explicit_file_of_its_own_platform(templates):
    lock = locked(package("numpy==1.26.0"), conda=conda_half())
    ignored = text(resolved(**CONDA), lock, templates, "Dockerfile.dockerignore")
    folders = [f"!{VARIANT}/{name}" for name in ("apt/base", "conda", "wheels-2")]
    assert ignored.split("\n")[1:] == ["*", *folders, ""]
    rendered = tree(resolved(**CONDA), lock, templates)
    assert rendered[f"{VARIANT}/conda/explicit.txt"].encode() == EXPLICIT
    assert "linux-aarch64" not in rendered["Dockerfile"]


@pytest.mark.parametrize(
    ("accept", "said", "variables"),
    [
        (None, None, set()),
        (True, "The profile accepts", {"ACCEPT_EULA", "OMNI_KIT_ACCEPT_EULA"}),
        (False, "--env ACCEPT_EULA=Y", set()),
    ],
)
def test_licence_terms_are_accepted_only_when_the_profile_says_so(
    templates, accept, said, variables
):
    rendered = text(resolved(**{"accept-eula": accept}), locked(), templates)
    env = [i.arguments for i in parse(rendered) if i.keyword == "ENV"]
    assert {word.split("=")[0] for word in " ".join(env).split()} == variables
    assert ("EULA" in rendered) is (said is not None)
    assert said is None or said in rendered


def test_the_build_reads_only_what_it_needs(templates):
    files = [{"source": "a/run.sh", "path": "/run.sh", "mode": "0755"}]
    lock = locked(package("numpy==1.26.0"), files=["files/a/run.sh", "files/unused"])
    found = tree(resolved(files=files), lock, templates)
    names = ("bundle", "files/a/run.sh", "wheels-2")
    assert found["Dockerfile.dockerignore"].split("\n")[1:] == [
        "*",
        *(f"!{VARIANT}/{name}" for name in names),
        "",
    ]
    assert found[f"{VARIANT}/files/a/run.sh"] == "the file files/a/run.sh\n"
    assert not [path for path in found if "unused" in path]


def test_the_profile_has_the_last_word_on_path(templates):
    python = {"version": "3.11", "source": "uv", "prefix": "/opt/e"}
    rendered = text(resolved(python=python, env={"PATH": "/mine"}), locked(), templates)
    assert 'PATH="/mine"' in rendered
    assert "/opt/e/bin:$PATH" not in rendered


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"name": "isaac-sim", "uid": 1234}, 'test "$(id -u isaac-sim)" = 1234'),
        ({"name": "dev", "uid": 1000, "create": True}, "useradd --uid 1000"),
    ],
)
def test_who_the_image_runs_as(templates, user, words):
    profile = resolved(user=user)
    assert words in runs(profile, locked(), templates)[-1]
    last = [i for i in parse(text(profile, locked(), templates)) if i.keyword == "USER"][-1]
    assert last.arguments == str(user["uid"])


def test_the_lock_of_another_profile_is_refused(templates):
    lock = msgspec.structs.replace(locked(), profile="other")
    with pytest.raises(InputError, match="the lock is that of 'other', not of 'demo'"):
        tree(resolved(), lock, templates)


def test_a_variant_that_is_not_locked_is_refused(templates):
    with pytest.raises(InputError, match="demo: linux-amd64-cpu is not locked") as caught:
        tree(resolved("linux-amd64-cpu"), locked(), templates)
    assert caught.value.hint == "run: envbuild lock demo"


def test_a_file_that_the_lock_has_not_copied_is_refused(templates):
    profile = resolved(files=[{"source": "run.sh", "path": "/run.sh"}])
    with pytest.raises(InputError, match=r"the lock of demo does not hold files/run.sh"):
        tree(profile, locked(), templates)


def test_a_lock_that_does_not_name_its_uv_is_refused(templates):
    profile = resolved(python={"version": "3.11", "source": "uv", "prefix": "/opt/e"})
    with pytest.raises(InputError, match="does not say which uv made it"):
        tree(profile, locked(tools={}), templates)


@pytest.mark.parametrize("python", [{"source": "image"}, {"source": "uv"}])
def test_a_python_that_is_not_whole_is_refused(templates, python):
    with pytest.raises(InputError, match=f"source: {python['source']} needs"):
        tree(resolved(python={"version": "3.11", **python}), locked(), templates)


@pytest.mark.parametrize(
    "lock",
    [
        locked(package("docopt==0.6.2; id", "source")),
        locked(unpinned=[("a\nRUN id", "b")]),
        locked(package("docopt==0.6.2\n", "source")),
        locked(images=(ImagePin(role="base", reference="a b", digest=f"sha256:{'5' * 64}"),)),
        locked(images=(ImagePin(role="base", reference="a", digest="sha256:5\nRUN id"),)),
    ],
)
def test_a_lock_that_was_tampered_with_is_refused(templates, lock):
    with pytest.raises(InputError, match="the lock of demo holds what no lock can hold"):
        tree(resolved(), lock, templates)


@pytest.mark.parametrize("half", [conda_half(digest="e" * 64), conda_half(digest='$(id)"')])
def test_a_conda_half_that_was_tampered_with_is_refused(templates, half):
    with pytest.raises(InputError, match=r"explicit.txt is not the file that the lock was written"):
        tree(resolved(**CONDA), locked(conda=half), templates)


def test_a_lock_without_the_conda_half_of_its_profile_is_refused(templates):
    with pytest.raises(InputError, match="the lock of demo holds no conda packages"):
        tree(resolved(**CONDA), locked(), templates)


def test_tidy():
    assert tidy("\n\na  \n\n\n\nb \\\n\n\n  c\n\n") == "a\n\nb \\\n  c\n"


def test_the_labels_say_which_lock_and_which_base_it_was_made_from(templates):
    digest = f"sha256:{'5' * 64}"
    pin = ImagePin(role="base", reference="registry.example.com/sim:5.0", digest=digest)
    lock = locked(package("six==1.16.0"), images=(pin,))
    rendered = text(resolved(), lock, templates)
    assert f"ARG BASE_IMAGE=registry.example.com/sim:5.0@{digest}\n" in rendered
    (label,) = [i.arguments for i in parse(rendered) if i.keyword == "LABEL"]
    held = lock_digest(lock.variants[VARIANT])
    assert f'io.envbuild.lock-digest="{held}"' in label
    assert 'org.opencontainers.image.base.name="registry.example.com/sim:5.0"' in label
    assert f'org.opencontainers.image.base.digest="{digest}"' in label
    moved = locked(package("six==1.17.0"), images=(pin,))
    assert held != lock_digest(moved.variants[VARIANT])
    assert held == lock_digest(locked(package("six==1.16.0"), images=(pin,)).variants[VARIANT])


def test_pinned_debian_packages_are_verified_and_come_from_the_state_of_the_archive(templates):
    pins = AptPins(
        archive="a", as_of="b", packages=("libgl1=1.4.0-1",), snapshot="20260212T000000Z"
    )
    profile = resolved(apt=["libgl1"])
    (run,) = [r for r in runs(profile, locked(apt=pins), templates) if "apt-get" in r]
    assert "apt-get update --snapshot 20260212T000000Z;" in run
    assert "--no-install-recommends --snapshot 20260212T000000Z" in run
    assert run.index("apt-get install") < run.index("dpkg-query") < run.index("rm -rf /var/lib/apt")
    (plain,) = [r for r in runs(profile, locked(), templates) if "apt-get" in r]
    assert "dpkg-query" not in plain
    assert "--snapshot" not in plain


@pytest.mark.parametrize("snapshot", ["20260212", "x; id", "20260212T000000Z\n"])
def test_a_snapshot_that_is_none_is_refused(templates, snapshot):
    pins = AptPins(archive="a", as_of="b", packages=("libgl1=1",), snapshot=snapshot)
    with pytest.raises(InputError, match="the lock of demo holds what no lock can hold"):
        tree(resolved(apt=["libgl1"]), locked(apt=pins), templates)
