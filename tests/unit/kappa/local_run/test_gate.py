"""A page of another host must not run the function, unless the config's CORS lets it."""

import pytest

from kappa.config.model import Cors
from kappa.local_run.gate import allows, headers_for, preflight, refusal
from kappa.local_run.url_event import Request

PORT = 9000
OWN = ("Host", f"127.0.0.1:{PORT}")
BROWSER = ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)")
CORS = Cors(allow_origins=("https://app.example.com",))


def refused(*headers, method="GET", target="/", cors=CORS, port=PORT):
    return refusal(Request(method, target, headers), port, cors)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:9000", "LocalHost:9000", "[::1]:9000", "greeter.localhost:9000"]
)
def test_this_machines_names_are_served(host):
    assert refused(("host", host)) is None


def test_the_usual_port_need_not_be_named():
    assert refused(("Host", "localhost"), port=80) is None
    assert refused(("Host", "localhost")).status == 403


@pytest.mark.parametrize(
    "host", ["", "evil.test:9000", "localhost.evil.test:9000", "localhost:80", "127.0.0.1:9000\n"]
)
def test_names_that_dns_could_point_here_are_refused(host):
    assert refused(("Host", host)).status == 403


@pytest.mark.parametrize("hosts", [(), (OWN, OWN)])
def test_there_is_one_host(hosts):
    assert refused(*hosts).status == 403


@pytest.mark.parametrize("target", ["*", "http://evil.test/", "evil.test:443"])
def test_a_proxys_target_is_refused(target):
    assert refused(OWN, target=target).status == 403


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:9000",
        "http://localhost:5173",
        "http://localhost",
        "https://app.localhost:8443",
        "https://app.example.com",
    ],
)
def test_pages_of_this_machine_and_those_that_cors_names_are_served(origin):
    site = ("Sec-Fetch-Site", "cross-site")
    assert refused(OWN, ("Origin", origin), BROWSER, site, method="POST") is None


@pytest.mark.parametrize(
    "origin",
    ["https://evil.test", "null", "", "http://localhost.evil.test", "file://", "localhost:5173"],
)
def test_other_pages_are_refused(origin):
    answer = refused(OWN, ("Origin", origin), method="POST")
    assert answer.status == 403
    assert b"url.cors.allow_origins" in answer.body


def test_no_page_of_another_host_is_served_without_cors():
    assert refused(OWN, ("Origin", "https://app.example.com"), cors=None).status == 403


def test_a_star_in_cors_allows_all_pages():
    assert refused(OWN, ("Origin", "https://evil.test"), cors=Cors(allow_origins=("*",))) is None


@pytest.mark.parametrize("site", ["same-origin", "same-site"])
def test_this_machines_links_are_served(site):
    assert refused(OWN, BROWSER, ("Sec-Fetch-Site", site), target="/?a=1") is None


@pytest.mark.parametrize("more", [(), (("Sec-Purpose", "prefetch;prerender"),)])
def test_an_address_that_was_typed_prerendered_or_redirected_to_is_for_a_person_to_follow(more):
    headers = (("Sec-Fetch-Site", "none"), ("Sec-Fetch-Dest", "document"), *more)
    answer = refused(OWN, BROWSER, *headers, target="/?a=1")
    assert answer.status == 403
    assert b'<a href="/?a=1">' in answer.body


@pytest.mark.parametrize("kind", ["image", "iframe", "script", "empty"])
def test_what_another_page_loads_is_refused(kind):
    headers = (("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", kind))
    assert refused(OWN, BROWSER, *headers).status == 403


def test_a_link_of_another_page_is_for_a_person_to_follow():
    headers = (("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", "document"))
    answer = refused(OWN, BROWSER, *headers, target='//evil.test/?code=1&x="<b>')
    assert answer.status == 403
    assert b'<a href="/evil.test/?code=1&amp;x=&quot;&lt;b&gt;">' in answer.body
    assert refused(OWN, BROWSER, *headers, method="POST").body.startswith(b"kappa serve refuses")


def test_programs_are_served_and_browsers_that_hide_the_page_are_not():
    assert refused(OWN, ("User-Agent", "curl/8.5"), target="/?a=1", method="POST") is None
    assert refused(OWN, BROWSER).status == 403


PAGE = "https://app.example.com"
PAGES = Cors(
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
    answer = preflight(PAGES, asked())
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
    answer = preflight(PAGES, asked("https://evil.test"))
    assert answer.status == 200
    assert not any(name.startswith("Access-Control") for name, _ in answer.headers)


@pytest.mark.parametrize(
    ("cors", "request_"),
    [
        (None, asked()),
        (PAGES, asked(method="GET")),
        (PAGES, asked(asks="")),
        (PAGES, asked(origin="")),
    ],
)
def test_anything_else_is_for_the_function(cors, request_):
    assert preflight(cors, request_) is None


def test_other_answers_get_the_origin_and_what_the_page_may_read():
    assert headers_for(PAGES, asked(method="GET")) == (
        ("Vary", "Origin"),
        ("Access-Control-Allow-Origin", PAGE),
        ("Access-Control-Expose-Headers", "X-Count"),
        ("Access-Control-Allow-Credentials", "true"),
    )
    assert headers_for(PAGES, asked("https://evil.test")) == (("Vary", "Origin"),)
    assert headers_for(PAGES, asked("")) == headers_for(None, asked()) == ()


def test_a_star_allows_every_page_by_name():
    cors = Cors(allow_origins=("*",))
    assert allows(cors, "https://any.test")
    assert ("Access-Control-Allow-Origin", PAGE) in headers_for(cors, asked())
    assert not allows(None, PAGE)
    assert not allows(Cors(), PAGE)
