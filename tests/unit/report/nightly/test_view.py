"""What a night looks like on its page, before it is HTML."""

from __future__ import annotations

import pytest

from envbuild.errors import InputError
from envbuild.history.model import Image, Part, VariantNight
from envbuild.lock.moves import Move
from envbuild.report.nightly.view import view
from tests.support import nights as small
from tests.support.nights import night, profile, stage, variant
from tests.support.showcase import showcase


def shown(*days, **more):
    return view(
        [night(number, profiles) for number, profiles in enumerate(days)],
        **more,
    )


def broken(name="one", **more):
    return profile(name, "fail", **more)


def headings(found):
    return {group.heading: [point.name for point in group.points] for group in found.attention}


# --- In one sentence ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profiles", "sentence", "mark"),
    [
        ([profile()], "The profile passed.", "pass"),
        ([profile(), profile("two")], "All 2 profiles passed.", "pass"),
        (
            [profile(), profile("two", "warn")],
            "All 2 profiles passed, 1 with warnings.",
            "warn",
        ),
        ([profile(), broken("two")], "1 of 2 profiles failed.", "fail"),
        ([broken()], "The profile failed.", "fail"),
        (
            [profile("two", "not-run"), profile()],
            "1 of 2 profiles was not run to the end.",
            "not-run",
        ),
        ([], "No profile is in this night.", "none"),
    ],
)
def test_a_night_is_said_in_one_sentence(profiles, sentence, mark):
    found = shown(profiles)
    assert (found.sentence, found.mark) == (sentence, mark)


def test_a_part_that_did_not_report_is_told_once():
    parts = [
        night(0, [profile("a")], machine="x", name="n", shard="1/3"),
        night(0, [profile("c")], machine="z", name="n", shard="3/3"),
    ]
    found = view(parts)
    assert found.sentence == "All 2 profiles passed; 1 part of the night did not report."
    assert found.mark == "not-run"
    assert headings(found) == {"Missing": ["Part 2/3"]}
    assert found.notes == ()
    assert [(one.machine, one.shard) for one in found.machines] == [("x", "1/3"), ("z", "3/3")]


def test_without_a_night_there_is_no_page():
    with pytest.raises(InputError, match="no night to show"):
        view([])
    with pytest.raises(InputError, match="no night 'else'") as caught:
        shown([profile()], shown="else")
    assert caught.value.hint == "the newest ones: night-0"


def test_an_older_night_is_shown_as_it_was():
    found = shown([profile()], [broken()], [profile()], shown="night-1")
    assert found.sentence == "The profile failed."
    assert found.nights == 2


# --- What needs a look -------------------------------------------------------------------------


def test_new_trouble_stands_before_old():
    found = shown(
        [profile("a"), profile("b"), broken("c"), profile("d")],
        [profile("a"), broken("b"), broken("c"), profile("d")],
        [broken("a"), broken("b"), profile("c"), profile("d", "warn")],
    )
    assert headings(found) == {
        "New failures": ["a"],
        "Still failing": ["b"],
        "Mended": ["c"],
        "Warnings": ["d"],
    }
    assert found.further == "1 newly failed, 1 failed before too, 1 good again"


def test_a_profile_says_since_when_it_is_as_it_is():
    days = [[profile("a"), broken("b")], [broken("a"), broken("b")], [broken("a"), broken("b")]]
    a, b = shown(*days).profiles
    assert a.state == "Fails since 19 Nov 2026 (2 nights); last good 18 Nov 2026"
    assert b.state == "Fails since 18 Nov 2026 (3 nights); never good in the 3 nights kept"
    (a,) = shown([broken("a")], [profile("a")], [profile("a")]).profiles
    assert a.state == "Good since 19 Nov 2026 (2 nights)"


def test_what_is_gone_is_missing():
    both = (
        variant(stage("build")),
        variant(stage("build"), name="linux-arm64-cu130"),
    )
    found = shown([profile("a"), profile("b", variants=both)], [profile("b")])
    points = found.attention[0].points
    assert [(point.name, point.text) for point in points] == [
        ("a", "was there on 18 Nov 2026 (was good), is not in this night"),
        ("b", "without linux-arm64-cu130, which was there on 18 Nov 2026"),
    ]


def test_what_was_not_run_for_one_reason_is_one_point():
    idle = (
        VariantNight(variant="v", platform="p", stages=(stage("build", "not-run", "no time"),)),
    )
    found = shown([profile(name, variants=idle) for name in "abcd"])
    (group,) = found.attention
    (point,) = group.points
    assert (point.name, point.where, point.text) == ("a, b and 2 more", "build v", "no time")


def test_the_riskiest_move_is_a_suspect_only_where_it_was_good_before():
    moves = (
        Move(risk="security", what="pillow", old="1", new="2"),
        Move(risk="abi", what="numpy", old="1.26", new="2.3"),
    )
    found = shown([profile()], [broken(moves=moves)])
    assert found.attention[0].points[0].suspect == "numpy 1.26 → 2.3"
    found = shown([broken()], [broken(moves=moves)])
    assert found.attention[0].points[0].suspect == ""


# --- Cells -------------------------------------------------------------------------------------


def cells(found, number=0):
    page = found.profiles[number]
    return {cell.stage: cell for cell in (*page.cells, *page.rows[0].cells)}


def test_every_end_of_a_stage_has_its_word():
    stages = (
        stage("check", seconds=0.4),
        stage("lock", "warn"),
        stage("audit", "fail"),
        stage("render", "not-run", seconds=0.0),
    )
    found = cells(shown([profile(stages=stages, variants=(variant(stage("build", seconds=0.0)),))]))
    assert {name: (cell.mark, cell.brief) for name, cell in found.items()} == {
        "check": ("pass", "0.4 s"),
        "lock": ("warn", "warned"),
        "audit": ("fail", "failed"),
        "render": ("not-run", "not run"),
        "build": ("pass", "passed"),
        "smoke": ("none", ""),
    }
    assert found["audit"].urgent
    assert found["smoke"].anchor == ""


def test_a_result_that_was_carried_over_says_from_where():
    first = night(0)
    second = night(1, [profile(stages=(stage("lock", carried=first.id),))])
    lock = cells(view([first, second]))["lock"]
    assert (lock.brief, lock.took) == ("carried", "")
    assert lock.carried == f"18 Nov 2026 (night {first.id})"


def test_parts_come_by_status_the_gravest_first_and_are_bounded():
    parts = (
        *(Part(name=f"good {n}", status="pass") for n in range(300)),
        Part(name="idle", status="not-run", reason="no GPU"),
        Part(name="bad", status="fail", reason="why", place="a.py:1"),
    )
    built = variant(stage("smoke", "fail", parts=parts, seconds=1.0))
    groups = cells(shown([profile(variants=(built,))]))["smoke"].groups
    assert [(group.said, len(group.parts) + group.left) for group in groups] == [
        ("Failed: 1", 1),
        ("Not run: 1", 1),
        ("Passed: 300", 300),
    ]
    assert groups[2].left > 200


def test_of_a_long_log_the_last_lines_are_kept_and_the_cut_is_said():
    tail = tuple(f"line {n} {'x' * 100}" for n in range(500))
    built = variant(stage("build", "fail", tail=tail))
    lines = cells(shown([profile(variants=(built,))]))["build"].tail
    assert lines[-1].startswith("line 499")
    assert lines[0] == f"… {500 - len(lines) + 1} lines more before these …"
    assert sum(map(len, lines)) < 8_100


def test_the_indent_of_a_traceback_stays():
    built = variant(stage("build", "fail", tail=("Traceback:", '  File "x"', "\tx")))
    assert cells(shown([profile(variants=(built,))]))["build"].tail == (
        "Traceback:",
        '  File "x"',
        "x",
    )


@pytest.mark.parametrize(
    ("href", "linked"),
    [
        ("logs/sha256-1.txt", "logs/sha256-1.txt"),
        ("javascript:alert(1)", ""),
        ("//evil.example/x", ""),
        ("/etc/passwd", ""),
        ("logs/../../x", ""),
        ("", ""),
    ],
)
def test_a_log_is_linked_to_only_below_the_page(href, linked):
    one = profile(variants=(variant(stage("build", "fail", log="sha256:1", log_size=2048)),))
    built = cells(shown([one], logs={"sha256:1": href}))["build"]
    assert (built.log, built.log_size) == (linked, "2.0 kB")


# --- Moves, trends, strips ---------------------------------------------------------------------


def test_moves_stand_by_risk_and_only_the_risky_open():
    moves = (
        Move(risk="abi", what="numpy", old="1", new="2", variants=("x", small.VARIANT)),
        Move(risk="other", what="six", old="1", new="2", variants=(small.VARIANT,)),
    )
    first = night(0)
    one = profile(moves=moves)
    found = view([first, night(1, [one])]).profiles[0]
    assert [(risk.heading, risk.risky) for risk in found.risks] == [
        ("ABI-breaking", True),
        ("Other versions", False),
    ]
    assert found.risks[0].moves[0].where == f"x, {small.VARIANT}"
    assert found.risks[1].moves[0].where == ""
    assert found.quiet_moves == "1 other move"


def test_stages_that_were_carried_or_failed_are_in_no_trend():
    days = [
        [profile(stages=(stage("lock", seconds=3.0),))],
        [profile(stages=(stage("lock", carried="x", seconds=99.0),))],
        [profile(stages=(stage("lock", "fail", seconds=99.0),))],
    ]
    (lock,) = (one for one in shown(*days).profiles[0].trends if one.what == "lock")
    assert (lock.latest, lock.nights) == ("3.0 s", 1)


def test_sizes_of_images_have_a_trend_each():
    def built(size):
        image = Image(reference="r", identity="sha256:1", engine="podman", size=size)
        return [profile(variants=(variant(stage("build"), image=image),))]

    found = shown(built(4_000_000_000), built(5_000_000_000))
    trend_of = {one.what: one for one in found.profiles[0].trends}["image"]
    assert (trend_of.least, trend_of.latest, trend_of.change) == ("4.0 GB", "5.0 GB", "+11 %")
    assert found.profiles[0].rows[0].image_size == "5.0 GB"


def test_a_row_that_was_not_there_has_a_dot():
    found = shown([], [profile()], [profile()])
    assert [mark for mark, _ in found.profiles[0].rows[0].strip.bars] == ["none", "pass"]


# --- All of it ---------------------------------------------------------------------------------


def test_anchors_are_unique_and_names_that_are_no_names_have_one_too():
    names = ["a", "<b>", "A", "profile:a", "a" * 500, ""]
    found = shown([profile(name) for name in names])
    anchors = [page.anchor for page in found.profiles]
    anchors += [cell.anchor for page in found.profiles for cell in page.cells if cell.anchor]
    anchors += [
        cell.anchor for page in found.profiles for cell in page.rows[0].cells if cell.anchor
    ]
    assert len(anchors) == len(set(anchors))
    assert "profile:a" in anchors


def test_the_showcase_has_every_status():
    found = view(showcase())
    marks = {
        cell.mark
        for page in found.profiles
        for row in page.rows
        for cell in (*page.cells, *row.cells)
    }
    assert marks == {"pass", "warn", "fail", "not-run"}
    groups = {
        group.status
        for page in found.profiles
        for row in page.rows
        for cell in row.cells
        for group in cell.groups
    }
    assert groups == {"pass", "warn", "fail", "not-run"}
    assert view(showcase(well=True)).mark == "pass"
