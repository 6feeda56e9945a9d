"""Which folders of this machine are read, for what was named."""

import os

import pytest

from envbuild.errors import InputError
from envbuild.scan.starting import places


def put(top, name, text=""):
    path = top / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if text is None:
        path.mkdir(parents=True, exist_ok=True)
    elif text.startswith("-> "):
        path.symlink_to(text[3:])
    else:
        path.write_text(text)
    return str(path)


def conda(top, python="3.11"):
    put(top, "conda-meta/history")
    put(top, f"lib/python{python}/site-packages", None)
    put(top, f"bin/python{python}")
    put(top, "bin/python", f"-> python{python}")
    return str(top)


def venv(top, said, home="/usr/bin", python="3.11"):
    put(top, "pyvenv.cfg", f"home = {home}\ninclude-system-site-packages = {said}\n")
    put(top, f"lib/python{python}/site-packages", None)
    put(top, "bin/python", f"-> {home}/python{python}")
    return str(top)


# Prefixes ------------------------------------------------------------------------


def test_a_conda_prefix_is_read_whole_with_the_users_packages_of_its_version(tmp_path):
    prefix, home = conda(tmp_path / "env"), tmp_path / "home"
    user = put(home, ".local/lib/python3.11/site-packages", None)
    put(home, ".local/lib/python3.12/site-packages", None)
    found = places.of_prefix(prefix, {"HOME": str(home), "VIRTUAL_ENV": "/other", "LANG": "C"})
    assert found.label == prefix
    assert found.roots == (prefix, user)
    assert found.start.executable == ""
    assert found.start.variables == (("CONDA_PREFIX", prefix), ("HOME", str(home)))


def test_without_an_environment_nothing_but_the_prefix_is_read(tmp_path):
    prefix = conda(tmp_path / "env")
    assert places.of_prefix(prefix).roots == (prefix,)


def test_a_link_to_a_prefix_is_followed_and_keeps_its_name(tmp_path):
    prefix = conda(tmp_path / "env")
    link = put(tmp_path, "current", "-> env")
    found = places.of_prefix(link)
    assert (found.label, found.roots) == (link, (prefix,))


def test_a_virtual_environment_alone_unless_it_takes_over_what_its_base_has(tmp_path):
    base = tmp_path / "base"
    site = put(base, "lib/python3.11/site-packages", None)
    put(base, "lib/python3.10/site-packages", None)
    home = tmp_path / "home"
    user = put(home, ".local/lib/python3.11/site-packages", None)
    environ = {"HOME": str(home), "CONDA_PREFIX": "/other"}
    alone = venv(tmp_path / "alone", "false", str(base / "bin"))
    found = places.of_prefix(alone, environ)
    assert found.roots == (alone,)
    assert dict(found.start.variables)["VIRTUAL_ENV"] == alone
    assert "CONDA_PREFIX" not in dict(found.start.variables)
    shares = venv(tmp_path / "shares", "TRUE", str(base / "bin"))
    assert places.of_prefix(shares, environ).roots == (shares, site, user)


def test_an_isaac_sim_brings_what_kit_keeps_in_the_users_home(tmp_path):
    sim, home = tmp_path / "isaac-sim", tmp_path / "home"
    put(sim, "VERSION", "5.1.0")
    put(sim, "python.sh")
    put(sim, "kit/python/lib/python3.11/site-packages", None)
    data = put(home, ".local/share/ov/data", None)
    user = put(home, ".local/lib/python3.11/site-packages", None)
    assert places.of_prefix(str(sim), {"HOME": str(home)}).roots == (str(sim), user, data)
    env = conda(tmp_path / "env")
    assert places.of_prefix(env, {"HOME": str(home)}).roots == (env, user)
    put(tmp_path / "env", "lib/python3.11/site-packages/isaacsim", None)
    assert places.of_prefix(env, {"HOME": str(home)}).roots == (env, user, data)


def test_isaac_lab_and_an_activated_environment_lead_to_their_isaac_sim(tmp_path):
    sim = tmp_path / "isaac-sim"
    put(sim, "kit", None)
    lab = tmp_path / "lab"
    put(lab, "isaaclab.sh")
    put(lab, "_isaac_sim", f"-> {sim}")
    assert places.of_prefix(str(lab)).roots == (str(lab), str(sim))
    env = conda(tmp_path / "env")
    script = f"export A=1\nsource {lab}/_isaac_sim/setup_conda_env.sh\n"
    put(tmp_path / "env", "etc/conda/activate.d/setenv.sh", script)
    assert places.of_prefix(env).roots == (env, str(sim))


def test_folders_of_pythonpath_are_read_but_none_that_holds_the_rest(tmp_path):
    home = tmp_path / "home"
    env = conda(home / "env")
    code = put(tmp_path, "code", None)
    listed = f"{code}::relative:/:{tmp_path}:{home}:{tmp_path}/gone:{env}/lib"
    found = places.of_prefix(env, {"HOME": str(home), "PYTHONPATH": listed})
    assert found.roots == (env, code)
    assert dict(found.start.variables)["PYTHONPATH"] == listed


def test_an_isaac_sim_on_the_pythonpath_is_read_whole(tmp_path):
    env, sim = conda(tmp_path / "env"), tmp_path / "sim"
    bundle = put(sim, "exts/a/pip_prebundle", None)
    environ = {"PYTHONPATH": bundle, "ISAAC_PATH": str(sim)}
    assert places.of_prefix(env, environ).roots == (env, str(sim))
    assert places.of_prefix(env, {"ISAAC_PATH": str(sim)}).roots == (env,)


def test_any_other_folder_is_read_as_it_is(tmp_path):
    assert places.of_prefix(str(tmp_path)).roots == (str(tmp_path),)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone", "is not there"),
        ("file", "is not a folder"),
        ("file/below", "is not there"),
        ("loop", "is not a folder"),
        ("dangling", "is not there"),
        ("nul\0", "cannot be found"),
        ("x" * 5000, "is not there"),
    ],
)
def test_what_is_no_folder_is_said_so(tmp_path, name, message):
    put(tmp_path, "file")
    put(tmp_path, "loop", "-> loop")
    put(tmp_path, "dangling", "-> nothing")
    with pytest.raises(InputError, match=message):
        places.of_prefix(f"{tmp_path}/{name}")


def test_no_name_is_no_folder():
    with pytest.raises(InputError, match="no folder was named"):
        places.of_prefix("")


@pytest.mark.parametrize("name", ["python.exe", "Lib/site-packages/six.py", "Scripts/python.exe"])
def test_windows_environments_are_refused(tmp_path, name):
    put(tmp_path, name)
    with pytest.raises(InputError, match="Windows environments are not examined"):
        places.of_prefix(str(tmp_path))


def test_a_broken_pyvenv_cfg_is_one_that_says_nothing(tmp_path):
    (tmp_path / "pyvenv.cfg").write_bytes(b"\xff\xfe\x00no sense\nhome\n= x\n")
    assert places.of_prefix(str(tmp_path)).roots == (str(tmp_path),)


# Interpreters ----------------------------------------------------------------------


def test_the_interpreter_of_a_conda_environment(tmp_path):
    prefix = conda(tmp_path / "env")
    found = places.of_interpreter(f"{prefix}/bin/python", {"PYTHONPATH": "/gone"})
    assert found.label == f"{prefix}/bin/python"
    assert found.roots == (prefix,)
    assert found.start.executable == f"{prefix}/bin/python3.11"
    assert found.start.variables == (("PYTHONPATH", "/gone"),)


def test_the_interpreter_of_a_virtual_environment_is_not_its_base(tmp_path):
    base = tmp_path / "base"
    put(base, "bin/python3.11")
    put(base, "lib/python3.11/site-packages", None)
    env = venv(tmp_path / "env", "false", str(base / "bin"))
    found = places.of_interpreter(f"{env}/bin/python")
    assert (found.roots, found.start.executable) == ((env,), f"{env}/bin/python")


def test_the_systems_python_is_its_folders_of_packages_and_not_all_of_usr():
    """This machine's own, whatever it has."""
    for name in ("/usr/bin/python3", "/usr/local/bin/python3"):
        if os.path.realpath(name).startswith("/usr/") and os.path.isfile(name):
            try:
                found = places.of_interpreter(name)
            except InputError as error:
                assert "no interpreter of an environment" in str(error)  # noqa: PT017
            else:
                assert all(one.endswith("-packages") for one in found.roots)
                assert found.start.executable == os.path.realpath(name)


def test_kits_own_python_stands_for_its_isaac_sim(tmp_path):
    kit = tmp_path / "isaac-sim/kit/python"
    put(kit, "bin/python3.11")
    put(kit, "bin/python3", "-> python3.11")
    put(kit, "lib/python3.11/site-packages", None)
    found = places.of_interpreter(f"{kit}/bin/python3")
    assert found.roots == (str(tmp_path / "isaac-sim"),)
    assert found.start.executable == f"{kit}/bin/python3.11"


def test_python_sh_stands_for_its_folder(tmp_path):
    script = put(tmp_path / "sim", "python.sh")
    put(tmp_path / "sim", "kit", None)
    found = places.of_interpreter(script)
    assert (found.roots, found.start.executable) == ((str(tmp_path / "sim"),), script)


def test_a_name_is_looked_for_on_the_path(tmp_path):
    prefix = conda(tmp_path / "env")
    os.chmod(f"{prefix}/bin/python3.11", 0o755)
    found = places.of_interpreter("python", {"PATH": f"/gone:{prefix}/bin"})
    assert found.roots == (prefix,)
    with pytest.raises(InputError, match=r"no python3\.9 on the PATH"):
        places.of_interpreter("python3.9", {"PATH": f"{prefix}/bin"})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone/python", "is not there"),
        ("env", "is a folder"),
        ("shims/bin/python", "no interpreter of an environment"),
        ("win/python.exe", "Windows environments are not examined"),
    ],
)
def test_what_is_no_interpreter_is_said_so(tmp_path, name, message):
    conda(tmp_path / "env")
    put(tmp_path, "shims/bin/python", "#!/bin/sh\n")
    put(tmp_path, "win/python.exe")
    with pytest.raises(InputError, match=message):
        places.of_interpreter(f"{tmp_path}/{name}")


# The current environment -----------------------------------------------------------


def test_the_virtual_environment_goes_before_conda_and_that_before_the_path(tmp_path):
    base = tmp_path / "base"
    put(base, "bin/python3.11")
    put(base, "lib/python3.11/site-packages", None)
    env, prefix = venv(tmp_path / "env", "false", str(base / "bin")), conda(tmp_path / "conda")
    for folder in (base, tmp_path / "conda"):
        os.chmod(folder / "bin/python3.11", 0o755)
    put(base, "bin/python3", "-> python3.11")
    environ = {"PATH": f"{base}/bin", "CONDA_PREFIX": prefix, "VIRTUAL_ENV": env}
    assert places.current(environ).roots == (env,)
    del environ["VIRTUAL_ENV"]
    assert places.current(environ).roots == (prefix,)
    del environ["CONDA_PREFIX"]
    assert places.current(environ).roots == (str(base),)
    with pytest.raises(InputError, match="no python3 on the PATH"):
        places.current({"PATH": "/gone"})


def test_a_conda_environment_without_python_is_examined_by_itself(tmp_path):
    put(tmp_path, "conda-meta/history")
    assert places.current({"CONDA_PREFIX": str(tmp_path)}).roots == (str(tmp_path),)
    with pytest.raises(InputError, match="is not there"):
        places.current({"VIRTUAL_ENV": f"{tmp_path}/gone"})
