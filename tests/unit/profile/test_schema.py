"""The schema for editors: committed as made, as wide as a file may be and no wider."""

import json
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator

from envbuild.profile.model import Environment
from envbuild.profile.reader import read
from envbuild.profile.schema import profile_schema, prose

from .samples import BASE

ROOT = Path(__file__).parents[3]
COMMITTED = ROOT / "docs" / "reference" / "profile.schema.json"
HEAD = "schema: 1\nname: a\n"


def errors(text):
    return [
        error.json_path
        for error in Draft202012Validator(profile_schema()).iter_errors(read(text, "f").value)
    ]


def test_the_committed_file_is_what_envbuild_schema_prints():
    assert COMMITTED.read_text() == json.dumps(profile_schema(), indent=2) + "\n"


def test_it_is_a_schema():
    Draft202012Validator.check_schema(profile_schema())


@pytest.mark.parametrize(
    "path", sorted((ROOT / "envs").rglob("*.yaml")), ids=lambda path: path.stem
)
def test_shipped_profiles_fit(path):
    assert errors(path.read_text()) == []


@pytest.mark.parametrize(
    "text",
    [
        BASE,
        HEAD,
        HEAD + "extends: b\npython: {version: null, requirements: {append: [x]}}\n",
        HEAD + "base: {digest: null}\napt: null\nconda: {virtual-packages: {__cuda: null}}\n",
        HEAD + "env: {A: null, B: b}\nhardware: {driver: {min: null}}\nuser: {uid: 1}\n",
        HEAD + "variants: {linux-amd64-cpu: null, linux-arm64-cu130: {git: {append: []}}}\n",
    ],
)
def test_what_a_file_may_leave_out_or_take_away(text):
    assert errors(text) == []


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("schema: 1\n", ["$"]),
        ("name: a\n", ["$"]),
        ("schema: 2\nname: null\n", ["$.schema", "$.name"]),
        (HEAD + "pyhton: {}\n", ["$"]),
        (HEAD + "python: {build_constraints: []}\n", ["$.python"]),
        (HEAD + "apt: {append: x}\n", ["$.apt"]),
        (HEAD + "apt: {append: [x], add: [y]}\n", ["$.apt"]),
        (HEAD + "git: [{name: a}]\n", ["$.git"]),
        (HEAD + "smoke: [{name: a, imports: [], timeout: null}]\n", ["$.smoke"]),
        (HEAD + "env: {1A: x}\n", ["$.env"]),
        (HEAD + "variants: {linux: {}}\n", ["$.variants"]),
        (HEAD + "variants: {linux-amd64-cpu: {name: b}}\n", ["$.variants['linux-amd64-cpu']"]),
        (HEAD + "variants: {linux-amd64-cpu: {extends: b}}\n", ["$.variants['linux-amd64-cpu']"]),
        (HEAD + "variants: {linux-amd64-cpu: {variants: {}}}\n", ["$.variants['linux-amd64-cpu']"]),
    ],
)
def test_what_is_wrong_in_any_file(text, paths):
    assert errors(text) == paths


def test_every_key_of_an_environment_is_there():
    names = {field.encode_name for field in msgspec.structs.fields(Environment)}
    schema = profile_schema()
    assert set(schema["properties"]) == names | {"extends", "variants"}
    assert set(schema["$defs"]["Variant"]["properties"]) == names - {"schema", "name"}


def test_descriptions_are_the_docstrings_with_the_names_of_files():
    assert (
        prose("One.\n\n    ``no_deps`` and\n    ``prefix``.") == "One.\n\n`no-deps` and\n`prefix`."
    )
    base = profile_schema()["$defs"]["Base"]["description"]
    assert base.startswith("The base image.\n\n`provides` names bundles")
