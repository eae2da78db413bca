import json
import socket
import urllib.error
import urllib.request

import jwt
import pytest

from local import google

CLIENT = "1-a.apps.googleusercontent.com"
CHAT = "http://127.0.0.1:4999"
NOW_S = 1_800_000_000


def claims(**body):
    return google.claims({"name": "Ann", **body}, CLIENT, NOW_S)


@pytest.fixture(scope="module")
def identity():
    with google.running(CLIENT, [CHAT]) as running:
        yield running


def ask(url, body=None, **headers):
    """Send a POST, or a GET without a body; the answer's status, headers and text."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=body, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers, refused.read().decode()


def post(url, body):
    status, _, text = ask(url, body)
    return status, json.loads(text)


def test_a_token_lasts_one_hour_and_is_for_this_chat():
    found = claims()
    assert (found["aud"], found["azp"], found["iss"]) == (CLIENT, CLIENT, google.ISSUER)
    assert found["exp"] - found["iat"] == 3600


def test_the_same_name_is_the_same_person():
    assert claims(name="Ann")["sub"] == claims(name=" Ann ")["sub"] != claims(name="Bo")["sub"]


def test_a_token_can_have_ended_and_can_be_for_another_audience():
    found = claims(aud="other", expires_in_s=-5, sub="7")
    assert (found["aud"], found["exp"] - NOW_S, found["sub"]) == ("other", -5, "7")


def test_a_token_holds_a_picture_only_when_one_is_given():
    picture = "https://lh3.googleusercontent.com/a/x=s96-c"
    assert claims(picture=picture)["picture"] == picture
    assert "picture" not in claims()
    assert "picture" not in claims(picture="")


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": 3}, {"name": "x" * 201}, {"name": "a", "sub": 1},
     {"name": "a", "picture": 1}, {"name": "a", "expires_in_s": "1"},
     {"name": "a", "expires_in_s": True}],
)  # fmt: skip
def test_a_bad_request_is_refused_by_name(body):
    with pytest.raises(google.BadTokenRequest):
        google.claims(body, CLIENT, NOW_S)


def test_tokens_verify_against_the_published_keys(identity):
    status, body = post(f"{identity.url}/token", b'{"name": "Ann"}')
    with urllib.request.urlopen(f"{identity.url}/certs", timeout=10) as answer:
        key = jwt.PyJWK(json.load(answer)["keys"][0]).key
    assert status == 200
    assert jwt.decode(body["id_token"], key, ["RS256"], audience=CLIENT)["name"] == "Ann"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"{", b'{"name": 1}', b"\xff", b"[" * 8000),
        *(
            b'{"name": "a", "expires_in_s": %s}' % number
            for number in (b"1e999", b"NaN", b"9" * 400)
        ),
        *(
            b'{"name": "a", "%s": "\\ud800"}' % key
            for key in (b"sub", b"aud", b"picture", b"nonce")
        ),
        b'{"name": "\\ud800"}',
    ],
)
def test_a_broken_body_is_answered_with_what_is_wrong(identity, body, capfd):
    status, answer = post(f"{identity.url}/token", body)
    assert status == 400
    assert answer["error"]
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("target", "status"), [("http://[x", 403), ("//[x", {"GET": 404, "POST": 400}), ("[", 403)]
)
def test_a_broken_address_is_answered_with_what_is_wrong(identity, method, target, status, capfd):
    host = identity.url.removeprefix("http://")
    with socket.create_connection(host.split(":"), timeout=10) as connection:
        connection.sendall(
            f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        with connection.makefile("rb") as answer:
            line = answer.readline().decode()
    wanted = status if isinstance(status, int) else status[method]
    assert line.startswith(f"HTTP/1.1 {wanted} ")
    assert "Traceback" not in capfd.readouterr().err


def test_the_script_is_served_where_google_serves_it(identity):
    with urllib.request.urlopen(f"{identity.url}/gsi/client", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert b"renderButton" in answer.read()


FOREIGN = [
    {"Host": "evil.test:4999"},
    {"Host": "127.0.0.1"},
    {"Origin": "null"},
    {"Origin": "http://evil.test"},
    {"Origin": "http://127.0.0.1:5000"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_another_page_gets_no_token(identity, headers):
    status, answered, text = ask(f"{identity.url}/token", b'{"name": "Ann"}', **headers)
    assert status == 403
    assert text.startswith("Local mode refuses this request: ")
    assert "Access-Control-Allow-Origin" not in answered


@pytest.mark.parametrize("page", ["chat", "own"])
def test_the_chat_and_the_button_itself_get_a_token(identity, page):
    origin = CHAT if page == "chat" else identity.url
    status, _, text = ask(f"{identity.url}/token", b'{"name": "Ann"}', Origin=origin)
    assert status == 200
    assert json.loads(text)["id_token"]


@pytest.mark.parametrize("path", google.PAGES)
def test_what_the_chats_page_loads_of_the_stand_in_is_served(identity, path):
    load = {"Sec-Fetch-Site": "same-site", "User-Agent": "Mozilla/5.0"}
    status, answered, _ = ask(f"{identity.url}{path}?parent={CHAT}", **load)
    assert status == 200
    assert answered["Content-Security-Policy"] == f"frame-ancestors {CHAT}"


@pytest.mark.parametrize(
    "query",
    ["", "?parent=", "?parent=http://evil.test", "?parent=http://127.0.0.1:5000", "?parent=*",
     "?parent=/", f"?parent={CHAT}&parent=http://evil.test",
     f"?parent=http://evil.test&parent={CHAT}", f"?Parent={CHAT}", f"?parent={CHAT}.evil.test"],
)  # fmt: skip
def test_the_button_hands_its_token_to_the_chats_page_only(identity, query):
    status, _, text = ask(f"{identity.url}/gsi/button{query}")
    assert status == 403
    assert text == "Local mode refuses this request: the button is for the chat's page only.\n"
