"""RFC 8259 to the letter, each problem at its line and column."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantproof.errors import InputError, Place, Problem
from tenantproof.policy.json_reader import (
    JsonArray,
    JsonBool,
    JsonNode,
    JsonNull,
    JsonNumber,
    JsonObject,
    JsonString,
    read_json,
)


def problems(text: str | bytes, *, lenient: bool = False) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as refused:
        read_json(text, "a.json", lenient=lenient)
    return refused.value.problems


def only_problem(text: str | bytes, *, lenient: bool = False) -> Problem:
    (problem,) = problems(text, lenient=lenient)
    return problem


def position(problem: Problem) -> tuple[int, int]:
    return problem.place.line, problem.place.column


def plain(node: JsonNode) -> object:
    """The node as Python's own parser would give it."""
    match node:
        case JsonObject(members):
            return {key.value: plain(value) for key, value in members}
        case JsonArray(items):
            return [plain(item) for item in items]
        case JsonNumber(text):
            return json.loads(text)
        case JsonNull():
            return None
        case JsonString(value) | JsonBool(value):
            return value


# -- what is JSON ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "true",
        "false",
        '""',
        "[]",
        "{}",
        " \t\r\n [ 1 , -0 , 2.50 , 1e5 , -1.5E-3 ] \n",
        '{"a": {"b": [{"c": null}]}, "": 0}',
        r'"\"\\\/\b\f\n\r\tA"',
        r'"\ud83d\ude00"',
        '"é😀\u2028"',
    ],
)
def test_json_is_read_as_the_standard_library_reads_it(text: str) -> None:
    assert plain(read_json(text, "a.json")) == json.loads(text)
    assert plain(read_json(text.encode(), "a.json", lenient=True)) == json.loads(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(json_values, st.sampled_from([None, 1]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_what_json_writes_is_read_back(value: object, indent: int | None, ascii_: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_)
    assert plain(read_json(text, "a.json")) == value


@pytest.mark.parametrize("text", ["1.10", "1e400", "-0", "12345678901234567890.5"])
def test_a_number_stays_as_it_was_written(text: str) -> None:
    number = read_json(text, "a.json")
    assert isinstance(number, JsonNumber)
    assert number.text == text


# -- places ------------------------------------------------------------------------------------


def test_every_value_knows_its_place() -> None:
    text = '{"a": [10,\n  "é",\n  {"b-c": true}]}'
    root = read_json(text, "a.json")
    assert isinstance(root, JsonObject)
    ((key, items),) = root.members
    assert isinstance(items, JsonArray)
    ten, letter, inner = items.items
    assert isinstance(inner, JsonObject)
    ((inner_key, truth),) = inner.members
    assert [str(node.place) for node in (root, key, items, ten, letter, inner_key, truth)] == [
        "a.json:1:1: $",
        "a.json:1:2: $.a",
        "a.json:1:7: $.a",
        "a.json:1:8: $.a[0]",
        "a.json:2:3: $.a[1]",
        'a.json:3:4: $.a[2]["b-c"]',
        'a.json:3:11: $.a[2]["b-c"]',
    ]


def test_columns_count_characters_not_bytes() -> None:
    assert position(only_problem('{"é😀": x}'.encode())) == (1, 8)


def test_a_document_inside_a_file_counts_the_lines_of_the_file() -> None:
    with pytest.raises(InputError) as refused:
        read_json("[\n?]", "cases.jsonl", first_line=7)
    assert position(refused.value.problems[0]) == (8, 1)


def nodes(root: JsonNode) -> Iterator[JsonNode]:
    yield root
    match root:
        case JsonObject(members):
            for key, value in members:
                yield key
                yield from nodes(value)
        case JsonArray(items):
            for item in items:
                yield from nodes(item)


@given(json_values, st.sampled_from([None, 1]), st.booleans(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_both_readers_agree_on_where_nodes_are(
    value: object, indent: int | None, ascii_: bool, inner: bool
) -> None:
    """A comment has the slow reader read; without one a place is found out when it is asked for."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_)
    within = Place("outer.json", "$.Policy", 3, 4) if inner else None
    fast = read_json(f"    {text}", "a.json", first_line=2, within=within)
    slow = read_json(f"/**/{text}", "a.json", first_line=2, within=within, lenient=True)
    assert plain(fast) == plain(slow)
    assert [node.place for node in nodes(fast)] == [node.place for node in nodes(slow)]


def test_a_place_is_a_value() -> None:
    root = read_json('{"a": [1]}', "a.json")
    assert isinstance(root, JsonObject)
    place = root.members[0][1].place
    same = Place("a.json", "$.a", 1, 7)
    assert place == same
    assert hash(place) == hash(same)
    assert repr(place) == repr(same)
    assert pickle.loads(pickle.dumps(place)) == same
    assert place != Place("a.json", "$.a", 1, 8)
    assert place != "a.json"


# -- what is not JSON --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "column", "found"),
    [
        ("", 1, 1, "the end of the text"),
        ("  \n ", 2, 2, "the end of the text"),
        ("[NaN]", 1, 2, '"NaN"'),
        ("-Infinity", 1, 1, '"-Infinity"'),
        ("01", 1, 1, '"01"'),
        ("+1", 1, 1, '"+1"'),
        ("[.5]", 1, 2, '".5"'),
        ("[1.]", 1, 2, '"1."'),
        ("0x10", 1, 1, '"0x10"'),
        ("True", 1, 1, '"True"'),
        ("truely", 1, 1, '"truely"'),
        ("{a: 1}", 1, 2, '"a"'),
        ("{'a': 1}", 1, 2, '"\'"'),
        ("{1: 1}", 1, 2, '"1"'),
        ('{"a" 1}', 1, 6, '"1"'),
        ('{"a": 1 "b": 2}', 1, 9, '"\\""'),
        ("[1 2]", 1, 4, '"2"'),
        ("[1}", 1, 3, '"}"'),
        ("[,]", 1, 2, '","'),
        ("{} {}", 1, 4, '"{"'),
        ("[1]\n]", 2, 1, '"]"'),
        ("\u00a0[]", 1, 1, ""),  # a no-break space is no white space of RFC 8259
    ],
)
@pytest.mark.parametrize("lenient", [False, True], ids=["strict", "lenient"])
def test_not_json_in_either_mode(
    text: str, line: int, column: int, found: str, lenient: bool
) -> None:
    problem = only_problem(text, lenient=lenient)
    assert position(problem) == (line, column)
    assert problem.message.startswith(f"found {found}")
    assert "expected" in problem.message
    assert problem.hint is None


@pytest.mark.parametrize(
    "text",
    ["{", '{"a"', '{"a":', '{"a": 1', '{"a": 1,', "[", "[1", "[1,", '{"a": [{"b": ['],
)
@pytest.mark.parametrize("lenient", [False, True], ids=["strict", "lenient"])
def test_truncated_text_is_refused_where_it_ends(text: str, lenient: bool) -> None:
    problem = only_problem(text, lenient=lenient)
    assert position(problem) == (1, len(text) + 1)
    assert problem.message.startswith("found the end of the text, expected")


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_proper_beginning_of_an_object_is_json(data: st.DataObject) -> None:
    text = json.dumps({"a": data.draw(json_values), "b": [1, {"c": "d"}]})
    cut = data.draw(st.integers(0, len(text) - 1))
    assert len(problems(text[:cut], lenient=data.draw(st.booleans()))) == 1


@pytest.mark.parametrize(
    ("text", "column"),
    [
        pytest.param('["a\tb"]', 4, id="a tab must be escaped"),
        pytest.param('["a\nb"]', 4, id="a line feed must be escaped"),
        pytest.param('["a\x00b"]', 4, id="NUL must be escaped"),
        pytest.param('["a\x1fb"]', 4, id="U+001F must be escaped"),
        pytest.param('["abc]', 2, id="no closing quote"),
        pytest.param(r'["\x41"]', 3, id="no such escape"),
        pytest.param(r'["\u12"]', 4, id="four hexadecimal digits"),
        pytest.param(r'["\ud800"]', 2, id="high surrogate alone"),
        pytest.param(r'["\udc00x"]', 2, id="low surrogate alone"),
        pytest.param(r'["\ude00\ud83d"]', 2, id="surrogates the wrong way round"),
    ],
)
@pytest.mark.parametrize("lenient", [False, True], ids=["strict", "lenient"])
def test_bad_strings(text: str, column: int, lenient: bool) -> None:
    problem = only_problem(text, lenient=lenient)
    assert position(problem) == (1, column)
    assert problem.place.path == "$[0]"
    assert "expected" in problem.message


@pytest.mark.parametrize("text", [r'{"\ud800": 1}', '{"a\tb": 1}'])
def test_names_are_strings_under_the_same_rules(text: str) -> None:
    assert position(only_problem(text))[0] == 1


@pytest.mark.parametrize(
    ("data", "line", "column", "byte"),
    [
        pytest.param(b"\xff\xfe[\x00]\x00", 1, 1, "0xff", id="UTF-16"),
        pytest.param(b'["\xe9"]', 1, 3, "0xe9", id="Latin-1"),
        pytest.param(b'["\xc3\xa9",\n "\x80"]', 2, 3, "0x80", id="a continuation byte alone"),
        pytest.param(b'["\xed\xa0\x80"]', 1, 3, "0xed", id="an encoded surrogate"),
        pytest.param(b'["\xc0\xaf"]', 1, 3, "0xc0", id="an overlong form"),
        pytest.param(b'["a\xe2\x82', 1, 4, "0xe2", id="cut inside a character"),
    ],
)
def test_bytes_must_be_utf8(data: bytes, line: int, column: int, byte: str) -> None:
    problem = only_problem(data, lenient=True)
    assert position(problem) == (line, column)
    assert problem.message == f"found the byte {byte}, expected text in UTF-8"


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_nesting_has_a_limit(opening: str) -> None:
    closing = {"[": "]"}.get(opening, "}")
    assert read_json(opening * 60 + "0" + closing * 60, "a.json")
    for levels in (100, 100_000):
        problem = only_problem(opening * levels)
        assert problem.message == "expected at most 64 levels of nesting"


# -- duplicate keys ----------------------------------------------------------------------------


@pytest.mark.parametrize("lenient", [False, True], ids=["strict", "lenient"])
def test_a_key_twice_is_a_problem_in_either_mode(lenient: bool) -> None:
    """'Individual elements must not contain multiple instances of the same key.'"""
    problem = only_problem('{"a": 1,\n "b": {"c": 1},\n "a": 1}', lenient=lenient)
    assert str(problem) == (
        'a.json:3:2: $.a: found the key "a" a second time, expected each key once'
        " (the first is on line 1)"
    )


def test_repetitions_name_the_line_of_the_first() -> None:
    found = problems('{"a": 1,\n"a": 2,\n"a": 3}')
    assert [problem.place.line for problem in found] == [2, 3]
    assert all("the first is on line 1" in problem.message for problem in found)


def test_every_repetition_is_reported_at_any_depth() -> None:
    found = problems('[{"a": 1, "a": 2, "a": 3}, {"b": {"c": 1, "c": 2}}]')
    assert [(p.place.path, p.place.column) for p in found] == [
        ("$[0].a", 11),
        ("$[0].a", 19),
        ("$[1].b.c", 43),
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"a": 1, "A": 2}', id="names differ by case"),
        pytest.param('{"a": {"a": {"a": 1}}}', id="one inside the other"),
        pytest.param('[{"a": 1}, {"a": 1}]', id="in two objects"),
    ],
)
def test_no_duplicates(text: str) -> None:
    assert plain(read_json(text, "a.json")) == json.loads(text)


def test_an_escape_writes_the_same_key() -> None:
    assert '"a"' in only_problem('{"a": 1, "\\u0061": 2}').message


# -- comments, trailing commas, byte order mark ------------------------------------------------

PASTED = [
    pytest.param("[1] // the end", [1], [(1, 5)], id="comment after the document"),
    pytest.param("// first\n[1]", [1], [(1, 1)], id="comment before the document"),
    pytest.param("[/* a\n * b */1]", [1], [(1, 2)], id="comment over two lines"),
    pytest.param('{"a" /*x*/ : /*y*/ 1}', {"a": 1}, [(1, 6), (1, 14)], id="around a colon"),
    pytest.param("[1 //x\n, //y\n 2]", [1, 2], [(1, 4), (2, 3)], id="around a comma"),
    pytest.param("[/**//**/]", [], [(1, 2), (1, 6)], id="comment after comment"),
    pytest.param("[1,]", [1], [(1, 3)], id="trailing comma in a list"),
    pytest.param('{"a": 1 ,\n}', {"a": 1}, [(1, 9)], id="trailing comma in an object"),
    pytest.param("[[1,],]", [[1]], [(1, 4), (1, 6)], id="trailing commas at two levels"),
    pytest.param("[1, // x\n]", [1], [(1, 5), (1, 3)], id="comment behind a trailing comma"),
]


@pytest.mark.parametrize(("text", "value", "places"), PASTED)
def test_lenient_reading_takes_comments_and_trailing_commas(
    text: str, value: object, places: list[tuple[int, int]]
) -> None:
    assert plain(read_json(text, "a.json", lenient=True)) == value


@pytest.mark.parametrize(("text", "value", "places"), PASTED)
def test_strict_reading_reports_every_one_and_the_way_out(
    text: str, value: object, places: list[tuple[int, int]]
) -> None:
    found = problems(text)
    assert sorted(map(position, found)) == sorted(places)
    assert all(problem.hint and "--lenient" in problem.hint for problem in found)


@pytest.mark.parametrize(("text", "value", "places"), PASTED)
def test_a_caller_that_collects_problems_gets_the_value_too(
    text: str, value: object, places: list[tuple[int, int]]
) -> None:
    collected: list[Problem] = []
    assert plain(read_json(text, "a.json", problems=collected)) == value
    assert len(collected) == len(places)


@pytest.mark.parametrize("lenient", [False, True], ids=["strict", "lenient"])
@pytest.mark.parametrize("text", ['["// no comment"]', '["/* none */"]', '[",]"]'])
def test_inside_a_string_it_is_text(text: str, lenient: bool) -> None:
    assert plain(read_json(text, "a.json", lenient=lenient)) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        pytest.param("[1,,]", 4, id="two commas"),
        pytest.param("[,1]", 2, id="leading comma"),
        pytest.param("{,}", 2, id="comma alone"),
        pytest.param("[1] /* x", 5, id="comment without an end"),
        pytest.param("[1] /", 5, id="slash"),
        pytest.param("[1] # x", 5, id="another language's comment"),
    ],
)
def test_lenient_has_limits(text: str, column: int) -> None:
    assert position(only_problem(text, lenient=True)) == (1, column)


def test_problems_before_the_error_that_stops_the_reader_are_kept() -> None:
    found = problems('{"a": 1, // x\n "a": 2,\n "b": ?}')
    assert [position(problem) for problem in found] == [(1, 10), (2, 2), (3, 7)]


def test_a_byte_order_mark_is_taken_only_in_lenient_mode() -> None:
    text = "\ufeff[1]"
    problem = only_problem(text.encode())
    assert str(problem).startswith("a.json:1:1: $: found a byte order mark, expected none")
    assert "--lenient" in str(problem)
    assert plain(read_json(text.encode(), "a.json", lenient=True)) == [1]
    assert problems("[\ufeff1]", lenient=True)
