"""``pytest tests/golden --update-golden`` writes the expected trees anew; look at the diff."""

import pytest


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write the expected files anew")


@pytest.fixture
def update_golden(request):
    # The option is known only when this folder is named on the command line.
    return request.config.getoption("--update-golden", default=False)
