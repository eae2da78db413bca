"""What an answer of a function becomes, as AWS documents it and was seen to do."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kappa.local_run.url_response import (
    PRELUDE_TYPE,
    Malformed,
    Stream,
    failed,
    response,
    too_large,
)

JSON = ("Content-Type", "application/json")
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def answered(value):
    return response(json.dumps(value).encode())


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ({"hello": "world"}, b'{"hello":"world"}'),
        (["hello", 3, True], b'["hello",3,true]'),
        ("hello", b"hello"),
        (3.1, b"3.1"),
        (True, b"true"),
        (None, b"null"),
        ({"é": 1}, '{"é":1}'.encode()),
    ],
)
def test_json_without_a_status_is_the_body(value, body):
    answer = answered(value)
    assert (answer.status, answer.headers, answer.body) == (200, (JSON,), body)


def test_a_whole_response():
    answer = answered(
        {
            "statusCode": 201,
            "headers": {"content-type": "text/html", "X-Count": 3},
            "cookies": ["a=1; Path=/", "b=2"],
            "body": "<p>é</p>",
        }
    )
    assert answer.status == 201
    assert answer.headers == (
        ("content-type", "text/html"),
        ("X-Count", "3"),
        ("Set-Cookie", "a=1; Path=/"),
        ("Set-Cookie", "b=2"),
    )
    assert answer.body == "<p>é</p>".encode()


def test_a_body_without_a_type_is_json_and_a_status_may_be_a_text():
    answer = answered({"statusCode": "418", "body": "i'm a teapot"})
    assert (answer.status, answer.headers, answer.body) == (418, (JSON,), b"i'm a teapot")


def test_a_body_that_is_no_text_is_written_as_json():
    assert answered({"statusCode": 200, "body": {"a": 1}}).body == b'{"a":1}'


def test_a_response_without_a_body_is_empty():
    assert answered({"statusCode": 204, "headers": None}).body == b""


def test_base64_is_decoded():
    data = bytes(range(256))
    body = base64.encodebytes(data).decode()  # in lines
    assert answered({"statusCode": 200, "body": body, "isBase64Encoded": True}).body == data


def test_headers_that_frame_the_body_are_the_servers():
    headers = {"Content-Length": "3", "transfer-encoding": "chunked", "Connection": "close"}
    assert answered({"statusCode": 200, "headers": headers, "body": "x"}).headers == (JSON,)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"statusCode": "ok"}, "statusCode"),
        ({"statusCode": 99}, "statusCode"),
        ({"statusCode": 100}, "statusCode"),
        ({"statusCode": 600}, "statusCode"),
        ({"statusCode": True}, "statusCode"),
        ({"statusCode": None}, "statusCode"),
        ({"statusCode": 200, "headers": ["a"]}, "not an object"),
        ({"statusCode": 200, "headers": {"a": ["b"]}}, "not a text: a"),
        ({"statusCode": 200, "headers": {"a b": "c"}}, '"a b"'),
        ({"statusCode": 200, "headers": {"a": "b\r\nSet-Cookie: c=d"}}, "line break"),
        ({"statusCode": 200, "cookies": "a=1"}, "not a list"),
        ({"statusCode": 200, "cookies": ["a=1\nX: y"]}, "line break"),
        ({"statusCode": 200, "body": "!!", "isBase64Encoded": True}, "not base64"),
    ],
)
def test_a_malformed_answer_is_told(value, reason):
    with pytest.raises(Malformed, match=reason):
        answered(value)


@pytest.mark.parametrize("payload", [b"", b"{", b"NaN", b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_malformed(payload):
    with pytest.raises(Malformed, match="is not JSON"):
        response(payload)


@given(st.recursive(st.none() | st.booleans() | FINITE | st.text(), st.lists))
def test_any_other_json_comes_back(value):
    answer = answered(value)
    assert (answer.body.decode() if isinstance(value, str) else json.loads(answer.body)) == value


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.none() | st.integers() | st.text() | st.lists(st.text()) | st.just({"a": "\n"})
            for name in ("statusCode", "headers", "cookies", "body", "isBase64Encoded")
        },
    )
)
def test_no_answer_is_a_crash_or_breaks_a_header(value):
    try:
        answer = answered(value)
    except Malformed:
        return
    assert 200 <= answer.status <= 599
    assert not any("\r" in text or "\n" in text for pair in answer.headers for text in pair)


def streamed(content_type, *pieces):
    stream = Stream(content_type)
    body = [stream.feed(piece) for piece in pieces]
    return stream.end(), b"".join(body)


def test_a_stream_is_the_body_itself_with_the_type_that_the_function_set():
    head, body = streamed("", b"one", b"two\0\0\0\0\0\0\0\0three")
    assert (head.status, head.headers) == (200, (("Content-Type", "application/octet-stream"),))
    assert body == b"onetwo\0\0\0\0\0\0\0\0three"
    assert streamed("text/plain", b"")[0].headers == (("Content-Type", "text/plain"),)


@given(st.data())
def test_a_prelude_is_found_however_it_arrives(data):
    prelude = {"statusCode": 201, "headers": {"X-A": "b"}, "cookies": ["c=d"]}
    body = data.draw(st.binary(max_size=40))
    whole = json.dumps(prelude).encode() + bytes(8) + body
    cut = data.draw(st.integers(0, len(whole)))
    head, sent = streamed(PRELUDE_TYPE, whole[:cut], whole[cut:])
    assert head.status == 201
    assert head.headers == (
        ("Content-Type", "application/octet-stream"),
        ("X-A", "b"),
        ("Set-Cookie", "c=d"),
    )
    assert sent == body


def test_a_prelude_without_a_status_is_200():
    head, _ = streamed(PRELUDE_TYPE, b'{"status":404}' + bytes(8))
    assert head.status == 200


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([b"{}"], "before the end of its prelude"),
        ([b"[]" + bytes(8)], "not an object"),
        ([b"<" + bytes(8)], "not JSON"),
        ([b'{"statusCode":0}' + bytes(8)], "statusCode"),
        ([b"x" * 2_000_000], "no end of its prelude"),
    ],
)
def test_a_malformed_prelude_is_told(pieces, reason):
    with pytest.raises(Malformed, match=reason):
        streamed(PRELUDE_TYPE, *pieces)


def test_the_answers_of_aws_itself():
    assert (failed().status, failed().body) == (502, b"Internal Server Error")
    assert too_large().status == 413
    assert b"6291456" in too_large().body
