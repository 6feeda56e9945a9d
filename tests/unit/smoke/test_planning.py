"""From a profile to what the probes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from envbuild.errors import InputError
from envbuild.profile.resolve import resolve
from envbuild.smoke import asking, planning
from envbuild.smoke.drafts import Image, Options, Question, Snippet
from envbuild.workspace import Workspace
from tests.unit.smoke.values import (
    BASE,
    H100,
    L40S,
    SIMULATOR,
    SMOKE,
    asked,
    bundled,
    intent,
    lock,
)

APP_FIRST = """
    smoke:
      - name: starts
        launch: simulation-app
        extensions: [isaacsim.sensors.camera]
        imports: [isaacsim.sensors.camera]
    """


def checks(made, name):
    return next(test.checks for test in made.tests if test.name == name)


def names(made):
    return [test.name for test in made.tests]


def test_a_plain_test_imports_and_looks_at_numpy_and_at_its_end():
    made = intent(BASE + SMOKE)
    assert checks(made, "packages") == (
        "import:numpy",
        "numpy-submodules",
        "numpy-one-root",
        "numpy-round-trip",
        "verdict",
        "close",
        "processes",
    )
    assert made.interpreter == "/opt/venv/bin/python"
    assert made.plan.numpy == "1.26.4"
    assert made.plan.static.packages == {"numpy": "1.26.4"}


def test_without_numpy_nothing_is_asked_of_it():
    made = intent(BASE + SMOKE, lock("click", numpy=""))
    assert "numpy-one-root" not in checks(made, "packages")
    assert "numpy-copies" not in made.plan.static.checks


def test_a_simulator_that_is_only_started_gets_the_other_order_too():
    made = intent(SIMULATOR + APP_FIRST, bundled())
    assert names(made) == ["starts", "numpy-first"]
    added = checks(made, "numpy-first")
    assert added[:4] == (
        "before-launch:numpy",
        "launch",
        "extensions",
        "import:isaacsim.sensors.camera",
    )
    assert made.plan.numpy == "1.26.0"
    assert made.interpreter == "/isaac-sim/python.sh"


def test_a_simulator_that_is_only_started_behind_numpy_gets_the_other_order_too():
    text = APP_FIRST.replace("launch:", "before-launch: [numpy]\n        launch:")
    made = intent(SIMULATOR + text, bundled())
    assert names(made) == ["starts", "app-first"]
    assert "before-launch:numpy" not in checks(made, "app-first")


def test_a_simulator_with_both_orders_gets_none():
    both = (
        APP_FIRST
        + """
      - name: app-first
        before-launch: [numpy.random]
        launch: simulation-app
        imports: [numpy.ma]
    """
    )
    assert names(intent(SIMULATOR + both, bundled())) == ["starts", "app-first"]


def test_an_added_test_takes_a_free_name():
    taken = APP_FIRST.replace("starts", "numpy-first")
    assert names(intent(SIMULATOR + taken, bundled())) == ["numpy-first", "numpy-first-2"]


@pytest.mark.parametrize(
    ("smoke", "said"),
    [
        ("", "one has no smoke tests"),
        ("\n    smoke: [{name: a, imports: []}]\n", "smoke tests cannot be used"),
        (
            "\n    smoke: [{name: a, launch: simulation-app, imports: []}]\n",
            "smoke tests cannot be used",
        ),
        ("\n    smoke: [{name: a, extensions: [x], imports: [y]}]\n", "smoke tests cannot be used"),
    ],
)
def test_an_empty_test_is_an_error_and_never_a_pass(smoke, said):
    with pytest.raises(InputError, match=said) as caught:
        intent(BASE + smoke)
    assert all(one.mark is not None for one in caught.value.problems)


@pytest.mark.parametrize(
    ("needs", "machine", "reason"),
    [
        ("gpu", None, "needs a GPU (this machine has no GPU)"),
        ("rt-cores", None, "needs RT cores (this machine has no GPU)"),
        ("rt-cores", H100, "needs RT cores (NVIDIA H100 has none)"),
        ("rt-cores", L40S, ""),
        ("gpu", H100, ""),
    ],
)
def test_needs_are_honest(needs, machine, reason):
    text = f"\n    smoke: [{{name: a, needs: {needs}, imports: [torch]}}]\n"
    values = {"machine": machine} if machine else {}
    test = intent(BASE + text, **values).tests[0]
    assert test.reason == reason
    assert (test.unmet or "") == (needs if reason else "")
    assert (test.number is None) == bool(reason)


@pytest.mark.parametrize(
    ("timeout", "options", "deadlines"),
    [
        ("", Options(), (900.0, 300.0)),
        ("timeout: 600", Options(), (600.0, 600.0)),
        ("timeout: 600", Options(cold=5.0), (5.0, 600.0)),
        ("", Options(cold=5.0, warm=3.0), (5.0, 3.0)),
    ],
)
def test_deadlines_are_cold_then_warm_or_the_tests_own(timeout, options, deadlines):
    text = APP_FIRST.replace("launch:", f"{timeout}\n        launch:")
    made = intent(SIMULATOR + text, bundled(), options=options)
    assert tuple(one.deadline for one in made.plan.tests) == deadlines


def test_a_plain_test_has_its_own_timeout_whatever_is_said_of_simulators():
    made = intent(BASE + SMOKE, options=Options(cold=5.0, warm=3.0))
    assert made.plan.tests[0].deadline == 300.0


def test_cameras_are_asked_for_where_the_extension_is():
    lab = APP_FIRST.replace("simulation-app", "app-launcher")
    assert "cameras" in checks(intent(SIMULATOR + lab, bundled()), "starts")
    assert "cameras" not in checks(intent(SIMULATOR + APP_FIRST, bundled()), "starts")


def test_franka_brings_its_two_checks_behind_the_imports():
    text = APP_FIRST.replace(
        "[isaacsim.sensors.camera]\n    ", "[isaaclab_assets.robots.franka]\n    "
    )
    found = checks(intent(SIMULATOR + text, bundled()), "starts")
    place = found.index("import:isaaclab_assets.robots.franka")
    assert found[place + 1 : place + 3] == ("franka", "franka-usd")


GROOT = """
    hardware: {gpus: [sm_80, sm_90]}
    entrypoint: [python, -m, server]
    contracts:
      - {peer: two, role: server, transport: zmq, encoding: msgpack-npy, port: 5555}
      - {peer: three, role: client, transport: http, encoding: pickle}
    """


def test_gpus_and_contracts_bring_tests():
    made = intent(BASE + SMOKE + GROOT, lock("torch"))
    assert names(made) == ["packages", "torch", "torch-gpu", "wire", "service"]
    assert checks(made, "wire")[:2] == ("codec", "numpy-2-pickle")
    reasons = {test.name: test.reason for test in made.tests}
    assert reasons["torch"] == ""
    assert reasons["torch-gpu"] == "needs a GPU (this machine has no GPU)"
    assert reasons["service"] == "needs a GPU (this machine has no GPU)"


def test_a_server_is_not_started_without_being_told_what_to_serve():
    made = intent(BASE + SMOKE + GROOT, lock("torch"), machine=H100)
    assert "is not told what to serve" in made.tests[-1].reason
    assert made.tests[-1].unmet is None
    options = Options(serve=("--model-path", "/m"))
    made = intent(BASE + SMOKE + GROOT, lock("torch"), machine=H100, options=options)
    assert made.plan.tests[-1].steps[0]["argv"] == ["python", "-m", "server", "--model-path", "/m"]


def test_a_server_without_an_entrypoint_is_the_images_own():
    text = BASE + SMOKE + GROOT.replace("    entrypoint: [python, -m, server]\n", "")
    made = intent(text, lock("torch"), machine=H100, image=Image(command=("serve", "--now")))
    assert made.plan.tests[-1].steps[0]["argv"] == ["serve", "--now"]


def test_a_variant_for_processors_asks_nothing_of_cuda():
    text = (BASE + SMOKE + GROOT).replace("linux-amd64-cu126", "linux-amd64-cpu")
    assert "torch" not in names(intent(text, lock("torch")))


def test_tests_are_chosen_by_name():
    made = intent(SIMULATOR + APP_FIRST, bundled(), options=Options(tests=("numpy-first",)))
    assert names(made) == ["numpy-first"]
    assert made.plan.tests[0].deadline == 900.0  # it is now the first start
    with pytest.raises(InputError, match="there is no test 'other'"):
        intent(SIMULATOR + APP_FIRST, bundled(), options=Options(tests=("other",)))


def test_what_the_image_presets_is_handed_on_but_what_the_profile_says_is_not():
    preset = (("EXP_PATH", "/x"), ("PYTHONPATH", "/y"), ("ISAAC_PATH", ""))
    image = Image(environment=preset)
    made = intent(SIMULATOR + APP_FIRST + "\n    env: {PYTHONPATH: /y}\n", bundled(), image=image)
    assert made.plan.static.preset == ("EXP_PATH",)


def test_vulkan_is_left_out_of_a_container_without_a_gpu_and_told_of():
    made = intent(SIMULATOR + APP_FIRST, bundled())
    assert "vulkan" not in made.plan.static.checks
    assert made.left_out == (("vulkan", "needs a GPU (this machine has no GPU)"),)
    made = intent(SIMULATOR + APP_FIRST, bundled(), machine=L40S)
    assert "vulkan" in made.plan.static.checks
    assert made.left_out == ()


def test_a_snippet_is_all_that_is_run():
    question = asked(SIMULATOR + APP_FIRST, bundled())
    made = planning.snippet_intent(
        question, Snippet(code="1", file="x", launch="simulation-app", extensions=("a",))
    )
    assert made.plan.static.checks == ()
    assert names(made) == ["snippet"]
    assert checks(made, "snippet")[:3] == ("launch", "extensions", "code")


def test_the_container_may_take_as_long_as_its_tests():
    made = intent(SIMULATOR + APP_FIRST, bundled())
    assert made.seconds > sum(one.deadline + one.close for one in made.plan.tests)


def test_what_will_be_reported_is_known_beforehand():
    question = asked(SIMULATOR + APP_FIRST, bundled())
    job = asking.Job(
        target=asking.Target(variant=question.variant, locked=question.locked, image="x"),
        tools=asking.Tools(engine=None, runner=None, environ={}, machine=question.machine),
        wishes=asking.Wishes(),
        place="",
    )
    found = asking.expected(job)
    assert ("static", "vulkan") in found
    assert ("numpy-first", "numpy-one-root") in found
    assert len(found) == len(set(found))


def test_every_shipped_profile_can_be_planned():
    found = Workspace(root=str(Path(__file__).parents[3])).profiles()
    for name in found.sources:
        for variant in resolve(name, found.sources).variants:
            made = planning.intent(Question(variant=variant, locked=bundled(), machine=L40S))
            assert made.plan.tests, name
