"""From failing checks to their causes: one for each failure, whatever message of it came first.

The words of the checks and of the logs go through the signatures of :mod:`envbuild.diagnose`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from envbuild.diagnose.diagnosis import Finding, diagnose
from envbuild.diagnose.index import Index
from envbuild.diagnose.lines import blocks
from envbuild.diagnose.scan import Scan
from envbuild.knowledge.signaturebook import Signature
from envbuild.smoke.model import Cause, CheckResult

_SHOWN = 12
"""Lines of the logs that a cause shows."""


class Evidence(Struct, frozen=True, kw_only=True):
    """What was said: ``logs`` are those of each test, by its name."""

    checks: tuple[CheckResult, ...]
    logs: tuple[tuple[str, tuple[bytes, ...]], ...] = ()

    def of(self, test: str) -> bytes:
        """All logs of a test."""
        return b"\n".join(data for name, texts in self.logs if name == test for data in texts)


class Explained(Struct, frozen=True, kw_only=True):
    """The checks, with the id of the cause of each, and the causes."""

    checks: tuple[CheckResult, ...]
    causes: tuple[Cause, ...]


def explain(evidence: Evidence, read: Callable[[], Sequence[Signature]]) -> Explained:
    """The causes of the checks that failed or warn; where none does, the
    signatures are not even ``read``."""
    wrong = [one for one in evidence.checks if one.verdict in ("fail", "warn")]
    if not wrong:
        return Explained(checks=evidence.checks, causes=())
    signatures = read()
    index = Index(signatures)
    packages = {one.id: one.package for one in signatures}
    whole = _findings(index, _everything(evidence, wrong))
    ids: dict[str, str] = {}
    for check in wrong:
        own = _as_in(whole, _findings(index, _words(check)), packages)
        logged = {one.id for one in _findings(index, evidence.of(check.test))}
        ids[check.id] = _chosen(whole, own, logged if check.verdict == "fail" else set())
    families = _families(whole, packages, ids.values())
    named = {check: families[name] for check, name in ids.items() if name}
    return Explained(
        checks=tuple(
            replace(one, diagnosis=named[one.id]) if one.id in named else one
            for one in evidence.checks
        ),
        causes=_causes(whole, families, named),
    )


def _words(check: CheckResult) -> bytes:
    return "\n".join((check.reason, *check.lines)).encode(errors="replace")


def _everything(evidence: Evidence, wrong: Iterable[CheckResult]) -> bytes:
    """One text: the words of each check behind the logs of its test."""
    texts = [data for _, logs in evidence.logs for data in logs]
    return b"\n".join((*texts, *map(_words, wrong)))


def _findings(index: Index, text: bytes) -> tuple[Finding, ...]:
    scan = Scan(index)
    scan.read(blocks([text]))
    return diagnose(scan, log="", notes=()).findings


def _as_in(
    whole: Sequence[Finding], own: Sequence[Finding], packages: Mapping[str, str | None]
) -> set[str]:
    """What a part shows, by the ids that the whole has for it.

    One message of a mixed NumPy leaves open which release is the newer one; with the others beside
    it there is no doubt, and the failure has another id.
    """
    known = {one.id for one in whole}
    found = {one.id for one in own} & known
    open_ = {packages[one.id] for one in own if one.id not in known} - {None}
    return found | {one.id for one in whole if packages[one.id] in open_ and not one.generic}


def _families(
    findings: Sequence[Finding], packages: Mapping[str, str | None], found: Iterable[str]
) -> dict[str, str]:
    """The id that stands for each finding: that of its cause, or of its package's failure.

    Several failures of one package in one image are one: which of their messages is seen depends
    on what was imported first. What a check ``found`` first stands for them (the static stage
    comes first, and sees the copies themselves), else the last in the order of causes.
    """
    first = tuple(found)
    roots = {one.id: _root(one, findings) for one in findings}
    for package in {name for name in packages.values() if name}:
        family = [one.id for one in findings if packages[one.id] == package and not one.generic]
        if not family:
            continue
        stands = next((name for name in first if name in family), family[-1])
        roots = {
            name: stands if name in family or root in family else root
            for name, root in roots.items()
        }
    return roots


def _root(one: Finding, findings: Sequence[Finding]) -> str:
    """The id of the first cause of a finding, of those that were seen."""
    known = {other.id: other for other in findings}
    passed = [one.id]
    while known[passed[-1]].after and known[passed[-1]].after[0] not in passed:
        passed.append(known[passed[-1]].after[0])
    return passed[-1]


def _chosen(findings: Sequence[Finding], own: set[str], logged: set[str]) -> str:
    """The first finding that the check's own words show, else the first that its test's logs do;
    what is certain before hints."""
    for ids in (own, logged):
        for generic in (False, True):
            for one in findings:
                if one.id in ids and one.generic is generic and (ids is own or not generic):
                    return one.id
    return ""


def _causes(
    findings: Sequence[Finding], families: Mapping[str, str], named: Mapping[str, str]
) -> tuple[Cause, ...]:
    found = []
    for one in findings:
        checks = tuple(check for check, name in named.items() if name == one.id)
        if not checks:
            continue
        family = [other for other in findings if families[other.id] == one.id]
        lines = dict.fromkeys(seen.text for other in family for seen in other.lines)
        found.append(
            Cause(
                id=one.id,
                title=one.title,
                cause=one.cause,
                proves=tuple(dict.fromkeys(text for other in family for text in other.proves)),
                fix=one.fix,
                fix_for=one.fix_for,
                checks=checks,
                also=tuple(other.id for other in family if other.id != one.id),
                lines=tuple(lines)[:_SHOWN],
            )
        )
    return tuple(found)
