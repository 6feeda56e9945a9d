"""Templates and a context to text. Every template error says which template and which line."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.errors import InputError, Mark, Problem
from envbuild.render import blocks
from envbuild.render.context import Context
from envbuild.render.quoting import FILTERS

if TYPE_CHECKING:
    from types import TracebackType

    from jinja2.sandbox import ImmutableSandboxedEnvironment

DOCKERFILE = "Dockerfile.j2"
DOCKERIGNORE = "dockerignore.j2"

_VARIABLES = (*Context.__struct_fields__, "fetched", "installs", "locked_in_base")


def fill(templates: Mapping[str, str], name: str, context: Context) -> str:
    """The text that the template ``name`` makes of a context.

    ``templates`` are texts by their path below ``templates/``; a template includes and extends
    only these.

    Raises:
        InputError: a template is missing, does not parse, overrides a block that there is not, or
            names what the context has not.
    """
    from jinja2 import TemplateError  # 69 ms

    texts = tuple(sorted(templates.items()))
    environment = _environment(texts)
    variables = {field: getattr(context, field) for field in _VARIABLES}
    try:
        _refuse_unknown_blocks(texts, name)
        return environment.get_template(name).render(variables)
    except TemplateError as error:
        raise _failure(error, name) from None
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise _failure(error, name) from None
    except RecursionError:
        raise InputError(
            f"templates/{name} extends or includes itself", hint="extend dockerfile/main.j2"
        ) from None


@functools.lru_cache(maxsize=2)
def _environment(templates: tuple[tuple[str, str], ...]) -> ImmutableSandboxedEnvironment:
    """One environment for a set of templates, so that many profiles compile them once."""
    from jinja2 import FunctionLoader, StrictUndefined  # 69 ms
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        def getattr(self, obj: object, attribute: str) -> object:
            # Nearly every attribute is a field of the context, and those are values: the sandbox
            # looks for methods, which takes ten times as long.
            if isinstance(obj, Struct) and attribute in obj.__struct_fields__:
                return getattr(obj, attribute)
            return super().getattr(obj, attribute)

    texts = dict(templates)
    environment = Sandbox(
        # The name as file name, so that a traceback has lines of the template.
        loader=FunctionLoader(lambda name: (texts[name], name, None) if name in texts else None),
        undefined=StrictUndefined,
        # No HTML: every value goes through a filter of quoting.py.
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        newline_sequence="\n",
    )
    environment.filters.update(FILTERS)
    return environment


@functools.lru_cache(maxsize=4)
def _refuse_unknown_blocks(templates: tuple[tuple[str, str], ...], name: str) -> None:
    wrong = blocks.unknown(_environment(templates), name)
    if wrong:
        raise InputError(f"{wrong[0]}", hint=wrong[0].hint, problems=wrong)


def _failure(error: Exception, name: str) -> InputError:
    from jinja2 import (
        TemplateNotFound,
        TemplateSyntaxError,
        UndefinedError,
    )

    message = str(error) or type(error).__name__
    if isinstance(error, TemplateNotFound):
        return InputError(
            f"templates/{name}: the template {message} does not exist",
            hint="put it under templates/, or remove your own templates/ to use the shipped ones",
        )
    if isinstance(error, TemplateSyntaxError):
        where, line, hint = error.name or name, error.lineno, "correct the template's syntax"
    else:
        where, line = _place(error.__traceback__, name)
        hint = "see what the shipped template says at this place"
        if isinstance(error, UndefinedError):
            hint = _undefined(message)
    mark = Mark(file=f"templates/{where}", line=line, column=1)
    return InputError(
        f"{mark.file}:{mark.line}: {message}",
        hint=hint,
        problems=(Problem(message=message, mark=mark, hint=hint),),
    )


def _undefined(message: str) -> str:
    """What may have been meant: jinja2 says ``'fils' is undefined``."""
    name = message.partition("'")[2].partition("'")[0]
    near = difflib.get_close_matches(name, _VARIABLES, n=1)
    known = f"a template may use: {', '.join(sorted(_VARIABLES))}"
    return f"did you mean {near[0]}? {known}" if near else known


def _place(traceback: TracebackType | None, name: str) -> tuple[str, int]:
    """The innermost frame that is a template's: jinja2 gives these the lines of the template."""
    found = (name, 1)
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file.endswith(".j2"):
            found = (file, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found
