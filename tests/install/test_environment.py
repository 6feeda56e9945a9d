"""What ``envbuild install`` makes, with a real Python and a real numpy."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.install.conftest import ARCHITECTURE, Kit, Lab, Serve, behind, wheels
from tests.support import conda_server
from tests.support.conda_server import Fault, Reply
from tests.support.index import PackageIndex, serving

ACTIVATE = """
import os, sys
from pathlib import Path
from rattler.shell import ActivationVariables, Shell, activate

made = activate(Path(sys.argv[1]), ActivationVariables(None, ["/usr/bin", "/bin"]), Shell.bash)
print(made.script, flush=True)
os._exit(0)
"""


@pytest.fixture(scope="module", params=["1.26.4", "2.2.6"])
def made(
    request: pytest.FixtureRequest, _kit: Kit, real: Path, tmp_path_factory: pytest.TempPathFactory
) -> Lab:
    """An environment with one numpy over HTTP, and with another from files."""
    lab = _kit.lab.copy(tmp_path_factory.mktemp("made") / "ws")
    path = lab.root / "envs/one.yaml"
    more = f'    - "numpy={request.param}"\n    - "importlib_metadata"\npython:'
    path.write_text(path.read_text().replace("python:", more, 1).replace("[beta]", "[beta, numpy]"))
    with serving(wheels()) as index, conda_server.serving(real) as served:
        lab.environment["UV_DEFAULT_INDEX"] = index.url
        lab.lock()
        if request.param == "1.26.4":
            lab.mirror("world", served.url)
        done = lab.made("--json")
    lab.said = json.loads(done.stdout)
    lab.numpy = request.param
    return lab


def files(lab: Lab) -> list[Path]:
    return [path for path in sorted(lab.prefix.rglob("*")) if not path.is_dir()]


def test_its_own_python_imports_what_was_locked(made: Lab) -> None:
    script = (
        "import sys, numpy, alpha, beta; print(sys.prefix, numpy.__version__, beta.__version__)"
    )
    assert made.python(script) == f"{made.prefix} {made.numpy} 2.0"


def test_what_was_made_is_told_as_json(made: Lab) -> None:
    assert made.said.pop("seconds") > 0
    assert made.said == {
        "profile": "one",
        "variant": f"linux-{ARCHITECTURE}-cpu",
        "prefix": str(made.prefix),
        "conda-packages": len(made.conda_lock()["package"]),
        "packages": 2,
        "left-out": [],
    }


def test_commands_of_both_halves_work(made: Lab) -> None:
    greeted = made.call("bin/greet")
    assert greeted.returncode == 0, greeted.stderr
    assert greeted.stdout.split()[0] == str(made.prefix)
    assert greeted.stdout.split()[1].startswith(f"{made.prefix}/lib/")
    assert str(made.prefix) in made.call("bin/pip", "--version").stdout
    assert made.call("bin/f2py", "-v").stdout.strip() == made.numpy


def test_no_file_knows_where_it_was_made_or_read(made: Lab) -> None:
    for path in files(made):
        data = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        for word in ("env.envbuild-", *made.settings["mirrored_channels"]["world"]):
            assert word.encode() not in data, path
        if path.parent.name == "conda-meta":
            assert b"file://" not in data, path


def test_conda_is_told_the_addresses_of_the_world(made: Lab) -> None:
    locked = {row["url"]: row["hash"] for row in made.conda_lock()["package"]}
    metas = [json.loads(path.read_bytes()) for path in made.prefix.glob("conda-meta/*-*.json")]
    assert {meta["url"] for meta in metas} == set(locked)
    for meta in metas:
        assert meta["channel"] == "https://conda.anaconda.org/world"
        assert {"md5": meta["md5"], "sha256": meta["sha256"]} == locked[meta["url"]]
        assert meta["fn"] == meta["url"].rpartition("/")[2]
    assert (made.prefix / "conda-meta/history").is_file()


def test_it_says_what_it_was_made_from(made: Lab) -> None:
    said = json.loads((made.prefix / "conda-meta/envbuild.json").read_bytes())
    variant = f"linux-{ARCHITECTURE}-cpu"
    digest = made.header()["variants"][variant]["digest"]
    assert said == {"profile": "one", "variant": variant, "lock-digest": digest}


def test_activation_sets_what_the_profile_says(made: Lab) -> None:
    argv = [sys.executable, "-c", ACTIVATE, str(made.prefix)]
    script = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    check = f'{script}\necho "$GREETING|$CONDA_PREFIX|$(command -v python)"\n'
    done = subprocess.run(["bash", "-c", check], capture_output=True, text=True, check=True, env={})
    prefix = made.prefix
    assert done.stdout.splitlines()[-1] == f"it's me|{prefix}|{prefix}/bin/python"


def test_every_record_holds(made: Lab) -> None:
    (site,) = made.prefix.glob("lib/python3.*/site-packages")
    checked = set()
    for record in site.glob("*.dist-info/RECORD"):
        if (record.parent / "INSTALLER").read_text().strip() != "uv":
            continue
        for name, digest, size in csv.reader(record.read_text().splitlines()):
            data = (site / name).read_bytes()
            if digest:
                found = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()
                assert (digest, int(size)) == (f"sha256={found.rstrip('=')}", len(data))
                checked.add(Path(name).name)
    assert "greet" in checked


# --- Places ---------------------------------------------------------------------------------------

PLACES = {"odd": "some größe, 100%20", "long": "long" * 40}


@pytest.mark.parametrize("kind", PLACES)
def test_a_prefix_may_have_any_harmless_name(warm: Lab, kind: str) -> None:
    warm.prefix = warm.places / PLACES[kind]
    done = warm.install()
    assert done.returncode == 0, done.stderr
    assert warm.left() == [PLACES[kind]]
    assert warm.python("import sys; print(sys.prefix)") == str(warm.prefix)
    assert warm.call("bin/greet").stdout.startswith(str(warm.prefix))
    called = warm.call("bin/wheel", "version")
    assert called.returncode == 0, called.stderr


def test_a_prefix_is_relative_and_the_folders_above_it_are_made(warm: Lab) -> None:
    done = warm.run("install", "one", "places/deep/er/env")
    assert done.returncode == 0, done.stderr
    warm.prefix = warm.places / "deep/er/env"
    assert warm.python("import sys; print(sys.prefix)") == str(warm.prefix)


def test_an_empty_folder_is_taken(warm: Lab) -> None:
    warm.prefix.mkdir()
    warm.made()
    assert warm.python("import alpha; print('fine')") == "fine"


# --- The cache and the network --------------------------------------------------------------------


def test_a_second_time_only_what_was_changed_is_fetched(
    warm: Lab, real: Path, serve: Serve
) -> None:
    served = behind(warm, real, serve)
    warm.made()
    assert len(served.asked("*.conda")) == len(warm.conda_lock()["package"])
    (archive,) = warm.root.glob("rattler/archives/*/pip-*.conda")
    right = archive.read_bytes()
    archive.write_bytes(right[:-1])
    served.requests.clear()
    warm.prefix = warm.places / "second"
    assert warm.install().returncode == 0
    assert [path.rpartition("/")[2] for path in served.asked("*")] == [archive.name]
    assert archive.read_bytes() == right


def test_offline_everything_comes_from_the_cache_and_what_was_changed_there_is_unpacked_anew(
    fresh: Lab, real: Path, index: PackageIndex
) -> None:
    with conda_server.serving(real) as served:
        fresh.mirror("world", served.url)
        fresh.made()
    (cached,) = fresh.root.glob("rattler/pkgs/pip-*/site-packages/pip/__init__.py")
    right = cached.read_bytes()
    cached.write_bytes(right.replace(b"import", b"IMPORT"))
    index.files.clear()
    asked = index.requests
    fresh.prefix = fresh.places / "second"
    done = fresh.install("--offline")
    assert done.returncode == 0, done.stderr
    assert fresh.python("import alpha; print('fine')") == "fine"
    assert index.requests == asked
    (linked,) = fresh.prefix.glob("lib/python3*/site-packages/pip/__init__.py")
    assert linked.read_bytes() == right


def once(fault: Fault) -> Fault:
    def sent(right: Reply, before: int) -> Reply:
        return right if before else fault(right, before)

    return sent


def test_what_passes_is_tried_again(warm: Lab, real: Path, serve: Serve) -> None:
    faults = {"*/pip-*": conda_server.busy(2), "*/packaging-*": once(conda_server.cut)}
    served = behind(warm, real, serve, faults)
    warm.made()
    assert len(served.asked("*/pip-*.conda")) == 3
    assert len(served.asked("*/packaging-*.conda")) == 2


# --- Only in an image -----------------------------------------------------------------------------


def test_what_only_an_image_has_is_named(warm: Lab) -> None:
    path = warm.root / "envs/one.yaml"
    (warm.root / "envs/hello.py").write_text("print('hello')\n")
    path.write_text(
        path.read_text()
        + "apt: [git, curl]\n"
        + "git: [{name: policy, url: 'https://github.com/example/policy', commit: "
        + f"{'6' * 40}, path: /workspace/policy, install: none}}]\n"
        + "files: [{source: hello.py, path: /workspace/hello.py}]\n"
        + "user: {name: robot, uid: 1000}\n"
    )
    warm.lock()
    done = warm.made("--json")
    lines = [
        "2 system packages: git curl",
        "the checkout policy (https://github.com/example/policy at 666666666666)",
        "the file hello.py (at /workspace/hello.py)",
        "the account robot",
    ]
    for line in lines:
        assert f"not in the environment, only in an image: {line}" in done.stderr
    assert json.loads(done.stdout)["left-out"] == lines


def test_a_machine_with_an_older_c_library_is_warned_of(warm: Lab) -> None:
    path = warm.root / "envs/one.yaml"
    text = path.read_text()
    path.write_text(text.replace("\npython:", '\n  virtual-packages: {__glibc: "2.99"}\npython:'))
    warm.lock()
    done = warm.made()
    assert "warning: this machine has glibc" in done.stderr
    assert "locked is for 2.99" in done.stderr
