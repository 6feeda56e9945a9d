"""What may stand in a workflow, and what may not."""

from __future__ import annotations

import pytest
from msgspec import structs

from envbuild.errors import InputError
from envbuild.forge import choices
from envbuild.forge.choices import Choices, SlurmChoices, checked, checked_slurm, machines

USUAL = Choices(
    machines=choices.untagged(),
    install="envbuild==0.1.0",
    shards=2,
    cron="17 2 * * *",
    relock="41 4 * * 1",
)
CLUSTER = SlurmChoices(runtime="apptainer", images="oci:images", shards=3, install=".")


def test_githubs_own_machines_stand_in_where_none_is_named() -> None:
    found = machines(("arm64=big-arm,linux",), ("self-hosted,gpu",), default=True)
    assert [(one.name, one.labels) for one in found.all] == [
        ("amd64", ("ubuntu-24.04",)),
        ("arm64", ("big-arm", "linux")),
        ("amd64-gpu", ("self-hosted", "gpu")),
    ]
    assert machines((), (), default=False).all == ()


def test_a_variant_takes_the_other_kind_of_machine_where_there_is_none_of_its_own() -> None:
    found = machines((), ("gpu",), default=False)
    machine = found.of("amd64", gpu=False)
    assert machine is not None
    assert machine.gpu
    assert found.of("arm64", gpu=True) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mips=x", "is no architecture"),
        ("${{ secrets.KEY }}", "cannot stand in a workflow"),
        ("a,,b", "cannot stand in a workflow"),
        ("amd64=a b", "cannot stand in a workflow"),
        ("x\n    y", "cannot stand in a workflow"),
    ],
)
def test_a_label_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        machines((text,), (), default=True)


def test_an_architecture_that_comes_twice_is_refused() -> None:
    with pytest.raises(InputError, match="names amd64 twice"):
        machines(("a", "amd64=b"), (), default=True)


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("install", (".", "./tool", "envbuild", "envbuild[x]>=1,<2", "git+https://h/o/r@v1"),
         ("-r evil.txt", "a; rm -rf /", "$(id)", "a\nb", "${{ github.token }}", "")),
        ("cron", ("0 0 * * *", "*/5 1-4,6 * * 1"), ("@daily", "0 0 * *", '0 0 * * *"', "")),
        ("registry", ("ghcr.io/o/r", "localhost:5000/x", ""), ("ghcr.io", "ghcr.io/O/r", "h/r;id", "h/${{ x }}")),
        ("history", ("git:envbuild-history", "git:a/b.c"), ("folder", "git:-x", "git:a..b", "git:a b", "git:")),
    ],
)  # fmt: skip
def test_each_value_has_its_form(field: str, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    for value in good:
        assert checked(structs.replace(USUAL, **{field: value}))
    for value in bad:
        with pytest.raises(InputError, match="cannot stand"):
            checked(structs.replace(USUAL, **{field: value}))


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("partition", "a b"),
        ("account", "x;id"),
        ("gres", "gpu:1\n#SBATCH --x"),
        ("time", "soon"),
        ("work", "a b"),
        ("images", "nowhere"),
        ("images", "oci:$(id)"),
    ],
)
def test_a_value_that_no_job_can_hold_is_refused(field: str, bad: str) -> None:
    with pytest.raises(InputError, match="cannot stand"):
        checked_slurm(structs.replace(CLUSTER, **{field: bad}))


def test_pyxis_takes_no_folder_of_images() -> None:
    with pytest.raises(InputError, match="from a registry"):
        checked_slurm(structs.replace(CLUSTER, runtime="pyxis"))
