"""The plugin that makes items of the checks of images. A team's own tests take it with
``-p envbuild.smoke.pytest_plugin``, or in the conftest.py of their root:
``pytest_plugins = ["envbuild.smoke.pytest_plugin"]``."""

from __future__ import annotations

from envbuild.smoke.pytest_plugin import (  # noqa: F401 (pytest finds them by their names)
    in_image,
    pytest_addoption,
    pytest_generate_tests,
    smoke_check,
)
