"""Templates that people write themselves, and what is said when one is wrong."""

import pytest

from envbuild.errors import InputError

from .conftest import locked, package, resolved, tree

USER = {"name": "dev", "uid": 1000, "create": True}
GOOD = """\
{% for one in images %}
ARG {{ one.argument }}={{ one.default }}
{% endfor %}
FROM ${BASE_IMAGE}
ENV{% for v in variables %} {{ v.name }}={{ v.value | docker_word }}{% endfor %} EXTRA=1
LABEL{% for l in labels %} {{ l.name }}={{ l.value | docker_word }}{% endfor %}

RUN echo {{ summary | sh }}
{% for file in files %}
COPY --chmod={{ file.mode }} {{ file.source }} {{ file.path }}
{% endfor %}
WORKDIR {{ workdir }}
USER {{ user.uid }}
ENTRYPOINT {{ entrypoint | exec_form }}
CMD {{ command | exec_form }}
"""


def profile(**changes):
    fields = {
        "env": {"A": 'it\'s a "$B" \\'},
        "user": USER,
        "files": [{"source": "run.sh", "path": "/run.sh"}],
        "entrypoint": ["a b", "$c"],
        "command": ["d"],
        "summary": "1; echo $(id) '2'",
    }
    return resolved(**fields | changes)


def attempt(text, templates, made=None, lock=None):
    lock = lock or locked(files=["files/run.sh"])
    return tree(made or profile(), lock, {**templates, "Dockerfile.j2": text})["Dockerfile"]


def test_a_template_of_ones_own_may_say_more(templates):
    text = attempt(GOOD, templates)
    assert 'ENV A="it\'s a \\"\\$B\\" \\\\" EXTRA=1\n' in text


def test_a_block_of_ours_can_be_replaced(templates):
    text = (
        '{% extends "dockerfile/main.j2" %}\n'
        "{% block files %}\n{{ super() }}\nRUN ldconfig\n{% endblock %}\n"
    )
    assert "\nRUN ldconfig\n" in attempt(text, templates)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("v.value | docker_word", "v.value", "a value changed how it parses|ENV: "),
        ("v.value | docker_word", "'\"' ~ v.value ~ '\"'", "ENV"),
        ("summary | sh", "summary", "a value reached RUN without its filter"),
        ("summary | sh", "'\"' ~ summary ~ '\"'", "a value reached RUN without its filter"),
        ("summary | sh", "summary | replace(';', '') | replace('(', '')", "a value reached RUN"),
        ("entrypoint | exec_form", "entrypoint | join(' ')", "a value reached ENTRYPOINT without"),
        ("command | exec_form", "command | join(' ')", "CMD is None; the profile says"),
        ("USER {{ user.uid }}", "USER root", "USER is 'root'; the profile says '1000'"),
        ("WORKDIR {{ workdir }}", "WORKDIR /x", "WORKDIR is '/x'; the profile says '/workspace'"),
        ("WORKDIR {{ workdir }}", "", "WORKDIR /workspace is missing"),
        ("{{ file.path }}", "/elsewhere", "COPY /run.sh is missing"),
        ("--chmod={{ file.mode }} ", "", "COPY /run.sh is"),
        ("EXTRA=1", "\nENV OLD form", "ENV: 'OLD' is not name=value"),
        ("WORKDIR {{ workdir }}", "WORKDIR ${X:-/x}", r"WORKDIR: \${X is followed by more"),
        ("WORKDIR {{ workdir }}", "WORKDIR '/x", "WORKDIR: the quote ' is not closed"),
        ("EXTRA=1", 'A="2"', "ENV A is '2'; the profile says"),
        ("{{ l.value | docker_word }}", "x", "LABEL .* is 'x'; the profile says"),
        ("FROM ${BASE_IMAGE}", "FROM other:1", "the last stage stands on other:1"),
        ("FROM ${BASE_IMAGE}", "FROM ${OTHER}", r"the last stage stands on \${OTHER}"),
        ("FROM ${BASE_IMAGE}\n", "", "it has no FROM|without|ENV"),
        ("{{ one.default }}", "other:1", "ARG BASE_IMAGE is other:1; the lock says registry"),
        ("ARG {{ one.argument }}={{ one.default }}", "", "ARG BASE_IMAGE is missing; the lock"),
        ("RUN echo", "BANG echo", "unknown instruction 'BANG'"),
        ("RUN echo", "RUN cat <<EOF", "here-document"),
        (
            "CMD {{ command",
            "{% if summary != 'x' ~ summary[1:] %}{% endif %}CMD {{ command[:0]",
            "CMD is",
        ),
    ],
)
def test_what_is_wrong_is_said(templates, old, new, message):
    assert old in GOOD
    with pytest.raises(InputError, match=message) as caught:
        attempt(GOOD.replace(old, new), templates)
    assert caught.value.message.startswith("templates/Dockerfile.j2 makes a wrong Dockerfile: ")
    assert "demo/Dockerfile, line " in caught.value.message


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{% if '$' in summary %}RUN x{% endif %}", "a value began the instruction RUN"),
        ("RUN {{ '--mount=type=cache,target=/a ' if '$' in summary }}x", "the flags of RUN"),
    ],
)
def test_a_value_that_changes_the_shape_is_found(templates, line, message):
    with pytest.raises(InputError, match=message):
        attempt(GOOD.replace("WORKDIR", f"{line}\nWORKDIR"), templates)


def test_a_value_that_adds_the_last_instruction_is_found(templates):
    with pytest.raises(InputError, match="a value added or removed the instruction EXPOSE"):
        attempt(GOOD + "{% if '$' in summary %}EXPOSE 1{% endif %}\n", templates)


def test_the_image_that_compiles_must_be_built_on(templates):
    base = {
        "image": "registry.example.com/sim:5.0",
        "build-image": "registry.example.com/devel:1",
        "distribution": "ubuntu-22.04",
    }
    python = {
        "version": "3.11",
        "source": "image",
        "interpreter": "/usr/bin/python3",
        "build-from-source": [{"package": "docopt", "reason": "r"}],
    }
    lock = locked(package("docopt==0.6.2", "source"), files=["files/run.sh"])
    with pytest.raises(InputError, match=r"FROM \${BUILD_IMAGE} is missing"):
        attempt(GOOD, templates, profile(base=base, python=python), lock)


def test_an_ignore_file_that_lets_in_more_is_refused(templates):
    with pytest.raises(InputError, match=r"dockerignore.j2: Dockerfile.dockerignore says !secret"):
        tree(
            profile(), locked(files=["files/run.sh"]), {**templates, "dockerignore.j2": "!secret\n"}
        )
