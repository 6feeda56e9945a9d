"""What ``envbuild install`` says where the Python packages or the checks fail."""

from __future__ import annotations

from pathlib import Path

from tests.install.conftest import Lab
from tests.support import conda_packages
from tests.support.index import PackageIndex, wheel


def test_a_wheel_that_is_not_the_one_that_was_locked(warm: Lab, index: PackageIndex) -> None:
    index.files["beta"]["beta-2.0-py3-none-any.whl"] = wheel("beta", "2.0", code="changed = 1\n")
    said = warm.refused("error: uv could not install the Python packages", "beta==2.0", "sha256")
    assert "command: " in said
    assert "hint: nothing was installed" in said


def test_a_wheel_that_is_missing(warm: Lab, index: PackageIndex) -> None:
    del index.files["beta"]["beta-2.0-py3-none-any.whl"]
    warm.refused("error: uv could not install the Python packages", "beta==2.0")


def test_a_test_of_the_profile_that_fails(warm: Lab) -> None:
    path = warm.root / "envs/one.yaml"
    path.write_text(path.read_text().replace("imports: [beta]", "imports: [beta.inner]"))
    warm.refused(
        "the profile's test 'usual' fails in the environment",
        "'beta' is not a package",
        "envbuild explain",
    )


def test_a_test_of_the_profile_that_takes_too_long(warm: Lab, index: PackageIndex) -> None:
    index.add("slow", "1.0", code="import time\ntime.sleep(60)\n")
    path = warm.root / "envs/one.yaml"
    text = path.read_text().replace('"alpha"', '"alpha"\n    - "slow"')
    path.write_text(text.replace("imports: [beta]", "imports: [slow], timeout: 1"))
    warm.lock()
    warm.refused("the profile's test 'usual' fails in the environment after 1 s")


def metadata(name: str, version: str) -> str:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"


def test_a_distribution_that_is_not_the_one_that_was_locked(
    warm: Lab, real: Path, tmp_path: Path
) -> None:
    channel = tmp_path / "channel"
    for path in real.glob("*/*.conda"):
        (channel / path.parent.name).mkdir(parents=True, exist_ok=True)
        (channel / path.parent.name / path.name).symlink_to(path)
    said = conda_packages.record("sneaky", "1.0", subdir="noarch", depends=["python"])
    files = {
        "site-packages/sneaky-9.0.dist-info/METADATA": metadata("Sneaky", "9.0"),
        "site-packages/beta-1.5.dist-info/METADATA": metadata("beta", "1.5"),
        "site-packages/other-3.0.dist-info/METADATA": metadata("other", "3.0"),
        "site-packages/broken-1.0.dist-info/RECORD": "",
    }
    conda_packages.put(channel, said | {"noarch": "python"}, files)
    warm.mirror("world", conda_packages.index(channel).as_uri())
    path = warm.root / "envs/one.yaml"
    path.write_text(path.read_text().replace("python:", '    - "sneaky"\npython:', 1))
    warm.lock()
    told = warm.refused("error: the environment is not what was locked: ")
    for line in ("sneaky is 9.0, locked is 1.0", "other 3.0 is not in the lock"):
        assert line in told


def test_uv_that_is_missing(warm: Lab) -> None:
    warm.refused("uv is missing: ", "pip install 'uv", ENVBUILD_UV="/nowhere/uv")


def test_variables_of_the_shell_lead_nowhere_else(warm: Lab) -> None:
    elsewhere = warm.root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "alpha.py").write_text("raise SystemExit('the wrong one')\n")
    names = ("UV_TARGET", "UV_PREFIX", "UV_PYTHON", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH")
    warm.made(**dict.fromkeys(names, str(elsewhere)))
    assert [path.name for path in elsewhere.iterdir()] == ["alpha.py"]
    assert warm.python("import beta; print(beta.__version__)") == "2.0"
