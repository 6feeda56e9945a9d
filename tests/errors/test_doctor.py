"""What doctor says of environments that lie, images that are broken, and work that is cut short."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from tests.cli import samples
from tests.cli.running import ENVBUILD, Said, environment, inside, process
from tests.support import environments, image, layers
from tests.support.environments import BUNDLE, SITE
from tests.support.index import PackageIndex, serving
from tests.support.wheels import wheel

FORMS = ((), ("--json",), ("--sarif",), ("--markdown",))


@pytest.fixture
def doctor(tmp_path, monkeypatch):
    def run(*arguments: str, **more: str) -> Said:
        return inside(["doctor", *arguments], tmp_path, monkeypatch, more)

    return run


@pytest.fixture
def lab(tmp_path):
    """An environment with two NumPys."""
    environments.place("two-numpys", tmp_path / "lab")
    return tmp_path / "lab"


def everything(root: Path) -> dict[str, tuple[int, int, int]]:
    """Every path below a folder, with what would change if somebody wrote to it."""
    return {
        os.path.join(folder, name): (found.st_mtime_ns, found.st_ctime_ns, found.st_size)
        for folder, folders, names in os.walk(root)
        for name in (".", *folders, *names)
        for found in [os.lstat(os.path.join(folder, name))]
    }


# --- The answer ----------------------------------------------------------------------------------


def test_the_data_holds_the_finding_and_both_winners(doctor, lab):
    said = doctor("--json", "lab")
    assert (said.exit, said.stderr) == (1, "1 finding: 1 error\n")
    data = json.loads(said.stdout)
    assert (data["schema"], data["errors"], data["examined"]["label"]) == (1, 1, "lab")
    (found,) = data["findings"]
    assert (found["id"], found["sure"]) == ("numpy-two-winners", "proven")
    assert found["where"] == [f"{lab}/{SITE}/numpy", f"{lab}/{BUNDLE}/numpy"]
    (won,) = data["examined"]["winners"]
    assert (won["before"]["version"], won["after"]["version"]) == ("2.2.6", "1.26.0")
    assert [one["kind"] for one in data["examined"]["sites"]] == ["site", "bundle"]


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_written(doctor, lab, form):
    before = everything(lab)
    assert doctor("lab", "--hashes", *form).exit == 1
    assert everything(lab) == before


def test_a_folder_of_the_command_line_is_that_of_minus_c(tmp_path, monkeypatch, lab):
    (tmp_path / "elsewhere").mkdir()
    said = inside(["-C", str(tmp_path), "doctor", "lab"], tmp_path / "elsewhere", monkeypatch)
    assert said.exit == 1
    assert f"{lab}/{SITE}/numpy" in said.stdout


def test_the_current_environment(doctor, tmp_path, lab):
    environments.place("healthy", tmp_path / "fine")
    assert doctor(VIRTUAL_ENV=str(lab)).exit == 1
    assert doctor(CONDA_PREFIX=str(tmp_path / "fine")).exit == 0


def test_an_interpreter_stands_for_its_environment(doctor, lab):
    (lab / "bin" / "python3.11").chmod(0o755)
    assert doctor("--python", "lab/bin/python3.11").exit == 1


# --- Running the interpreter ---------------------------------------------------------------------


def interpreter(lab: Path, text: str) -> None:
    path = lab / "bin" / "python3.11"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_run_asks_the_interpreter_and_says_so(doctor, lab, tmp_path):
    environments.write(environments.numpy("lab/more", "1.25.0"), tmp_path)
    interpreter(lab, f'echo hello; PYTHONPATH={lab}/more exec {sys.executable} -S "$@"')
    assert orders(doctor("--json", "lab")) == [str(lab / SITE)]
    said = doctor("--run", "--json", "lab")
    assert f"running {lab}/bin/python -c, to ask for its sys.path" in said.stderr
    assert orders(said) == [str(lab / "more")]


def orders(said: Said) -> list[str]:
    """Where each launcher looks first, before the app."""
    return [one["before"][0] for one in json.loads(said.stdout)["examined"]["orders"]]


def test_run_imports_nothing_from_where_it_is_started(doctor, lab, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('imported')\n")
    interpreter(lab, f'PYTHONPATH={lab / SITE} exec {sys.executable} -S "$@"')
    assert doctor("--run", "lab").exit == 1


@pytest.mark.parametrize(
    "text",
    [
        "exit 3",
        "echo nothing",
        "echo 'envbuild sys.path: {'",
        "echo 'envbuild sys.path: 7'",
        "kill -9 $$",
    ],
)
def test_an_interpreter_that_says_no_path(doctor, lab, text):
    interpreter(lab, text)
    said = doctor("--run", "lab")
    assert (said.exit, said.stdout) == (3, "")
    assert f"error: {lab}/bin/python does not say its sys.path" in said.stderr
    assert "hint: without --run the files say it" in said.stderr


def test_a_folder_without_an_interpreter(doctor, tmp_path):
    environments.write(environments.numpy(SITE, "1.26.0"), tmp_path / "bare")
    said = doctor("--run", "bare")
    assert (said.exit, said.stdout) == (2, "")
    assert "has no interpreter to run" in said.stderr


# --- Names that are not what they seem -----------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_names_that_are_no_utf_8(doctor, lab, form):
    site = os.fsencode(lab / SITE)
    for name in (b"\xff\x1b[31m.so", b"\x9b2J-1.0.dist-info", b"line\nbreak-1.0.dist-info"):
        if name.endswith(b".so"):
            Path(os.fsdecode(site + b"/" + name)).write_bytes(b"\x7fELF broken")
        else:
            Path(os.fsdecode(site + b"/" + name)).mkdir()
    os.symlink(b"\xfe\x1b", site + b"/dang\xffling")
    said = doctor("lab", "-v", *form)
    assert said.exit == 1
    shown = said.stdout.replace("\u200b", "")  # keeps Markdown from making links
    assert shown.replace("\n", "").isprintable()
    if form in (("--json",), ("--sarif",)):
        json.loads(said.stdout)


def test_a_hostile_name_of_the_target(doctor, tmp_path):
    said = doctor("no\x1b[31m\x9bsuch")
    assert said.exit == 2
    assert "\x1b" not in said.stderr
    assert "\x9b" not in said.stderr


# --- Images --------------------------------------------------------------------------------------


def test_packed_archives_are_examined_too(doctor, tmp_path):
    for name in ("image.tar", "container.rootfs"):
        environments.place("two-numpys", tmp_path / name)
        packed = tmp_path / f"{name}.gz"
        packed.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
        said = doctor("--tar", packed.name)
        assert (said.exit, said.stderr) == (1, "")
        assert f"{packed.name}: Isaac Sim 5.1.0 (pip)" in said.stdout


@pytest.mark.parametrize("name", ["image.tar", "container.rootfs"])
@pytest.mark.parametrize("packed", [False, True])
def test_archives_that_are_cut_off(doctor, tmp_path, name, packed):
    environments.place("two-numpys", tmp_path / name)
    data = (tmp_path / name).read_bytes()
    data = gzip.compress(data) if packed else data
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    said = doctor("--tar", name)
    assert (said.exit, said.stdout) == (2, "")
    assert said.stderr.startswith(f"error: {name}")


def platforms(root: Path, *names: str) -> None:
    data = environments.root_of(environments.isaac_sim())
    image.oci_layout(root, *(image.blobs([data], architecture=name) for name in names))


def test_of_several_platforms_the_one_of_this_machine(doctor, tmp_path):
    here = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    platforms(tmp_path / "layout", "riscv64", here)
    said = doctor("--layout", "oci:layout")
    assert said.exit == 0
    assert said.stderr == (
        f"oci:layout: linux/{here} is examined (it holds linux/riscv64, linux/{here})\n"
    )


def test_the_only_platform_is_examined_whatever_it_is(doctor, tmp_path):
    platforms(tmp_path / "layout", "riscv64")
    said = doctor("--layout", "layout")
    assert said.exit == 0
    assert said.stderr.startswith("layout: it is for linux/riscv64, and this machine is linux/")


def test_several_platforms_of_other_machines(doctor, tmp_path):
    platforms(tmp_path / "layout", "riscv64", "s390x")
    said = doctor("--layout", "layout")
    assert (said.exit, said.stdout) == (2, "")
    assert "holds 2 images (linux/riscv64, linux/s390x), and it is not clear" in said.stderr


def test_an_archive_with_names_that_lead_out_of_it(doctor, tmp_path):
    (tmp_path / "evil.tar").write_bytes(
        layers.tar(layers.entry("../../../tmp/evil", b"x"), layers.entry("etc/x", b""))
    )
    said = doctor("--tar", "evil.tar")
    assert (said.exit, said.stdout) == (2, "")
    assert not Path("/tmp/evil").exists()


def test_an_empty_archive(doctor, tmp_path):
    with tarfile.open(tmp_path / "empty.tar", "w"):
        pass
    said = doctor("--tar", "empty.tar")
    assert (said.exit, said.stderr.splitlines()[0]) == (2, "error: empty.tar is empty")


def test_an_image_without_python(doctor, tmp_path):
    data = io.BytesIO(environments.root_of({})).getvalue()
    (tmp_path / "bare.rootfs").write_bytes(data)
    said = doctor("--tar", "bare.rootfs")
    assert (said.exit, said.stdout) == (2, "")
    assert "bare.rootfs holds no Python environment" in said.stderr


@pytest.mark.parametrize("option", ["--image", "--container"])
def test_no_engine(doctor, tmp_path, option):
    said = doctor(option, "something", PATH=str(tmp_path))
    assert (said.exit, said.stdout) == (3, "")
    assert "error: no engine works here" in said.stderr


# --- Work that is cut short ----------------------------------------------------------------------


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_nothing_behind(tmp_path, sign):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    os.mkfifo(tmp_path / "slow.tar")
    running = subprocess.Popen(
        [ENVBUILD, "doctor", "--tar", "slow.tar"],
        cwd=tmp_path,
        env=environment(tmp_path, {"TMPDIR": str(scratch)}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 20
    while not list(scratch.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.2)  # it waits for somebody who writes
    running.send_signal(sign)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out) == (130, "")
    assert err.strip() == "error: interrupted: nothing is half written"
    assert list(scratch.iterdir()) == []


# --- Locks and repairs ---------------------------------------------------------------------------


def test_drift_from_a_lock(tmp_path, lab):
    samples.locked(tmp_path, "one")
    said = process(["doctor", "--lock", "one", "--json", "lab"], tmp_path)
    data = json.loads(said.stdout)
    assert data["lock"] == "one/linux-amd64-cpu"
    assert "lock-extra" in {one["id"] for one in data["findings"]}


def test_a_lock_that_is_not_there(tmp_path, lab, doctor):
    samples.profile(tmp_path, "one")
    said = doctor("--lock", "one", "lab")
    assert (said.exit, said.stdout) == (2, "")
    assert said.stderr == ("error: one/linux-amd64-cpu is not locked\n  hint: envbuild lock one\n")


def test_a_stale_lock_is_taken_as_it_stands(tmp_path, lab):
    samples.locked(tmp_path, "one")
    path = tmp_path / "envs" / "one.yaml"
    path.write_text(path.read_text().replace("3.12", "3.13"))
    said = process(["doctor", "--lock", "one", "lab"], tmp_path)
    assert said.exit == 1
    assert "warning: the lock of one is stale, and is taken as it stands" in said.stderr


def test_a_repair_and_the_way_back(tmp_path, lab):
    files = {"numpy/__init__.py": b"# 1.26.0\n", "numpy/version.py": b'version = "1.26.0"\n'}
    made = wheel("numpy", "1.26.0", files, tag="py3-none-any")
    before = {path: one[2] for path, one in everything(lab).items() if Path(path).is_file()}
    with serving(PackageIndex().put("numpy-1.26.0-py3-none-any.whl", made)) as index:
        more = {"UV_DEFAULT_INDEX": index.url, "UV_CACHE_DIR": str(tmp_path / "cache")}
        done = process(["doctor", "--fix", "--yes", "lab"], tmp_path, more)
    assert (done.exit, done.stdout.split()[:4]) == (0, ["run", "install", "numpy", "1.26.0"])
    assert f"{lab}: 1 repair done" in done.stderr
    assert "nothing is wrong: NumPy 1.26.0" in done.stderr
    (end,) = lab.glob(".envbuild-doctor/*/finished")
    end.unlink()  # as if it had been killed at its end
    undone = process(["doctor", "--undo", "lab"], tmp_path)
    assert (undone.exit, undone.stdout.split()[:3]) == (0, ["undone:", "numpy", "1.26.0"])
    assert "that repair was cut off: what it had done is undone" in undone.stderr
    after = {path: one[2] for path, one in everything(lab).items() if Path(path).is_file()}
    assert after == before


def test_a_repair_without_an_index_changes_nothing(tmp_path, lab):
    before = everything(lab / "lib")
    more = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    more["UV_CACHE_DIR"] = str(tmp_path / "cache")
    said = process(["doctor", "--fix", "--yes", "lab"], tmp_path, more)
    assert said.exit == 3
    assert everything(lab / "lib") == before
