"""A template of ``templates/ci`` and its values to text.

The marks of a template are ``<{ value }>``, ``<% statement %>`` and ``<# comment #>``: what GitHub
writes as ``${{ … }}``, and a shell as ``[[ … ]]``, goes through as it stands.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping

from envbuild.errors import InputError, Mark, Problem

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]|\$\{\{")
"""What no value may hold: the end of a line, and the beginning of an expression of GitHub."""


def one_line(value: str) -> str:
    """The value, when it can stand on a line and begins nothing there.

    Raises:
        InputError: a control character, or ``${{``.
    """
    found = _UNSAFE.search(value)
    if found:
        raise InputError(f"{value[:60]!r} holds {found[0]!r}, which a forge would take for its own")
    return value


def shell_word(value: str) -> str:
    """One word of a shell.

    Raises:
        InputError: see :func:`one_line`.
    """
    return shlex.quote(one_line(value))


def yaml_word(value: str) -> str:
    """A string of YAML in double quotes, which is one of JSON too.

    Raises:
        InputError: see :func:`one_line`.
    """
    return json.dumps(one_line(value), ensure_ascii=False)


def yaml_list(values: tuple[str, ...]) -> str:
    """A list of strings on one line.

    Raises:
        InputError: see :func:`one_line`.
    """
    return f"[{', '.join(yaml_word(value) for value in values)}]"


def fill(templates: Mapping[str, str], name: str, values: Mapping[str, object]) -> str:
    """The text that a template makes of values. ``templates`` by their path in ``templates/``.

    Raises:
        InputError: the template is missing, does not parse, or names a value that there is not.
    """
    from jinja2 import FunctionLoader, StrictUndefined, TemplateError  # 69 ms
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(templates.get),
        undefined=StrictUndefined,
        autoescape=False,  # no HTML: every value goes through a filter
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        variable_start_string="<{",
        variable_end_string="}>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    environment.filters.update(sh=shell_word, yaml=yaml_word, yaml_list=yaml_list, line=one_line)
    try:
        return environment.get_template(name).render(values)
    except TemplateError as error:
        file = f"templates/{getattr(error, 'name', None) or name}"
        message = str(error) or type(error).__name__
        mark = Mark(file=file, line=getattr(error, "lineno", None) or 1, column=1)
        hint = "see what the shipped template says at this place"
        problem = Problem(message=message, mark=mark, hint=hint)
        raise InputError(f"{file}: {message}", hint=hint, problems=(problem,)) from None
