import pytest

from envbuild.errors import InputError
from envbuild.render.assemble import assemble
from envbuild.render.templates import fill

from .conftest import locked, resolved


@pytest.fixture
def context():
    return assemble(
        resolved().variants[0], locked(), inputs=(), dockerfile="Dockerfile", templates=""
    )


def test_a_template_sees_the_fields_of_the_context(context):
    assert fill({"a.j2": "{{ profile }} {{ variant }}\n"}, "a.j2", context) == (
        "demo linux-amd64-cu128\n"
    )


def test_the_same_templates_are_compiled_once_and_others_anew(context):
    assert fill({"a.j2": "1"}, "a.j2", context) == "1"
    assert fill({"a.j2": "2"}, "a.j2", context) == "2"


@pytest.mark.parametrize(
    ("templates", "message"),
    [
        ({"a.j2": "x\n{{ profil }}"}, "templates/a.j2:2: 'profil' is undefined"),
        ({"a.j2": "\n\n{% if %}"}, "templates/a.j2:3: Expected an expression"),
        ({"a.j2": "{{ user.nam }}"}, "templates/a.j2:1: 'None' has no attribute 'nam'"),
        (
            {"a.j2": "{% include 'b.j2' %}", "b.j2": "\n{{ nothing }}"},
            "templates/b.j2:2: 'nothing' is undefined",
        ),
        (
            {
                "a.j2": "\n{% import 'b.j2' as b %}\n{{ b.f() }}",
                "b.j2": "{% macro f() %}\n{{ z }}{% endmacro %}",
            },
            "templates/b.j2:2: 'z' is undefined",
        ),
        (
            {"a.j2": "{% extends 'gone.j2' %}"},
            "templates/a.j2: the template gone.j2 does not exist",
        ),
        ({}, "templates/a.j2: the template a.j2 does not exist"),
        (
            {"a.j2": "\n{{ profile.__class__ }}"},
            "templates/a.j2:2: access to attribute '__class__'",
        ),
        ({"a.j2": "\n{{ 1 // 0 }}"}, "templates/a.j2:2: integer division or modulo by zero"),
        ({"a.j2": "{{ profile | nope }}"}, "templates/a.j2:1: No filter named 'nope'"),
    ],
)
def test_errors_name_the_template_and_the_line(context, templates, message):
    with pytest.raises(InputError) as caught:
        fill(templates, "a.j2", context)
    assert caught.value.message.startswith(message)
    assert caught.value.hint


def test_a_wrong_name_is_answered_with_the_right_ones(context):
    with pytest.raises(InputError) as caught:
        fill({"a.j2": "{{ entry_point }}"}, "a.j2", context)
    assert caught.value.hint.startswith("did you mean entrypoint? a template may use: accept_eula,")
    assert caught.value.problems[0].mark.line == 1


def test_a_template_that_extends_itself_is_refused(context):
    with pytest.raises(InputError, match=r"templates/Dockerfile.j2 extends or includes itself"):
        fill({"Dockerfile.j2": '{% extends "Dockerfile.j2" %}'}, "Dockerfile.j2", context)


ROOT = "{% block top %}{% block inner %}{% endblock %}{% endblock %}"


@pytest.mark.parametrize(
    ("child", "said"),
    [
        (
            "{% extends 'root.j2' %}\n\n{% block tpo %}{% endblock %}",
            [("a.j2:3:1", "tpo", "did you mean top? blocks: inner, top")],
        ),
        (
            "{% extends 'root.j2' %}{% if 1 %}\n{% block x %}{% endblock %}{% endif %}\n{% block yyy %}{% endblock %}",
            [("a.j2:2:1", "x", "blocks: inner, top"), ("a.j2:3:1", "yyy", "blocks: inner, top")],
        ),
        (
            "{% extends 'middle.j2' %}{% block mddle %}{% endblock %}{% block inner %}{% endblock %}",
            [("a.j2:1:1", "mddle", "did you mean middle? blocks: inner, middle, top")],
        ),
        ("{% extends 'wrong.j2' %}", [("wrong.j2:2:1", "nope", "blocks: inner, top")]),
    ],
)
def test_a_block_that_overrides_nothing_is_named(context, child, said):
    templates = {
        "a.j2": child,
        "root.j2": ROOT,
        "middle.j2": "{% extends 'root.j2' %}{% block top %}{% block middle %}{% endblock %}{% endblock %}",
        "wrong.j2": "{% extends 'root.j2' %}\n{% block nope %}{% endblock %}",
    }
    with pytest.raises(InputError) as caught:
        fill(templates, "a.j2", context)
    assert [(str(problem.mark), problem.hint) for problem in caught.value.problems] == [
        (f"templates/{place}", hint) for place, _, hint in said
    ]
    for problem, (_, block, _) in zip(caught.value.problems, said, strict=True):
        assert problem.message.startswith(f"the block {block!r} overrides nothing")


@pytest.mark.parametrize(
    "child",
    [
        "{% extends 'root.j2' %}{% block top %}{% block new %}1{% endblock %}{% endblock %}",
        "{% block anything %}1{% endblock %}",
        "{% set n = 'root.j2' %}{% extends n %}{% block no %}{% endblock %}{% block top %}1{% endblock %}",
        "{# extends #}{% block anything %}1{% endblock %}",
    ],
)
def test_blocks_that_are_new_where_they_stand_are_filled(context, child):
    assert fill({"a.j2": child, "root.j2": ROOT}, "a.j2", context) == "1"
