"""Which actions are taken, which are not, and why."""

from __future__ import annotations

import msgspec
import pytest

from envbuild.doctor.model import Finding, Install, SetAside
from envbuild.doctor.repair import repairing
from envbuild.scan.model import Site, System
from tests.unit.doctor.scans import ARCHIVE, ENV, SITE, case, copy


def opened(_folder):
    return ""


def install(name="numpy", version="1.26.0", **changes):
    values = {"site": SITE, "distribution": name, "version": version, "found": "2.2.6"}
    return Install(**{**values, "python": f"{ENV}/bin/python", **changes})


def finding(*actions):
    return Finding(
        id="numpy-two-winners",
        severity="error",
        what="two",
        where=(SITE,),
        why="it breaks",
        repair=("pip install numpy==1.26.0",),
        actions=actions,
    )


def planned(*actions, distributions=(), closed=opened, **changes):
    scan = case(*(distributions or [copy("numpy", "2.2.6")])).scan
    scan = msgspec.structs.replace(
        scan, **{"system": System(machine="x86_64", glibc="2.35"), **changes}
    )
    return repairing.plan([finding(*actions)], scan, closed=closed)


def test_no_findings_have_no_repair():
    assert repairing.plan([], case().scan, closed=opened) == repairing.Repair()


def test_a_distribution_of_the_user_is_replaced():
    repair = planned(install())
    assert repair.refused == ()
    (part,) = repair.parts
    assert part.prefix == ENV
    assert part.closed == (ARCHIVE,)
    assert part.replacements == (
        repairing.Replacement(
            site=SITE,
            distribution="numpy",
            version="1.26.0",
            found="2.2.6",
            python="3.11",
            interpreter=f"{ENV}/bin/python",
            machine="x86_64",
            glibc="2.35",
        ),
    )


def test_a_plan_says_what_is_done_and_what_is_not():
    plan = repairing.steps(planned(install(), install("torch", site=ARCHIVE)))
    assert [(one.kind, one.target, one.action, one.reason) for one in plan] == [
        ("install", "numpy 1.26.0", "run", f"in the place of 2.2.6, in {SITE}"),
        ("install", "torch 1.26.0", "skip", "a bundled copy is never changed"),
    ]


def test_what_two_findings_want_is_done_once():
    scan = case(copy("numpy", "2.2.6")).scan
    scan = msgspec.structs.replace(scan, system=System(machine="x86_64"))
    both = [finding(install()), finding(install(found="2.2.0"))]
    (part,) = repairing.plan(both, scan, closed=opened).parts
    (one,) = part.replacements
    assert one.glibc == "2.28"


def test_two_versions_of_one_distribution_are_not_both_put_there():
    repair = planned(install(), install(version="1.26.4"))
    assert [one.version for one in repair.parts[0].replacements] == ["1.26.0"]
    assert repair.refused[0].why == "numpy 1.26.0 is put there for another one"


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("bundle", "a bundled copy is never changed"),
        ("runtime", "a bundled copy is never changed"),
        ("debian", "it is Debian's: apt keeps its own list of files"),
        ("kit", "it is a part of the product"),
        ("source", "it is a checkout of sources"),
    ],
)
def test_sites_of_others_are_left_alone(kind, why):
    site = Site(path=SITE, real=SITE, kind=kind, python="3.11")
    repair = planned(install(), SetAside(paths=(f"{SITE}/a",)), sites=(site,))
    assert repair.parts == ()
    assert [one.why for one in repair.refused] == [why, why]
    assert repair.refused[0].instead == ("pip install numpy==1.26.0",)


@pytest.mark.parametrize("installer", ["conda", "debian"])
def test_what_another_installer_keeps_is_left_to_it(installer):
    repair = planned(install(), distributions=[copy("numpy", "2.2.6", installer=installer)])
    assert repair.refused[0].why == f"{installer} installed it, and keeps its own list of files"


def test_an_editable_install_is_left_alone():
    editable = msgspec.structs.replace(copy("numpy", "2.2.6"), editable="/src/numpy")
    repair = planned(install(), distributions=[editable])
    assert repair.refused[0].why == "it is an editable install of /src/numpy"


def test_a_folder_that_cannot_be_changed_is_said():
    repair = planned(install(), closed=lambda folder: f"{folder} is read-only")
    assert repair.refused[0].why == f"{ENV} is read-only"


def test_a_site_of_no_interpreter_is_left_alone():
    site = Site(path="/extra", real="/extra", kind="path", python="3.11")
    repair = planned(install(site="/extra"), sites=(site,))
    assert "belongs to no interpreter" in repair.refused[0].why


def test_a_place_that_was_not_found_is_refused():
    (one,) = planned(install(site="/elsewhere")).refused
    assert one.why == "/elsewhere lies in no site that was found"
    (one,) = planned(SetAside(paths=("/elsewhere/a",))).refused
    assert one.why == "/elsewhere/a lies in no site that was found"


def test_a_machine_without_wheels_is_refused():
    repair = planned(install(), system=System(machine="riscv64"))
    assert repair.refused[0].why == "no wheel can be chosen for its Python and its machine"


def test_paths_are_set_aside_where_they_really_are():
    real = "/data/env/lib/python3.11/site-packages"
    site = Site(path=SITE, real=real, kind="site", python="3.11")
    (part,) = planned(SetAside(paths=(f"{SITE}/a", f"{SITE}/b")), sites=(site,)).parts
    assert part.prefix == "/data/env"
    assert part.aside == (f"{real}/a", f"{real}/b")


def test_paths_of_a_bundle_inside_a_site_are_refused_all_together():
    repair = planned(SetAside(paths=(f"{SITE}/a", f"{ARCHIVE}/numpy")))
    assert repair.parts == ()
    step = repairing.steps(repair)[0]
    assert (step.kind, step.action) == ("set-aside", "skip")
    assert step.target == f"{SITE}/a, {ARCHIVE}/numpy"


def test_nothing_is_set_aside_when_nothing_can_come_in_its_place():
    aside = SetAside(paths=(f"{SITE}/numpy",))
    repair = planned(aside, install(), distributions=[copy("numpy", "2.2.6", installer="conda")])
    assert repair.parts == ()
    assert [one.action for one in repair.refused] == [aside, install()]


def test_one_refusal_leaves_the_other_packages_of_a_finding():
    found = [copy("numpy", "2.2.6"), copy("click", "8.0", installer="conda")]
    repair = planned(install(), install("click", "8.1.7"), distributions=found)
    assert [one.distribution for one in repair.parts[0].replacements] == ["numpy"]
    assert [one.action.distribution for one in repair.refused] == ["click"]
