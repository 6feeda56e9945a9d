import pytest

from envbuild.errors import InputError
from envbuild.render.quoting import comment, docker_word, exec_form, shell_word


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("plain", "plain"),
        ("", "''"),
        ("a b", "'a b'"),
        ("$(id)", "'$(id)'"),
        ("it's", "'it'\"'\"'s'"),
        ("#x", "'#x'"),
    ],
)
def test_shell_word(value, word):
    assert shell_word(value) == word


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("", '""'),
        ("plain", '"plain"'),
        ('say "hi"', r'"say \"hi\""'),
        ("$HOME", r'"\$HOME"'),
        ("C:\\", r'"C:\\"'),
        ("it's # no comment", '"it\'s # no comment"'),
        ("größe", '"größe"'),
    ],
)
def test_docker_word(value, word):
    assert docker_word(value) == word


def test_exec_form_is_json():
    assert exec_form(("a b", 'c"d', "ü")) == '["a b", "c\\"d", "ü"]'


def test_a_long_exec_form_has_a_word_a_line():
    """A builder with a buffer of 64 KiB a line refuses 64 words of 4 KiB on one."""
    text = exec_form(["x" * 4096] * 64)
    assert max(map(len, text.split("\n"))) < 5000
    assert text.split("\n")[0] == "[ \\"
    assert text.split("\n")[-1] == "]"


@pytest.mark.parametrize("refuse", [shell_word, docker_word, comment, lambda v: exec_form([v])])
@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("a\nRUN id", "U+000A"),
        ("a\rb", "U+000D"),
        ("a\x00", "U+0000"),
        ("a\u2028b", "U+2028"),
        ("\udc80", "U+DC80"),
    ],
)
def test_what_no_line_can_carry_is_refused(refuse, value, name):
    with pytest.raises(InputError, match=name.replace("+", r"\+")):
        refuse(value)


def test_a_comment_keeps_its_text():
    assert comment("100 % $x") == "100 % $x"
