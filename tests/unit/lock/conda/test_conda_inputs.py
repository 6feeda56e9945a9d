"""What the conda solver sees of a variant."""

from __future__ import annotations

from tests.support.conda_values import variant
from tests.unit.profile.samples import BASE, sources

from envbuild.lock.conda.inputs import conda_input
from envbuild.lock.model import CondaInput
from envbuild.profile.resolve import resolve
from envbuild.profile.resolved import Variant


def seen(one: Variant) -> CondaInput:
    found = conda_input(one)
    assert found is not None
    return found


def machine(one: Variant, number: int = 0) -> tuple[str, ...]:
    return seen(one).targets[number].virtual_packages


def test_python_and_pip_are_added() -> None:
    assert seen(variant("tool")).packages == ("pip", "python=3.11", "tool")


def test_a_python_and_a_pip_of_the_profile_stay_alone() -> None:
    one = variant("world::Python>=3.11.4,<3.12", "pip=24")
    assert seen(one).packages == ("pip=24", "world::Python>=3.11.4,<3.12")


def test_specifications_are_sorted_and_stand_once() -> None:
    assert seen(variant("b", "a", "b")).packages == ("a", "b", "pip", "python=3.11")


def test_channels_keep_their_order_and_nodefaults_is_dropped() -> None:
    assert seen(variant(channels="b, a, nodefaults")).channels == ("b", "a")


def test_the_machine_is_that_of_image_and_platform() -> None:
    assert machine(variant()) == (
        "__archspec=1=x86_64",
        "__glibc=2.35",
        "__linux=5.10",
        "__unix=0",
    )


def test_another_distribution_has_another_glibc() -> None:
    assert "__glibc=2.39" in machine(variant(distribution="ubuntu-24.04"))


def test_a_variant_with_cuda_has_cuda() -> None:
    assert "__cuda=12.8" in machine(variant(name="linux-amd64-cu128"))


def test_a_variant_for_arm_is_aarch64() -> None:
    one = variant(name="linux-arm64-cpu")
    assert seen(one).targets[0].platform == "linux-aarch64"
    assert "__archspec=1=aarch64" in machine(one)


def test_the_own_platform_stands_first_and_others_follow() -> None:
    one = variant(name="linux-arm64-cpu", more="  platforms: [linux-64, linux-aarch64]\n")
    assert [target.platform for target in seen(one).targets] == ["linux-aarch64", "linux-64"]
    assert "__archspec=1=x86_64" in machine(one, 1)


def test_the_profile_says_what_the_machine_has() -> None:
    more = '  virtual-packages: {__cuda: "13.0", __glibc: "2.39", __archspec: x86_64_v3}\n'
    found = machine(variant(name="linux-amd64-cu128", more=more))
    assert found == (
        "__archspec=1=x86_64_v3",
        "__cuda=13.0",
        "__glibc=2.39",
        "__linux=5.10",
        "__unix=0",
    )


def test_the_archspec_of_the_profile_holds_for_its_own_platform_alone() -> None:
    more = "  platforms: [linux-aarch64]\n  virtual-packages: {__archspec: x86_64_v3}\n"
    assert "__archspec=1=aarch64" in machine(variant(more=more), 1)


def test_an_empty_version_says_that_there_is_none() -> None:
    more = '  virtual-packages: {__cuda: "", __archspec: ""}\n'
    found = machine(variant(name="linux-amd64-cu128", more=more))
    assert found == ("__glibc=2.35", "__linux=5.10", "__unix=0")


def test_without_conda_there_is_nothing_to_see() -> None:
    profile = resolve("base", sources(base=BASE))
    assert conda_input(profile.variants[0]) is None
