"""CORS as the config has it: preflight requests, and what other answers get."""

import pytest

from kappa.config.model import Cors
from kappa.local_run.url_cors import allows, headers_for, preflight
from kappa.local_run.url_event import Request

PAGE = "https://app.example.com"
CORS = Cors(
    allow_origins=(PAGE,),
    allow_methods=("GET", "POST"),
    allow_headers=("Authorization", "X-Mode"),
    expose_headers=("X-Count",),
    allow_credentials=True,
    max_age_s=0,
)


def asked(origin=PAGE, method="OPTIONS", asks="GET"):
    headers = [("Origin", origin), ("Access-Control-Request-Method", asks)]
    return Request(method, "/", tuple((name, value) for name, value in headers if value))


def test_a_preflight_request_is_answered_by_the_url():
    answer = preflight(CORS, asked())
    assert (answer.status, answer.body) == (200, b"")
    assert dict(answer.headers) == {
        "Content-Type": "application/json",
        "Vary": "Origin",
        "Access-Control-Allow-Origin": PAGE,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "X-Count",
        "Access-Control-Allow-Headers": "Authorization,X-Mode",
        "Access-Control-Allow-Methods": "GET,POST",
        "Access-Control-Max-Age": "0",
    }


def test_another_page_is_allowed_nothing():
    answer = preflight(CORS, asked("https://evil.test"))
    assert answer.status == 200
    assert not any(name.startswith("Access-Control") for name, _ in answer.headers)


@pytest.mark.parametrize(
    ("cors", "request_"),
    [
        (None, asked()),
        (CORS, asked(method="GET")),
        (CORS, asked(asks="")),
        (CORS, asked(origin="")),
    ],
)
def test_anything_else_is_for_the_function(cors, request_):
    assert preflight(cors, request_) is None


def test_other_answers_get_the_origin_and_what_the_page_may_read():
    assert headers_for(CORS, asked(method="GET")) == (
        ("Vary", "Origin"),
        ("Access-Control-Allow-Origin", PAGE),
        ("Access-Control-Expose-Headers", "X-Count"),
        ("Access-Control-Allow-Credentials", "true"),
    )
    assert headers_for(CORS, asked("https://evil.test")) == (("Vary", "Origin"),)
    assert headers_for(CORS, asked("")) == headers_for(None, asked()) == ()


def test_a_star_allows_every_page_by_name():
    cors = Cors(allow_origins=("*",))
    assert allows(cors, "https://any.test")
    assert ("Access-Control-Allow-Origin", PAGE) in headers_for(cors, asked())
    assert not allows(None, PAGE)
    assert not allows(Cors(), PAGE)
