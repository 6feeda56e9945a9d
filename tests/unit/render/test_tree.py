import msgspec
import pytest

from envbuild.errors import InputError
from envbuild.lock.model import FileDigest
from envbuild.render.dockerfile import parse
from envbuild.render.tree import dockerfile_names, render, tidy

from .conftest import VARIANT, conda_half, locked, package, resolved, runs, text, variant_lock


def test_a_file_for_each_variant_and_its_ignore_file(templates):
    profile = resolved(VARIANT, "linux-arm64-cu130")
    lock = msgspec.structs.replace(
        locked(), variants={VARIANT: variant_lock(), "linux-arm64-cu130": variant_lock()}
    )
    tree = render(profile, lock, templates)
    assert tree.profile == "demo"
    assert [file.path for file in tree.files] == [
        "Dockerfile",
        "Dockerfile.dockerignore",
        "Dockerfile.linux-arm64-cu130",
        "Dockerfile.linux-arm64-cu130.dockerignore",
    ]
    assert dockerfile_names(profile)[VARIANT] == "Dockerfile"


def test_nothing_to_install_is_one_stage_without_run(templates):
    keywords = [i.keyword for i in parse(text(resolved(), locked(), templates))]
    assert keywords == ["FROM", "USER", "LABEL", "WORKDIR"]


def test_locked_wheels_are_installed_by_hash_and_nothing_else(templates):
    (run,) = runs(resolved(), locked(package("numpy==1.26.0")), templates)
    assert "-m pip install" in run
    assert "--no-deps --require-hashes --only-binary :all: -r /run/envbuild/locked.txt" in run


def test_an_install_into_the_image_refuses_to_change_what_it_brings(templates):
    (run,) = runs(resolved(), locked(package("numpy==1.26.0")), templates)
    assert run.index("> /tmp/before.txt") < run.index("pip install") < run.index("> /tmp/after.txt")
    assert "if grep -vxFf /tmp/after.txt /tmp/before.txt" in run


def test_an_environment_of_its_own_has_nothing_to_protect(templates):
    python = {
        "version": "3.11",
        "source": "image",
        "interpreter": "/usr/bin/python3",
        "prefix": "/opt/e",
    }
    made, install = runs(resolved(python=python), locked(package("numpy==1.26.0")), templates)
    assert made == "/usr/bin/python3 -m venv /opt/e"
    assert "/opt/e/bin/python -m pip install" in install
    assert "before.txt" not in install


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
    stage = next(
        i for i, f in enumerate(found) if f.arguments == "registry.example.com/devel:1 AS wheels"
    )
    apt = next(f.arguments for f in found[stage:] if "apt-get install" in f.arguments)
    assert apt.index("gcc") < apt.index("libgl1") < apt.index("ninja-build")


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
            "-r /run/envbuild/locked.txt",
            "-m ensurepip",
            "/^docopt==/",
            "/^aaa==/",
            "--find-links /wheels",
            "--no-build-isolation",
            "--find-links /run/envbuild/wheels",
        )
    ]
    assert order == sorted(order)
    assert sum("-r /run/envbuild/locked.txt" in run for run in found) == 1


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
    assert "/run/envbuild/explicit.txt" in targets
    assert all(target.startswith("/run/envbuild/") for target in targets)


CONDA = {
    "python": {"version": "3.11", "source": "conda", "prefix": "/opt/e"},
    "conda": {"channels": ["conda-forge"], "packages": ["python=3.11"]},
}


def test_conda_packages_are_installed_from_the_lock_alone(templates):
    """No channel, no specification, no virtual package: nothing is solved in a build."""
    lock = locked(conda=conda_half())
    (found,) = [r for r in runs(resolved(**CONDA), lock, templates) if "micromamba create" in r]
    assert "--prefix /opt/e --file /run/envbuild/explicit.txt;" in found
    assert found.index("sha256sum < /run/envbuild/explicit.txt") < found.index("micromamba create")
    for word in ("--channel", "conda-forge", "python=3.11", "CONDA_OVERRIDE"):
        assert word not in found


def test_a_build_reads_the_explicit_file_of_its_own_platform(templates):
    lock = locked(package("numpy==1.26.0"), conda=conda_half())
    ignored = text(resolved(**CONDA), lock, templates, "Dockerfile.dockerignore")
    assert ignored.split("\n")[1:] == ["*", "!linux-64.explicit.txt", f"!{VARIANT}.txt", ""]
    rendered = text(resolved(**CONDA), lock, templates)
    assert "linux-aarch64" not in rendered
    assert "environment.yml" not in rendered


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
    ignored = text(resolved(files=files), lock, templates, "Dockerfile.dockerignore")
    assert ignored.split("\n")[1:] == ["*", "!files/a/run.sh", f"!{VARIANT}.txt", ""]


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
        render(resolved(), lock, templates)


def test_a_variant_that_is_not_locked_is_refused(templates):
    with pytest.raises(InputError, match="demo: linux-amd64-cpu is not locked") as caught:
        render(resolved("linux-amd64-cpu"), locked(), templates)
    assert caught.value.hint == "run: envbuild lock demo"


def test_a_file_that_the_lock_has_not_copied_is_refused(templates):
    profile = resolved(files=[{"source": "run.sh", "path": "/run.sh"}])
    with pytest.raises(InputError, match=r"the lock of demo does not hold files/run.sh"):
        render(profile, locked(), templates)


def test_a_lock_that_does_not_name_its_uv_is_refused(templates):
    profile = resolved(python={"version": "3.11", "source": "uv", "prefix": "/opt/e"})
    with pytest.raises(InputError, match="does not say which uv made it"):
        render(profile, locked(tools={}), templates)


@pytest.mark.parametrize("python", [{"source": "image"}, {"source": "uv"}])
def test_a_python_that_is_not_whole_is_refused(templates, python):
    with pytest.raises(InputError, match=f"source: {python['source']} needs"):
        render(resolved(python={"version": "3.11", **python}), locked(), templates)


@pytest.mark.parametrize(
    "lock",
    [
        locked(package("numpy==1.26.0"), wheels=FileDigest(path="a\nRUN id", sha256="a" * 64)),
        locked(package("numpy==1.26.0"), wheels=FileDigest(path="../x", sha256="a" * 64)),
        locked(package("docopt==0.6.2; id", "source")),
        locked(unpinned=[("a\nRUN id", "b")]),
        locked(digest="$(id)"),
        locked(digest="d" * 64 + "\n"),
        locked(package("docopt==0.6.2\n", "source")),
    ],
)
def test_a_lock_that_was_tampered_with_is_refused(templates, lock):
    with pytest.raises(InputError, match="the lock of demo holds what no lock can hold"):
        render(resolved(), lock, templates)


@pytest.mark.parametrize(
    "half",
    [
        conda_half("../linux-64.explicit.txt"),
        conda_half("a,target=/b"),
        conda_half("a\nRUN id"),
        conda_half("a b"),
        conda_half(sha256="e" * 63),
        conda_half(sha256="e" * 64 + "\n"),
        conda_half(sha256='$(id)"'),
    ],
)
def test_a_conda_half_that_was_tampered_with_is_refused(templates, half):
    with pytest.raises(InputError, match="the lock of demo holds what no lock can hold"):
        render(resolved(**CONDA), locked(conda=half), templates)


def test_a_lock_without_the_conda_half_of_its_profile_is_refused(templates):
    with pytest.raises(InputError, match="the lock of demo holds no conda packages"):
        render(resolved(**CONDA), locked(), templates)


def test_tidy():
    assert tidy("\n\na  \n\n\n\nb \\\n\n\n  c\n\n") == "a\n\nb \\\n  c\n"
