"""Every check of every image that was built here, or that is named; one container an image.

pytest tests/smoke --smoke-profile isaaclab [--smoke-image REF]
"""

from __future__ import annotations

from envbuild.smoke.pytest_plugin import Check


def test_what_the_profile_promises(smoke_check: Check) -> None:
    smoke_check.require()
