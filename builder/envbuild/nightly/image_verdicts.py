"""What a build and the tests of an image came to, from what their processes said. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from envbuild.history.model import Diagnosis, Image, Part, StageResult, Status
from envbuild.nightly.calling import Called
from envbuild.nightly.verdicts import PARTS, Judged, failed, line, logged, result, rows_of, worst


def build(called: Called, variant: str) -> Judged:
    """What ``build`` says of a variant."""
    row = next((one for one in rows_of(called.data) if one.get("variant") == variant), {})
    row = row or next(iter(rows_of(called.data)), {})
    if called.code or row.get("status") not in ("built", "unchanged"):
        return Judged(result=_not_built(called, row))
    image = _image(row)
    if image is None:
        return Judged(result=result("build", "fail", "it was built, and its image is not known"))
    how = "unchanged" if row["status"] == "unchanged" else "built"
    why = f": {row['reason']}" if row.get("reason") and how == "built" else ""
    size = f", {image.size / 1e6:,.0f} MB" if image.size else ""
    pushed = f", pushed as {image.digest[:19]}" if image.digest else ""
    return Judged(result=result("build", "pass", f"{how}{size}{pushed}{why}"), image=image)


def _not_built(called: Called, row: dict[str, Any]) -> StageResult:
    message, hint = row.get("message"), row.get("hint")
    found = tuple(map(_diagnosis, rows_of(row.get("diagnosis"))))
    problems = row.get("problems")
    parts = tuple(
        Part(name="problem", status="fail", reason=line(one))
        for one in (problems if isinstance(problems, list) else ())
    )
    if message:
        more = {"hint": line(hint or ""), "diagnosis": found, "parts": parts[:PARTS]}
        return result("build", "fail", str(message), **more)
    if row.get("status") == "skipped":
        return result("build", "not-run", str(row.get("reason", "")))
    return failed("build", called, "it could not be built", diagnosis=found)


def _image(row: dict[str, Any]) -> Image | None:
    reference, identity = row.get("reference"), row.get("identity")
    if not reference or not identity:
        return None
    size = row.get("size")
    return Image(
        reference=line(reference),
        identity=line(identity),
        engine=line(row.get("engine", "")),
        digest=line(row.get("digest") or ""),
        size=size if isinstance(size, int) else 0,
    )


def smoke(called: Called) -> Judged:
    """What ``smoke`` says of an image: one part a check, causes as diagnoses."""
    report = _report(called.data)
    if report is None:
        return Judged(result=failed("smoke", called, "it could not be tested"))
    checks = rows_of(report.get("checks"))
    parts = tuple(
        Part(
            name=line(one.get("id") or f"{one.get('test')}/{one.get('name')}"),
            status=one["verdict"] if one.get("verdict") in _VERDICTS else "fail",
            reason=line(one.get("reason", "")),
            seconds=float(one.get("seconds") or 0.0),
        )
        for one in checks
    )
    causes = rows_of(report.get("causes"))
    shown = result(
        "smoke",
        _smoked(parts, ok=called.code == 0 and report.get("ok") is not False),
        _counts(parts, causes, missing=report.get("missing")),
        parts=parts[:PARTS],
        diagnosis=tuple(map(_diagnosis, causes)),
    )
    return Judged(result=shown, lines=tuple(_checks(checks)))


_VERDICTS = ("pass", "warn", "fail", "not-run")


def _report(data: object) -> dict[str, Any] | None:
    reports = rows_of(data.get("reports")) if isinstance(data, dict) else []
    return reports[0] if reports else None


def _smoked(parts: Sequence[Part], *, ok: bool) -> Status:
    """A test of which nothing ran has found nothing out, and is not passed."""
    if not ok:
        return "fail"
    ran = [one for one in parts if one.status != "not-run"]
    return worst(ran) if ran else "not-run"


def _counts(parts: Sequence[Part], causes: Sequence[dict[str, Any]], *, missing: object) -> str:
    words = (("pass", "passed"), ("fail", "failed"), ("warn", "warn"), ("not-run", "not run"))
    counts = [(sum(one.status == status for one in parts), word) for status, word in words]
    text = ", ".join(f"{number} {word}" for number, word in counts if number) or "no checks"
    if isinstance(missing, list) and missing:
        text += f"; required and missing: {', '.join(map(str, missing))}"
    if causes:
        return f"{causes[0].get('title', '')} ({text})"
    first = next((one for one in parts if one.status == "fail"), None)
    return f"{first.name}: {first.reason} ({text})" if first else text


def _checks(checks: Iterable[dict[str, Any]]) -> Iterable[str]:
    for one in checks:
        reason = f": {one['reason']}" if one.get("reason") else ""
        yield logged(f"{one.get('verdict')} {one.get('id')}{reason}")
        lines = one.get("lines")
        if one.get("verdict") in ("fail", "warn") and isinstance(lines, list):
            yield from (logged(f"    | {text}") for text in lines)


def _diagnosis(one: dict[str, Any]) -> Diagnosis:
    return Diagnosis(
        id=line(one.get("id", "")),
        title=line(one.get("title", "")),
        fix=line(one.get("fix", ""), 2000),
    )
