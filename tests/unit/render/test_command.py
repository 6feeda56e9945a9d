"""``envbuild render`` as a user types it, in a workspace whose locks are made here."""

import json

import pytest

from envbuild.cli.main import run
from envbuild.lock import folder
from envbuild.lock.assemble import refreshed
from envbuild.lock.inputs import solver_input
from envbuild.lock.model import HEADER, FileDigest, ImagePin, Lock, LockedPackage, VariantLock
from envbuild.profile.resolve import Source, resolve

PROFILE = """\
schema: 1
name: {name}
summary: A profile of the tests.
as-of: 2026-01-01T00:00:00Z
base: {{image: "registry.example.com/sim:5.0", distribution: ubuntu-22.04}}
python:
  version: 3.11
  source: image
  interpreter: /isaac-sim/python.sh
  requirements: [{requirement}]
variants:
  linux-amd64-cpu: {{}}
"""


IMAGE = ImagePin(role="base", reference="registry.example.com/sim:5.0", digest=f"sha256:{'5' * 64}")


class Workspace:
    def __init__(self, root, capsys):
        self.root = root
        self.capsys = capsys
        (root / "envs").mkdir()

    def profile(self, name, requirement="six==1.16.0"):
        text = PROFILE.format(name=name, requirement=requirement)
        (self.root / f"envs/{name}.yaml").write_text(text)
        return resolve(name, {name: Source(name=name, file=f"envs/{name}.yaml", text=text)})

    def lock(self, name):
        (variant,) = self.profile(name).variants
        asked, _ = solver_input(variant, as_of=variant.environment.as_of)
        pins = b"six==1.16.0 \\\n    --hash=sha256:" + b"1" * 64 + b"\n"
        locked = VariantLock(
            digest=folder.input_digest(asked),
            input=asked,
            wheels=FileDigest(path=f"{variant.name}.txt", sha256=folder.sha256(pins)),
            packages=(LockedPackage(name="six", version="1.16.0", requested=()),),
            images=(IMAGE,),
        )
        lock = Lock(
            format=1,
            profile=name,
            tools={"uv": "0.13.8"},
            variants={variant.name: refreshed(variant, locked)},
        )
        place = self.root / "lockfiles" / name
        place.mkdir(parents=True)
        (place / HEADER).write_bytes(folder.encode(lock))
        (place / f"{variant.name}.txt").write_bytes(pins)

    def __call__(self, *arguments):
        status = run(["-C", str(self.root), "render", *arguments])
        out, err = self.capsys.readouterr()
        return status, out, err

    def text(self, path):
        return (self.root / path).read_text()


@pytest.fixture
def workspace(tmp_path, capsys):
    return Workspace(tmp_path, capsys)


@pytest.fixture
def locked(workspace):
    workspace.lock("one")
    return workspace


FILE = "Dockerfiles/one/Dockerfile"
VARIANT = "linux-amd64-cpu"
LIST = f"{VARIANT}/wheels-3/requirements.txt"
FILES = ["Dockerfile", "Dockerfile.dockerignore", f"{VARIANT}/bundle/bundle.py", LIST]


def test_what_is_missing_is_written_once(locked):
    assert locked() == (
        0,
        "",
        "".join(f"Dockerfiles/one/{name}: written\n" for name in FILES) + "1 profile: 1 written\n",
    )
    assert locked.text(FILE).startswith("# Rendered by envbuild from the profile one")
    assert locked() == (0, "", "1 profile: 1 unchanged\n")
    assert locked("--check") == (0, "", "1 profile, all Dockerfiles fresh\n")


def test_check_says_what_differs_and_writes_nothing(locked):
    status, _, err = locked("--check")
    assert status == 1
    assert f"  {FILE}: missing\n" in err
    assert not (locked.root / "Dockerfiles").exists()
    locked()
    (locked.root / FILE).write_text(locked.text(FILE).replace("WORKDIR /workspace", "WORKDIR /x"))
    status, out, err = locked("--check")
    assert (status, out) == (1, "")
    assert err.startswith(f"error: one: Dockerfiles are not as rendered\n  {FILE}: differs\n")
    assert "    -WORKDIR /x\n    +WORKDIR /workspace\n" in err
    assert err.endswith("1 of 1 profiles are not as rendered\n  hint: envbuild render\n")
    assert "WORKDIR /x" in locked.text(FILE)
    assert locked()[0] == 0
    assert "WORKDIR /workspace" in locked.text(FILE)


def test_a_long_difference_is_cut(locked):
    locked()
    (locked.root / FILE).write_text("\n".join(map(str, range(200))))
    err = locked("--check")[2]
    assert "lines more" in err
    assert err.count("\n") < 40


def test_a_profile_without_a_lock_is_refused(workspace):
    workspace.profile("one")
    status, out, err = workspace()
    assert (status, out) == (2, "")
    assert err == (
        "error: one: lock is missing\n  lockfiles/one holds no lock\n  hint: envbuild lock one\n"
        "1 profile: 1 refused\n"
    )


def test_a_stale_lock_is_refused_with_what_moved(locked):
    locked.profile("one", "six==1.17.0")
    for arguments in ((), ("--check",), ("--dry-run",), ("--stdout",)):
        status, out, err = locked(*arguments)
        assert (status, out) == (2, "")
        assert "error: one: lock is stale\n" in err
        assert "requirements: - six==1.16.0, + six==1.17.0\n" in err


def test_a_broken_lock_is_refused(locked):
    (locked.root / "lockfiles/one/linux-amd64-cpu.txt").write_text("evil==1\n")
    status, _, err = locked()
    assert status == 2
    assert "error: one: lock is broken\n" in err
    assert "linux-amd64-cpu.txt was changed since it was locked" in err


def test_one_that_is_refused_does_not_stop_the_others(locked):
    locked.profile("two")
    status, _, err = locked()
    assert status == 2
    assert err.endswith("2 profiles: 1 written, 1 refused\n")
    assert (locked.root / FILE).exists()


def test_files_of_former_variants_go_and_others_stay(locked):
    locked()
    (locked.root / f"{FILE}.linux-arm64-cpu").write_text("# Rendered by envbuild from …\n")
    (locked.root / "Dockerfiles/one/notes.md").write_text("mine\n")
    status, _, err = locked("--check")
    assert status == 1
    assert f"  {FILE}.linux-arm64-cpu: nothing is rendered to it any more\n" in err
    status, _, err = locked()
    assert status == 0
    assert f"{FILE}.linux-arm64-cpu: removed\n" in err
    assert "Dockerfiles/one/notes.md is not envbuild's: left as it is\n" in err
    found = sorted(path.name for path in (locked.root / "Dockerfiles/one").iterdir())
    assert found == ["Dockerfile", "Dockerfile.dockerignore", VARIANT, "notes.md"]


def test_a_list_that_was_edited_is_noticed_and_written_anew(locked):
    locked()
    path = locked.root / "Dockerfiles/one" / LIST
    right = path.read_text()
    path.write_text(right.replace("1.16.0", "1.17.0"))
    status, _, err = locked("--check")
    assert status == 1
    assert f"  Dockerfiles/one/{LIST}: differs\n" in err
    assert "    -six==1.17.0 \\\n    +six==1.16.0 \\\n" in err
    assert locked()[2].startswith(f"Dockerfiles/one/{LIST}: written\n")
    assert path.read_text() == right


def test_lists_and_copies_of_former_variants_go(locked):
    locked()
    folder = locked.root / "Dockerfiles/one"
    old = folder / "linux-arm64-cu130"
    for name in ("wheels-1/requirements.txt", "apt/base/packages.txt", "files/a/run.sh"):
        (old / name).parent.mkdir(parents=True)
        (old / name).write_text("x\n")
    (folder / "Dockerfile.linux-arm64-cu130.dockerignore").write_text(
        "# Rendered by envbuild: …\n*\n!linux-arm64-cu130/files/a/run.sh\n"
    )
    (old / "files/mine.txt").write_text("x\n")
    status, _, err = locked("--check")
    assert status == 1
    assert f"{old.name}/files/a/run.sh: nothing is rendered to it any more\n" in err
    status, _, err = locked()
    assert status == 0
    assert [str(path.relative_to(old)) for path in old.rglob("*") if path.is_file()] == [
        "files/mine.txt"
    ]
    assert f"Dockerfiles/one/{old.name}/ is not envbuild's: left as it is\n" in err
    assert not (folder / "Dockerfile.linux-arm64-cu130.dockerignore").exists()


def test_what_was_put_beside_a_list_is_left_as_it_is(locked):
    locked()
    files = locked.root / "Dockerfiles/one" / VARIANT / "wheels-3/files"
    files.mkdir()
    for name in ("a.whl", "b.whl"):
        (files / name).write_text("x")
    said = f"Dockerfiles/one/{VARIANT}/wheels-3/files/ is not envbuild's: left as it is\n"
    assert locked("--check") == (0, "", said + "1 profile, all Dockerfiles fresh\n")
    assert locked()[2].startswith(said)
    assert len(list(files.iterdir())) == 2


def test_a_link_is_never_written_through_and_never_removed(locked):
    locked()
    folder = locked.root / "Dockerfiles/one" / VARIANT
    elsewhere = locked.root / "elsewhere.txt"
    elsewhere.write_text("# Rendered by envbuild\n")
    (folder / "apt/base").mkdir(parents=True)
    (folder / "apt/base/packages.txt").symlink_to(elsewhere)
    assert locked()[0] == 0
    assert (folder / "apt/base/packages.txt").is_symlink()
    assert elsewhere.exists()


def test_a_template_of_the_workspace_is_used_and_its_error_said_once(locked):
    locked.lock("two")
    own = locked.root / "templates"
    own.mkdir()
    (own / "Dockerfile.j2").write_text('{% extends "dockerfile/main.j2" %}\n{{ x }}')
    assert locked()[0] == 0
    (own / "Dockerfile.j2").write_text("FROM {{ profile }}\n{{ entry_point }}\n")
    status, _, err = locked()
    assert status == 2
    assert err.count("templates/Dockerfile.j2:2:1: error: 'entry_point' is undefined") == 1
    assert "2 | {{ entry_point }}" in err
    assert err.endswith("2 profiles: 2 refused\n")


def test_a_block_that_overrides_nothing_is_refused(locked):
    (locked.root / "templates").mkdir()
    (locked.root / "templates/Dockerfile.j2").write_text(
        '{% extends "dockerfile/main.j2" %}\n{% block fles %}\nRUN true\n{% endblock %}\n'
    )
    status, _, err = locked()
    assert status == 2
    assert "templates/Dockerfile.j2:2:1: error: the block 'fles' overrides nothing" in err
    assert "  hint: did you mean files? blocks: base, checkouts, files, final, guard, " in err
    assert err.endswith("1 profile: 1 refused\n")


def test_a_template_that_loses_a_value_is_refused(locked):
    (locked.root / "templates").mkdir()
    (locked.root / "templates/Dockerfile.j2").write_text(
        "ARG BASE_IMAGE={{ images[0].default }}\nFROM ${BASE_IMAGE}\n"
    )
    status, _, err = locked()
    assert status == 2
    assert "templates/Dockerfile.j2 makes a wrong Dockerfile: LABEL io.envbuild" in err


def test_stdout(locked):
    status, out, err = locked("--stdout")
    assert (status, err) == (0, "")
    assert not (locked.root / "Dockerfiles").exists()
    locked()
    assert out == locked.text(FILE)
    locked.lock("two")
    out = locked("--stdout")[1]
    assert [line for line in out.splitlines() if line.startswith("# ---")] == [
        f"# --- {FILE}",
        "# --- Dockerfiles/two/Dockerfile",
    ]


def test_stdout_goes_alone(locked):
    status, out, err = locked("--stdout", "--check")
    assert (status, out) == (2, "")
    assert "--stdout prints Dockerfiles" in err


def test_dry_run(locked):
    status, out, _ = locked("--dry-run")
    assert status == 0
    assert out.splitlines()[0].split() == ["run", "render", FILE, "missing"]
    assert not (locked.root / "Dockerfiles").exists()
    locked()
    assert "up to date" in locked("-n")[1]
    assert json.loads(locked("-n", "--json")[1])[0]["action"] == "skip"


def test_json(locked):
    locked.profile("two")
    first, second = json.loads(locked("--json")[1])
    assert (first["profile"], first["status"]) == ("one", "written")
    assert first["files"][0] == {
        "kind": "render",
        "target": FILE,
        "action": "run",
        "reason": "missing",
    }
    assert (second["profile"], second["status"]) == ("two", "refused")
    assert second["reasons"] == ["two: lock is missing", "lockfiles/two holds no lock"]
    states = [row["status"] for row in json.loads(locked("--check", "--json")[1])]
    assert states == ["current", "refused"]
