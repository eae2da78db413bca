"""The event of a request, as AWS documents it and was seen to make it."""

import base64
import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kappa.local_run.url_event import Request, Url, event, payload

URL = Url("greeter", 9000)
ID = "0f3fa5f6-9ac1-4d8d-8ff8-8cd6d5f1c3d1"
AT_MS = 1_631_055_022_677
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True)


def made(method="GET", target="/", headers=(), body=b"", url=URL):
    request = Request(method, target, (("Host", "localhost:9000"), *headers), body)
    return event(request, url, ID, AT_MS)


def test_a_request_without_anything():
    assert made() == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {
            "host": "localhost:9000",
            "x-amzn-trace-id": "Root=1-6137ecae-0f3fa5f69ac14d8d8ff88cd6",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": "9000",
            "x-forwarded-proto": "http",
        },
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "greeter",
            "domainName": "localhost:9000",
            "domainPrefix": "greeter",
            "http": {
                "method": "GET",
                "path": "/",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "",
            },
            "requestId": ID,
            "routeKey": "$default",
            "stage": "$default",
            "time": "07/Sep/2021:22:50:22 +0000",
            "timeEpoch": AT_MS,
        },
        "isBase64Encoded": False,
    }


def test_the_path_stays_encoded_and_repeated_parameters_are_joined():
    made_event = made(target="/pa2%2Fth//1?q=a%20b&multi=foo&multi=%2Fbar&empty=")
    assert made_event["rawPath"] == "/pa2%2Fth//1"
    assert made_event["requestContext"]["http"]["path"] == "/pa2%2Fth//1"
    assert made_event["rawQueryString"] == "q=a%20b&multi=foo&multi=%2Fbar&empty="
    assert made_event["queryStringParameters"] == {"q": "a b", "multi": "foo,/bar", "empty": ""}


def test_headers_are_in_lower_case_joined_and_without_those_of_the_connection():
    headers = made(headers=(("X-Mode", "a"), ("x-mode", "b"), ("Connection", "keep-alive")))[
        "headers"
    ]
    assert headers["x-mode"] == "a,b"
    assert "connection" not in headers


def test_a_caller_cannot_choose_the_headers_of_aws():
    headers = made(headers=(("X-Forwarded-For", "8.8.8.8"), ("X-Forwarded-Proto", "https")))[
        "headers"
    ]
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("127.0.0.1", "http")


def test_cookies_are_a_list_and_a_header():
    made_event = made(headers=(("Cookie", "a=1; b=2"), ("Cookie", "c=3")))
    assert made_event["cookies"] == ["a=1", "b=2", "c=3"]
    assert made_event["headers"]["cookie"] == "a=1; b=2; c=3"


@pytest.mark.parametrize(
    ("kind", "is_text"),
    [
        ("text/plain", True),
        ("text/html; charset=utf-8", True),
        ("Application/JSON", True),
        ("application/xml", True),
        ("application/javascript", True),
        ("application/x-www-form-urlencoded", False),
        ("application/problem+json", False),
        ("multipart/form-data; boundary=x", False),
        ("", False),
    ],
)
def test_only_text_is_not_base64(kind, is_text):
    made_event = made("POST", headers=(("Content-Type", kind),), body="é".encode())
    expected = "é" if is_text else base64.b64encode("é".encode()).decode()
    assert (made_event["body"], made_event["isBase64Encoded"]) == (expected, not is_text)


def test_text_that_is_not_utf8_is_base64():
    made_event = made("POST", headers=(("Content-Type", "text/plain"),), body=b"\xff\xfe")
    assert (made_event["body"], made_event["isBase64Encoded"]) == ("//4=", True)


def test_the_caller_of_a_url_that_checks_callers_is_an_example_with_the_key_that_signed():
    signature = (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLEAKIDEX/20260101/us-east-1/lambda/aws4_request"
    )
    url = Url("greeter", 9000, checks_callers=True)
    context = made(headers=(("Authorization", signature),), url=url)["requestContext"]
    assert context["authorizer"]["iam"]["accessKey"] == "AKIDEXAMPLEAKIDEX"
    assert context["authorizer"]["iam"]["userArn"].endswith(":user/example-user")
    assert context["accountId"] == "123456789012"


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=st.text(max_size=30),
    pairs=st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=8)), max_size=5),
    headers=st.lists(st.tuples(NAMES, st.text("abc,;= \xe9", max_size=12)), max_size=5),
    body=st.binary(max_size=60),
    kind=st.sampled_from(["text/plain", "application/json", "image/png", ""]),
)
def test_nothing_of_a_request_is_lost(method, path, pairs, headers, body, kind):
    target = f"/{quote(path)}?{urlencode(pairs)}"
    given_headers = (("Host", "localhost:9000"), *headers, ("Content-Type", kind))
    request = Request(method, target, given_headers, body)
    sent = json.loads(payload(request, URL, ID, AT_MS))
    assert f"{sent['rawPath']}?{sent['rawQueryString']}" == target
    text = sent.get("body", "")
    assert (base64.b64decode(text) if sent["isBase64Encoded"] else text.encode()) == body
    parameters = sent.get("queryStringParameters", {})
    assert set(parameters) == {name for name, _ in pairs}
    for name, value in pairs:
        assert value in parameters[name]
    for name, value in headers:
        if name.lower() in sent["headers"] and not name.lower().startswith("x-"):
            assert value in sent["headers"][name.lower()]
