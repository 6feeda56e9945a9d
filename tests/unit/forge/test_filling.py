"""Values that reach a workflow, and templates that are wrong."""

from __future__ import annotations

import pytest

from envbuild.errors import InputError
from envbuild.forge import filling


def test_what_is_githubs_or_a_shells_goes_through() -> None:
    text = "a: ${{ matrix.x }}\nrun: if [[ -n $(id) ]]; then echo ${#a[@]}; fi # <{ v | sh }>\n"
    assert filling.fill({"t": text}, "t", {"v": "it's"}) == text.replace(
        "<{ v | sh }>", "'it'\"'\"'s'"
    )


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "${{ x }}", "\x1b[1m", "\u2028"])
@pytest.mark.parametrize("filter_", ["sh", "yaml", "line"])
def test_no_value_begins_a_line_or_an_expression(value: str, filter_: str) -> None:
    with pytest.raises(InputError, match="would take for its own"):
        filling.fill({"t": f"<{{ v | {filter_} }}>"}, "t", {"v": value})


def test_yaml_words_are_strings_whatever_they_say() -> None:
    text = filling.fill(
        {"t": "[<{ v | yaml }>, <{ l | yaml_list }>]"}, "t", {"v": 'no"', "l": ("a", "1")}
    )
    assert text == '["no\\"", ["a", "1"]]'


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("<{ nothing }>", "'nothing' is undefined"),
        ("<% if %>", "Expected an expression"),
        ("<% include 'x' %>", "x"),
    ],
)
def test_a_wrong_template_is_named(template: str, said: str) -> None:
    with pytest.raises(InputError, match="templates/") as error:
        filling.fill({"ci/t.j2": template}, "ci/t.j2", {})
    assert said in error.value.message
