import pytest

from envbuild.render.words import cut, exec_form, pairs, shell_tokens, unquote


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b\t c", ("a", "b", "c")),
        ("A='b c' D=\"e f\"", ("A='b c'", 'D="e f"')),
        (r'A="b\" c" D', (r'A="b\" c"', "D")),
        (r"A=b\ c D", (r"A=b\ c", "D")),
        (r"A='b\' C", (r"A='b\'", "C")),
        ("", ()),
    ],
)
def test_cut(text, words):
    assert cut(text) == words


def test_cut_wants_quotes_closed():
    with pytest.raises(ValueError, match="the quote ' is not closed"):
        cut("a 'b")


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ('"a b"', "a b"),
        ("'a $B \\'", "a $B \\"),
        (r'"\$B \" \\ \n"', r'$B " \ \n'),
        (r"a\ b\$c", "a b$c"),
        ("$B:${B}", "x:x"),
        ('"$B$"', "x$"),
        ("$missing.", "."),
        ('"it\'s"', "it's"),
        ("a'b'\"c\"", "abc"),
        ('"end\\"', None),
        ("'end", None),
        ("${B:-y}", None),
        ("${", None),
    ],
)
def test_unquote(word, value):
    if value is None:
        with pytest.raises(ValueError, match=r"not closed|unfinished|more than a name"):
            unquote(word, {"B": "x"})
    else:
        assert unquote(word, {"B": "x"}) == value


def test_pairs():
    assert pairs("A=\"b c\" D='e' F=", {}) == (("A", "b c"), ("D", "e"), ("F", ""))


@pytest.mark.parametrize("text", ["A b", "=b"])
def test_the_old_form_of_env_is_refused(text):
    with pytest.raises(ValueError, match="is not name=value"):
        pairs(text, {})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('["a", "b c"]', ("a", "b c")),
        ("[]", ()),
        ("echo a", None),
        ("['a']", None),
        ("[1]", None),
        ('"a"', None),
    ],
)
def test_exec_form(text, found):
    assert exec_form(text) == found


@pytest.mark.parametrize(
    ("command", "tokens"),
    [
        ("a 'b c' \"d e\"", [("a", ""), ("b c", ""), ("d e", "")]),
        (
            "a;b && c|d",
            [("a", ""), ("", ";"), ("b", ""), ("", "&&"), ("c", ""), ("", "|"), ("d", "")],
        ),
        ("a>b", [("a", ""), ("", ">"), ("b", "")]),
        ("$(id)", [("$", "$"), ("", "("), ("id", ""), ("", ")")]),
        ("'$(id)'", [("$(id)", "")]),
        ('"$(id)`x`"', [("$(id)`x`", "$``")]),
        (r'"\$A \\$B \x"', [(r"$A \$B \x", "$")]),
        (r"a\;b\*", [("a;b*", "")]),
        ("~/*.{a,b}", [("~/*.{a,b}", "~*{}")]),
        ("'it'\"'\"'s'", [("it's", "")]),
    ],
)
def test_shell_tokens(command, tokens):
    assert list(shell_tokens(command)) == tokens


def test_shell_tokens_want_quotes_closed():
    with pytest.raises(ValueError, match='a quote is not closed at "\'b"'):
        shell_tokens("a 'b")
