"""What doctor found, in lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envbuild.doctor.case import Case
from envbuild.doctor.model import Driver, Finding, Gpu
from envbuild.doctor.told import telling
from envbuild.scan.model import (
    CondaPackage,
    Distribution,
    Order,
    Product,
    Scan,
    Site,
    System,
)

SITE = "/opt/lab/lib/python3.11/site-packages"
BUNDLE = f"{SITE}/isaacsim/extscache/omni.kit.pip_archive-0.0.0/pip_prebundle"


def numpy(version, site):
    return Distribution(name="numpy", version=version, site=site, package=f"{site}/numpy")


def scan(*, site="2.2.6", **changes):
    order = Order(
        launcher="python",
        path="/opt/lab/bin/python",
        python="3.11",
        before=(SITE, BUNDLE),
        after=(BUNDLE, SITE),
    )
    values = {
        "label": "/opt/lab",
        "roots": ("/opt/lab",),
        "products": (
            Product(kind="isaac-sim", release="5.1.0", path=f"{SITE}/isaacsim", way="pip"),
        ),
        "sites": (
            Site(path=SITE, real=SITE, kind="site", python="3.11"),
            Site(path=BUNDLE, real=BUNDLE, kind="bundle"),
        ),
        "distributions": (numpy(site, SITE), numpy("1.26.0", BUNDLE)),
        "orders": (order,),
        "conda": (CondaPackage(name="python", version="3.11.13", build="0", prefix="/opt/lab"),),
    }
    return Scan(**(values | changes))


def finding(**changes):
    values = {
        "id": "numpy-two-winners",
        "severity": "error",
        "what": "NumPy 2.2.6 wins before the app starts, and 1.26.0 after it",
        "where": (f"{SITE}/numpy", f"{BUNDLE}/numpy"),
        "why": "modules of one NumPy import modules of the other one",
        "expect": ("AttributeError: module 'numpy' has no attribute '_no_nep50_warning'",),
        "hits": ("isaacsim.sensors.camera", "isaaclab_assets"),
        "repair": ("/opt/lab/bin/python -m pip install numpy==1.26.0", "a constraint keeps it"),
        "source": "IsaacLab#4224",
    }
    return Finding(**(values | changes))


def told(*findings, seconds=2.06, lock="", driver=None, **changes):
    case = Case(scan=scan(**changes), driver=driver)
    return telling.Answer(case=case, findings=findings, seconds=seconds, lock=lock)


def text(*findings, more=False, **changes):
    return [line.text for line in telling.lines(told(*findings, **changes), more=more)]


def test_a_finding_in_full():
    assert text(finding()) == [
        "/opt/lab: Isaac Sim 5.1.0 (pip) in a conda prefix, Python 3.11, 2 sites, 2",
        "  distributions, 0 compiled modules (2.1 s)",
        "",
        "1. error: NumPy 2.2.6 wins before the app starts, and 1.26.0 after it",
        "   [numpy-two-winners, proven]",
        "   where: /opt/lab/lib/python3.11/site-packages/numpy",
        "          /opt/lab/lib/python3.11/site-packages/isaacsim/extscache/omni.kit.pip_archive-0.0.0/pip_prebundle/numpy",
        "   why: modules of one NumPy import modules of the other one",
        "   expect: AttributeError: module 'numpy' has no attribute '_no_nep50_warning'",
        "   hits: isaacsim.sensors.camera, isaaclab_assets",
        "   fix: /opt/lab/bin/python -m pip install numpy==1.26.0",
        "   or: a constraint keeps it",
        "   source: IsaacLab#4224",
        "",
        "1 finding: 1 error",
    ]


def test_how_many_there_are():
    severities = ("error", "warning", "warning", "note")
    answer = told(*(finding(severity=one) for one in severities))
    assert telling.counts(answer) == "4 findings: 1 error, 2 warnings, 1 note"


def test_many_places_are_shown_only_when_asked_for():
    where = tuple(f"/opt/{number}" for number in range(9))
    found = finding(where=where, hits=tuple(f"ext{number}" for number in range(30)))
    shown = "\n".join(text(found))
    assert "/opt/2" in shown
    assert "/opt/3" not in shown
    assert "6 more (-v)" in shown
    assert "22 more (-v)" in shown
    everything = "\n".join(text(found, more=True))
    assert "more (-v)" not in everything
    assert "/opt/8" in everything


def test_one_more_is_shown_rather_than_counted():
    shown = "\n".join(text(finding(where=("/1", "/2", "/3", "/4"))))
    assert "/4" in shown


@pytest.mark.parametrize(
    "way",
    [
        "/opt/lab/bin/python -m pip install --force-reinstall --no-deps numpy==1.26.0 scipy==1.15.3",
        "'/opt/a lab/bin/python' -m pip install --force-reinstall --no-deps numpy==1.26.0 scipy==1",
        "python3.11 -m pip install --force-reinstall --no-deps numpy==1.26.0 scipy==1.15.3 and so on",
        "conda install --prefix /opt/lab --force-reinstall numpy=1.26.0 scipy=1.15.3 pandas=2.2.3 x",
    ],
)
def test_a_command_stands_on_one_line(way):
    assert f"   fix: {way}" in text(finding(repair=(way,)))


def test_words_are_wrapped():
    shown = text(finding(why="a word or two " * 40, repair=("look for who pulls it in " * 9,)))
    assert all(len(line) <= 80 for line in shown if "/" not in line)


def test_a_healthy_environment_has_one_line_of_what_was_looked_at():
    assert text(site="1.26.0")[2:] == [
        "",
        "nothing is wrong: NumPy 1.26.0 before the app starts and after it, 2",
        "  distributions with all files and all that they ask for",
    ]


def test_a_healthy_line_says_what_it_was_held_against():
    line = telling.healthy(told(lock="lab/linux-amd64-cu128", site="1.26.0"))
    assert line.endswith(", as the lock of lab/linux-amd64-cu128 has it")


def test_nothing_at_all():
    empty = Scan(label="/empty", roots=("/empty",))
    answer = telling.Answer(case=Case(scan=empty), findings=())
    assert [line.text for line in telling.lines(answer)] == [
        "/empty: no Python environment, 0 sites, 0 distributions, 0 compiled modules",
        "  (0.0 s)",
        "",
        "nothing is wrong: no NumPy",
    ]


def test_an_image_says_its_system_and_products():
    lab = Product(kind="isaac-lab", release="", path="/workspace/isaaclab", way="source")
    sim = Product(kind="isaac-sim", release="5.1.0", path="/isaac-sim", way="binary")
    said = telling.sentence(
        scan(products=(sim, lab), conda=(), system=System(release="ubuntu 24.04", whole=True))
    )
    assert "Isaac Sim 5.1.0 (binary) and Isaac Lab of an unknown release (source) on ubuntu" in said


def test_details_hold_every_site_order_and_copy():
    driver = Driver(version="580.65.06", gpus=(Gpu(name="H200", architecture="sm_90"),))
    shown = "\n".join(text(finding(), more=True, driver=driver, outside=("/elsewhere",)))
    assert "driver:\n  580.65.06 (H200 sm_90)" in shown
    assert f"sites:\n  site    3.11  {SITE}\n  bundle  -     {BUNDLE}" in shown
    assert f"copies of numpy:\n  2.2.6        {SITE}/numpy\n  1.26.0       {BUNDLE}/numpy" in shown
    assert "python (/opt/lab/bin/python), Python 3.11\n  numpy: 2.2.6 before, 1.26.0 after" in shown
    assert f"  after:\n    1 {BUNDLE}\n    2 {SITE}" in shown
    assert "not read: outside of what was examined:\n  /elsewhere" in shown


HOSTILE = st.text(st.characters(exclude_categories=()), max_size=40)


@given(HOSTILE, HOSTILE)
def test_nothing_from_the_tree_moves_a_cursor(name, label):
    odd = Distribution(name=name, version=name, site=SITE, package=f"/{name}")
    found = finding(
        what=name, where=(f"/{name}",), why=name, expect=(name,), hits=(name,), repair=(name,)
    )
    shown = text(
        found, more=True, label=label, distributions=(odd, odd), outside=(name,), lock=name
    )
    assert all(line.isprintable() for line in shown)
