"""Plain values of every kind, the paths in them, and YAML that our rules read as they are."""

import string

import yaml
from hypothesis import strategies as st


def paths(value, path=()):
    yield path
    parts = value.items() if isinstance(value, dict) else ()
    parts = enumerate(value) if isinstance(value, list) else parts
    for step, part in parts:
        yield from paths(part, (*path, step))


PLAIN = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**17), 10**17),
        st.text(
            st.characters(
                codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff"
            )
        ),
        st.sampled_from(
            ["3.10", "on", "no", "~", "", "true", "0", "-7", "007", " a ", "a: b", "#"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(string.ascii_letters, min_size=1), inner, max_size=4),
    ),
    max_leaves=20,
)


class Quoting(yaml.SafeDumper):
    """Writes what our rules take for text in a way that they read as text."""


def _quoted(dumper, value):
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"')


Quoting.add_representer(str, _quoted)
Quoting.ignore_aliases = lambda self, data: True
