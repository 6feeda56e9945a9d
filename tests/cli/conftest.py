"""``pytest tests/cli --update-cases`` writes what the commands of the cases answer; look at the diff."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-cases", action="store_true", help="write the cases' answers anew")


@pytest.fixture
def update_cases(request: pytest.FixtureRequest) -> bool:
    # The option is known only when this folder is named on the command line.
    return bool(request.config.getoption("--update-cases", default=False))
