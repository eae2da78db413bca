"""The gate's rule, as a table: what a browser, a tool or a stranger's page sends and gets."""

import asyncio

import pytest

from local import gate

PORT = 4566
PAGE = "/lambda-chat-local/index.html"
OWN = ("Host", f"127.0.0.1:{PORT}")
CHAT = f"http://127.0.0.1:{PORT}"
BROWSER = ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)")
QUERY = "/?Action=DeleteRole&RoleName=x&X-Amz-Credential=000000000000/x"

EMULATOR = gate.Gate(PORT, gate.origins_at(PORT), links=frozenset([PAGE]))


def refusal(*headers, method="GET", target="/"):
    return EMULATOR.refusal(method, target, headers)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:4566",
        "localhost:4566",
        "LocalHost:4566",
        "[::1]:4566",
        "lambda-chat-local.s3.localhost:4566",
        "a1b2-ats.iot.us-east-1.localhost:4566",
        "my_api.execute-api.LOCALHOST:4566",
    ],
)
def test_this_machines_own_names_are_served(host):
    assert refusal(("host", host)) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.test:4566",
        "127.0.0.1.nip.io:4566",
        "localhost.evil.test:4566",
        "evil-localhost:4566",
        "evillocalhost:4566",
        "evil.test#.localhost:4566",
        "evil.test/.localhost:4566",
        "evil.test:80.localhost:4566",
        "localhost",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:80",
        "127.0.0.1:04566",
        "127.0.0.1:45660",
        "127.0.0.1:4566:4566",
        "127.0.0.1:4566 ",
        "127.0.0.1:4566\n",
        "127.0.0.1:4566, evil.test:4566",
        "127.0.0.2:4566",
        "127.1:4566",
        "0.0.0.0:4566",
        "2130706433:4566",
        "[::ffff:127.0.0.1]:4566",
        "::1:4566",
        "localhost.:4566",
        ".localhost:4566",
        "me@localhost:4566",
        "localhost:4566@evil.test",
        "evil.test:4566\u212a.localhost:4566",
        "\u217docalhost:4566",
        "localho\u017ft:4566",
    ],
)
def test_another_host_is_refused(host):
    assert "Host is" in refusal(("host", host))


def test_a_host_is_asked_for_exactly_once():
    assert "no Host header" in refusal()
    assert "2 Host headers" in refusal(OWN, OWN)
    assert "2 Host headers" in refusal(OWN, ("HOST", "evil.test:4566"))


@pytest.mark.parametrize("port", ["1", "4566", "65535"])
def test_a_tests_proxy_may_stand_before_it_when_the_gate_knows(port):
    known = gate.Gate(PORT, gate.origins_at(PORT), proxied=True)
    assert known.refusal("GET", "/", [("host", f"127.0.0.1:{port}")]) is None
    for host in ("127.0.0.1", "127.0.0.1:", f"evil.test:{port}", "127.0.0.1:x", "127.0.0.1:-1"):
        assert known.refusal("GET", "/", [("host", host)])
    foreign = ("origin", f"http://127.0.0.1:{int(port) + 1}")
    assert known.refusal("GET", "/", [("host", f"127.0.0.1:{port}"), foreign])


def test_on_port_80_a_browser_names_no_port():
    web = gate.Gate(80, gate.origins_at(80))
    assert web.refusal("GET", "/", [("host", "localhost")]) is None
    assert web.refusal("GET", "/", [("host", "localhost:80")]) is None
    own = [("host", "localhost"), ("origin", "http://localhost")]
    assert web.refusal("POST", "/", own) is None
    assert web.refusal("GET", "/", [("host", "localhost:81")])


@pytest.mark.parametrize("target", ["http://evil.test/", f"{CHAT}/", "evil.test:443", "*", ""])
def test_a_target_that_is_no_path_is_refused(target):
    assert "is not a path" in refusal(OWN, target=target)


@pytest.mark.parametrize("origin", [CHAT, "http://localhost:4566"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_the_chats_own_page_may_do_anything(origin, method):
    assert refusal(OWN, BROWSER, ("origin", origin), method=method, target=QUERY) is None


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.test",
        "http://evil.test:4566",
        "https://127.0.0.1:4566",
        "http://127.0.0.1",
        "http://127.0.0.1:45660",
        "http://127.0.0.1:8000",
        "http://127.0.0.1:4566/",
        "http://LOCALHOST:4566",
        "http://[::1]:4566",
        "http://evil.localhost:4566",
        "http://localhost.:4566",
        "http://127.0.0.1:4566, http://evil.test",
        "file://",
        "chrome-extension://abc",
        "\u212a\xff",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_another_page_may_do_nothing(origin, method):
    said = refusal(OWN, BROWSER, ("Origin", origin), method=method, target=PAGE)
    assert "comes from the page" in said
    assert said.isascii()


def test_a_second_origin_is_refused():
    both = (("origin", CHAT), ("origin", "http://evil.test"))
    assert refusal(OWN, *both)
    assert refusal(OWN, *reversed(both))


BROKER = ("Host", f"a1b2-ats.iot.us-east-1.localhost:{PORT}")
MQTT = "/mqtt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0&X-Amz-Security-Token=x"


@pytest.mark.parametrize("origin", [CHAT, "http://localhost:4566"])
def test_the_chats_page_reaches_the_broker_at_the_brokers_own_name(origin):
    assert refusal(BROKER, BROWSER, ("Origin", origin), target=MQTT) is None


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.test",
        "http://127.0.0.1:8000",
        "http://a1b2-ats.iot.us-east-1.localhost:4566",
        "ws://127.0.0.1:4566",
    ],
)
def test_another_page_does_not_reach_the_broker(origin):
    assert "comes from the page" in refusal(BROKER, BROWSER, ("Origin", origin), target=MQTT)
    unnamed = ("Host", "a1b2-ats.iot.us-east-1.amazonaws.com:4566")
    assert "Host is" in refusal(unnamed, BROWSER, ("Origin", CHAT), target=MQTT)


@pytest.mark.parametrize("agent", ["Boto3/1.42", "curl/8.14.1", "kappa", "node", ""])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_programs_that_send_no_origin_are_served(agent, method):
    assert refusal(OWN, ("User-Agent", agent), method=method, target=QUERY) is None


SITES = {"same-origin": True, "same-site": False, "cross-site": False, "": False}


@pytest.mark.parametrize(("site", "served"), SITES.items())
@pytest.mark.parametrize(
    ("mode", "kind"),
    [("no-cors", "image"), ("no-cors", "script"), ("navigate", "iframe"), ("cors", "empty")],
)
def test_what_a_page_loads_is_served_to_the_chats_own_page(site, served, mode, kind):
    fetch = (("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", kind))
    for target in (PAGE, "/lambda-chat-local/data/default.json", QUERY):
        assert (refusal(OWN, BROWSER, *fetch, target=target) is None) is served


def navigation(site="cross-site", mode="navigate", kind="document"):
    return [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", kind)]


def test_a_link_elsewhere_leads_to_the_page_and_nowhere_else():
    assert refusal(OWN, BROWSER, *navigation(), target=PAGE) is None
    assert refusal(OWN, BROWSER, *navigation("same-site"), target=PAGE) is None
    others = (QUERY, f"{PAGE}?acl", "/", "/_ministack/reset", "/lambda-chat-local/data/a.json",
              f"/{PAGE}", f"{PAGE}/", "/lambda-chat-local/%69ndex.html")  # fmt: skip
    for target in others:
        assert refusal(OWN, BROWSER, *navigation(), target=target)
    assert refusal(OWN, BROWSER, *navigation(), method="POST", target=PAGE)
    assert refusal(OWN, BROWSER, *navigation(kind="iframe"), target=PAGE)
    assert refusal(OWN, BROWSER, *navigation(), *navigation("none"), target=PAGE)


def test_a_second_site_cannot_outvote_the_first():
    twice = (("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-origin"))
    assert refusal(OWN, *twice)
    assert refusal(OWN, *reversed(twice))


def test_a_typed_address_shows_something_but_does_nothing():
    # its server may have sent the browser on to here, which says "none" then too
    assert refusal(OWN, BROWSER, *navigation("none"), target=PAGE) is None
    assert refusal(OWN, BROWSER, *navigation("none"), target="/_ministack/health") is None
    assert refusal(OWN, BROWSER, *navigation("none"), target=QUERY)
    assert refusal(OWN, BROWSER, *navigation("none"), method="POST", target="/")


def test_a_browser_that_does_not_say_who_asks_may_only_read_files():
    assert refusal(OWN, BROWSER, target=PAGE) is None
    assert refusal(OWN, BROWSER, target=QUERY)
    assert refusal(OWN, BROWSER, method="POST", target="/")


STAND_IN = gate.Gate(
    7001, gate.origins_at(7001) | gate.origins_at(PORT), parts=frozenset(["/gsi/client"])
)


def test_a_part_is_for_every_page_but_only_to_load_it():
    own = ("host", "127.0.0.1:7001")
    load = (("sec-fetch-site", "same-site"), ("sec-fetch-dest", "script"))
    assert STAND_IN.refusal("GET", "/gsi/client?x", [own, *load]) is None
    assert STAND_IN.refusal("GET", "/token", [own, *load])
    assert STAND_IN.refusal("POST", "/gsi/client", [own, *load])
    assert STAND_IN.refusal("GET", "/gsi/client", [own, ("origin", "http://evil.test")])
    assert STAND_IN.refusal("POST", "/token", [own, ("origin", CHAT)]) is None


def through(scope):
    """What the application was given, and what came out of the gate."""
    seen, sent = [], []

    async def application(scope, _receive, _send):
        seen.append(scope["type"])

    async def send(message):
        sent.append(message)

    asyncio.run(EMULATOR.before(application)(scope, None, send))
    return seen, sent


def scope(kind, host, query=b""):
    headers = [(b"host", host), (b"user-agent", b"Mozilla/5.0")]
    return {"type": kind, "raw_path": b"/", "query_string": query, "headers": headers}


def test_the_application_sees_only_what_passes():
    assert through({"type": "lifespan"}) == (["lifespan"], [])
    assert through(scope("http", b"localhost:4566") | {"method": "GET"}) == (["http"], [])
    for asked in (
        scope("http", b"evil.test:4566") | {"method": "GET"},
        scope("http", b"localhost:4566") | {"method": "POST"},
        scope("http", b"localhost:4566", b"Action=x") | {"method": "GET"},
        scope("websocket", b"evil.test:4566"),
    ):
        seen, sent = through(asked)
        assert seen == []
        kind = "http.response" if asked["type"] == "http" else "websocket.http.response"
        assert [message["type"] for message in sent] == [f"{kind}.start", f"{kind}.body"]
        assert sent[0]["status"] == 403
        assert not [name for name, _ in sent[0]["headers"] if name.startswith(b"access-control")]
        assert sent[1]["body"].startswith(b"Local mode refuses this request: ")
        assert sent[1]["body"].count(b"\n") == 1


def test_a_websocket_passes_by_its_origin():
    broker = scope("websocket", BROKER[1].encode(), b"X-Amz-Signature=0") | {"raw_path": b"/mqtt"}
    for origin, seen in ((CHAT, ["websocket"]), ("http://evil.test", [])):
        asked = broker | {"headers": [*broker["headers"], (b"origin", origin.encode())]}
        assert through(asked)[0] == seen


def test_a_long_or_foreign_text_is_shown_short_and_in_ascii():
    said = refusal(("host", "\xe9\x1b[31m" + "x" * 500))
    assert len(said) < 200
    assert said.isascii()
    assert said.isprintable()
