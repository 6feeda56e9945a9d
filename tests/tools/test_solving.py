"""What the embedded solver says of channels that several ask for at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from envbuild.tools.conda import Access, Channel, Failure, Request
from envbuild.tools.solving import Solver
from tests.support import conda_server


def failures(cache: Path, url: str) -> set[tuple[str, str, str]]:
    """Kind, channel and subdir of the failures of six that ask at once, three for each platform."""
    reader = Solver(Access(cache=str(cache), retries=0))
    channels = (Channel(name="far", url=url),)
    requests = [
        Request(platform=platform, channels=channels, specs=("tool",))
        for platform in ("linux-64", "linux-aarch64") * 3
    ]
    with ThreadPoolExecutor(len(requests)) as pool:
        answers = list(pool.map(reader.solve, requests))
    return {(a.kind, a.channel, a.subdir) for a in answers if isinstance(a, Failure)}


@pytest.mark.parametrize("turn", range(5))
def test_all_that_wait_for_a_channel_that_is_gone_are_told_why(tmp_path: Path, turn: int) -> None:
    assert failures(tmp_path / str(turn), "http://127.0.0.1:9") == {
        ("network", "far", "linux-64"),
        ("network", "far", "linux-aarch64"),
    }


def test_all_that_wait_for_a_channel_that_is_none_are_told_so(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    with conda_server.serving(tmp_path / "world", {"*": conda_server.html}) as served:
        assert failures(tmp_path / "cache", served.url) == {
            ("data", "far", "linux-64"),
            ("data", "far", "linux-aarch64"),
        }
