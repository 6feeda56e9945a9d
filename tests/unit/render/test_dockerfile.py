import pytest

from envbuild.render.dockerfile import DockerfileError, parse


def read(text):
    return [(i.keyword, i.flags, i.arguments) for i in parse(text)]


def test_keywords_flags_and_arguments():
    text = "from  a:1   AS b\nRUN --mount=type=cache,target=/c --network=none pip  install x\n"
    assert read(text) == [
        ("FROM", (), "a:1   AS b"),
        ("RUN", ("--mount=type=cache,target=/c", "--network=none"), "pip  install x"),
    ]


def test_continuations_are_joined_and_numbered_by_their_first_line():
    found = parse("\nFROM a\nRUN one \\\n  two \\ \t\n three\nUSER x")
    assert [(i.line, i.arguments) for i in found] == [
        (2, "a"),
        (3, "one   two  three"),
        (6, "x"),
    ]


def test_comments_and_empty_lines_inside_an_instruction_do_not_end_it():
    text = "RUN a; \\\n# nothing \\\n\n   # indented\n    b\n"
    assert read(text) == [("RUN", (), "a;     b")]


def test_a_comment_that_ends_in_a_backslash_continues_nothing():
    assert read("# a \\\nFROM b\n  # c\nUSER d") == [("FROM", (), "b"), ("USER", (), "d")]


def test_two_backslashes_at_the_end_are_no_continuation():
    assert read("RUN a\\\\\nUSER b") == [("RUN", (), "a\\\\"), ("USER", (), "b")]


def test_a_hash_inside_a_line_is_text():
    assert read("ENV A=#b") == [("ENV", (), "A=#b")]


def test_flags_end_at_the_first_other_word():
    assert read("RUN --mount=a b --c") == [("RUN", ("--mount=a",), "b --c")]


def test_byte_order_mark_and_no_final_line_break():
    assert read("\ufeffFROM a") == [("FROM", (), "a")]


def test_a_directive_after_a_comment_is_a_comment():
    assert read("# hello\n# escape=`\nFROM a") == [("FROM", (), "a")]


@pytest.mark.parametrize(
    "text",
    [
        "RUN echo '<<EOF' \"<<EOF\" \\<<EOF",
        "RUN echo $((1<<4))",
        "RUN cat <<<word",
        "RUN a <<",
        "ENV A=<<EOF",
    ],
)
def test_what_only_looks_like_a_here_document(text):
    assert len(parse(text)) == 1


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("# escape=`\nFROM a", 1, "the parser directive 'escape' is not portable"),
        ("#Syntax = docker/dockerfile:1\nFROM a", 1, "'Syntax' is not portable"),
        ("# check=skip=all\n# escape=`\nFROM a", 2, "'escape' is not portable"),
        ("FROM a\nRUN cat <<EOF\nx\nEOF", 2, "the here-document '<<EOF' is not portable"),
        ("FROM a\nCOPY <<-'E F' /x\n", 2, "here-document"),
        ("RUN 3<<EOF", 1, "here-document"),
        ("FROM a\n\nBANG x", 3, "unknown instruction 'BANG'"),
        ("FROM a\nRUN", 2, "RUN without arguments"),
        ("FROM a\nRUN --mount=x", 2, "RUN without arguments"),
        ("FROM a\nRUN b \\\n# c\n", 2, "the file ends inside an instruction"),
        ("FROM a\nRUN b\x07", 2, r"U\+0007"),
        ("FROM a\nRUN b \\\n\n\x00", 4, r"U\+0000"),
        ("FROM a\r\nUSER b", 1, r"U\+000D"),
        ("COPY --from='a b' c d", 1, "a quote in the flag"),
    ],
)
def test_errors_carry_their_line(text, line, message):
    with pytest.raises(DockerfileError, match=message) as caught:
        parse(text)
    assert caught.value.line == line
