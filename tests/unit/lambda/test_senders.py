from hashlib import sha256

import pytest

from local.testkit.events import attribute, base64url, sns_record
from senders import Verifier
from store_message import NotStored
from tests.support.builders import IDENTITY_ROLE, NOW_S, answer_with, calls_of
from tests.support.chat.store import store_settings


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({}, "no_token"),
        (None, "no_token"),
        ({"id_token": None}, "no_token"),
        ({"ID_TOKEN": attribute("a.b.c")}, "no_token"),
        ({"id_token": attribute("")}, "malformed_token"),
        ({"id_token": attribute("a.b")}, "malformed_token"),
        ({"id_token": attribute("a.b.")}, "malformed_token"),
        ({"id_token": attribute("a.b.c.d")}, "malformed_token"),
        ({"id_token": attribute("a.b.c\n")}, "malformed_token"),
        ({"id_token": attribute("ä.ö.ü")}, "malformed_token"),
        ({"id_token": attribute(["a.b.c"])}, "malformed_token"),
        ({"id_token": attribute("a.b.c")}, "malformed_token"),
        ({"id_token": attribute("a.bbbbb.c")}, "malformed_token"),
        ({"id_token": attribute("a." + base64url("[]") + ".c")}, "malformed_token"),
        ({"id_token": attribute("a." + base64url("[" * 9_000) + ".c")}, "malformed_token"),
        ({"id_token": attribute("a." + "b" * 20_000 + ".c")}, "malformed_token"),
    ],
)
def test_a_record_without_a_token_is_refused_before_sts_is_asked(
    function, refusals, attributes, reason
):
    calls = calls_of(function.sts)
    function.store(sns_record(MessageAttributes=attributes))
    assert refusals() == [reason]
    assert calls == []


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://accounts.google.com.evil.example"}, "foreign_token"),
        ({"iss": None}, "foreign_token"),
        ({"iss": ["https://accounts.google.com"]}, "foreign_token"),
        ({"exp": NOW_S - 1}, "malformed_token"),
        ({"exp": int(NOW_S)}, "expired_token"),
        ({"exp": -1}, "expired_token"),
        ({"exp": None}, "malformed_token"),
        ({"exp": True}, "malformed_token"),
        ({"exp": "9999999999"}, "malformed_token"),
        ({"exp": float("inf")}, "malformed_token"),
        ({"sub": None}, "malformed_token"),
        ({"sub": ""}, "malformed_token"),
        ({"sub": 5}, "malformed_token"),
    ],
)
def test_a_token_that_sts_could_not_accept_is_refused_before_it_is_asked(
    function, refusals, claims, reason
):
    calls = calls_of(function.sts)
    function.store(sns_record(None, function.token(**claims)))
    assert refusals() == [reason]
    assert calls == []


@pytest.mark.parametrize(
    "code",
    [
        "IDPRejectedClaim",
        "IDPRejectedClaimException",
        "InvalidIdentityToken",
        "InvalidIdentityTokenException",
        "PackedPolicyTooLarge",
        "ValidationError",
    ],
)
def test_a_token_that_sts_refuses_is_refused(function, refusals, code):
    answer_with(function.sts, "AssumeRoleWithWebIdentity", code, 403)
    assert function.store(function.record())["refused"] == 1
    assert refusals() == ["refused_token"]
    assert function.items() == []


def test_a_refusal_is_not_remembered(function):
    answer_with(function.sts, "AssumeRoleWithWebIdentity", "IDPRejectedClaim", 403, times=1)
    record = function.record()
    assert function.store(record)["refused"] == 1
    assert function.store(record)["stored"] == 1


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("IDPCommunicationError", 400),
        ("RegionDisabledException", 403),
        ("Throttling", 400),
        ("InternalFailure", 500),
        ("ServiceUnavailable", 503),
        ("SomethingNew", 400),
    ],
)
def test_a_fault_of_sts_is_raised_so_that_lambda_tries_again(function, code, status):
    answer_with(function.sts, "AssumeRoleWithWebIdentity", code, status, times=1)
    record = function.record()
    with pytest.raises(NotStored, match="1 of 1 records failed"):
        function.store(record)
    assert function.items() == []
    assert function.store(record)["stored"] == 1


def test_sts_is_asked_for_the_identity_role_and_the_shortest_session(function):
    sent = []
    function.sts.meta.events.register(
        "before-parameter-build.sts.AssumeRoleWithWebIdentity",
        lambda params, **_: sent.append(dict(params)),
    )
    token = function.token()
    function.store(sns_record(None, token))
    assert sent == [
        {
            "RoleArn": IDENTITY_ROLE,
            "RoleSessionName": "store-message",
            "DurationSeconds": 900,
            "WebIdentityToken": token,
        }
    ]


def test_a_verdict_ends_with_its_token(function):
    record = function.record()
    function.store(record)
    function.now_s += 3599
    assert function.store(record)["duplicate"] == 1
    function.now_s += 1
    with pytest.raises(NotStored):
        function.store(record)
    assert function.service.verifier._verdicts == {}


def test_verdicts_are_bounded_and_hold_no_token(function):
    verifier = Verifier(function.sts, store_settings(), lambda: NOW_S, limit=3)
    tokens = [function.token(sub=str(n)) for n in range(5)]
    for token in tokens:
        verifier.sender(token, NOW_S)
    held = verifier._verdicts
    assert list(held) == [sha256(token.encode()).digest() for token in tokens[2:]]
    assert "ada@example.com" not in repr(held)
    assert "110169484474386276334" not in repr(held)


def test_a_changed_signature_is_another_token(function):
    token = function.token()
    function.store(sns_record(None, token))
    answer_with(function.sts, "AssumeRoleWithWebIdentity", "InvalidIdentityToken")
    assert function.store(sns_record(None, token + "x"))["refused"] == 1


def test_the_name_is_the_tokens_whatever_the_message_says(function):
    forged = {"message": "x", "name": "Operator", "user": "0" * 16, "kind": "operator"}
    function.store(function.record(forged))
    stored = function.items()[0]
    assert (stored["name"], stored["kind"]) == ({"S": "Ada Lovelace"}, {"S": "user"})
    assert stored["user"] != {"S": "0" * 16}


LIKE_OPERATOR = (
    "Operator\u2800",
    "Oper\u2800ator",
    "Operator\U0001d159",
    "Operator\U00016fe4",
    "Operator.",
    "[Operator]",
    "O p e r a t o r",
    "Op\u0337er\u00e1tor",
    "Operator\u20dd",
    "Operator\u02bc",
    "0perator",
    "\u041e\u0440\u0435r\u0430t\u043er",  # Cyrillic
    "Ope\u0433\u0430\u0442o\u0433",
    "\u041e\u0420\u0415R\u0410\u0422\u041eR",
    "OPER\u0391TOR",  # Greek
    "\u039f\u03a1\u0395R\u0391\u03a4\u039fR",
    "\u1d0f\u1d18\u1d07\u0280\u1d00\u1d1b\u1d0f\u0280",  # small capitals
)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "Ada\nLovelace\t"}, "Ada Lovelace"),
        ({"name": "\u202eadA\x00\x1b[31m"}, "adA[31m"),
        ({"name": "x" * 5000}, "x" * 100),
        ({"name": "\u0646\u0627\u0645\u200c\u0647\u0627"}, "\u0646\u0627\u0645\u0647\u0627"),
        ({"name": "A\u200bd\U000e0041a\u3164"}, "Ada"),
        ({"name": "\u3164", "given_name": "Ada"}, "Ada"),
        ({"name": "\u2800\u0301"}, "Someone"),
        ({"name": "\u2800Ada\u2800\u2800Lovelace\U0001d159"}, "Ada Lovelace"),
        ({"name": "Ada\U00016fe4 \ufffcLovelace\U00013441"}, "Ada Lovelace"),
        ({"name": "\U0001f984"}, "Someone"),
        ({"name": "\uff2fperator"}, "Someone"),
        ({"name": "OPERATOR", "given_name": "Ada"}, "Ada"),
        *(({"name": name, "given_name": "Ada"}, "Ada") for name in LIKE_OPERATOR),
        ({"name": "Operatora"}, "Operatora"),
        ({"name": "\u041e\u043b\u044c\u0433\u0430"}, "\u041e\u043b\u044c\u0433\u0430"),
        ({"name": "Olga Operator"}, "Olga Operator"),
        ({"name": "<b>Ada</b>"}, "<b>Ada</b>"),
        ({"name": "\ud800Ada"}, "Ada"),
        ({"name": None, "given_name": "Ada"}, "Ada"),
        ({"name": "\u200d \u200b", "given_name": "Ada"}, "Ada"),
        ({"name": None}, "Someone"),
        ({"name": 5, "given_name": []}, "Someone"),
    ],
)
def test_a_name_is_one_clean_line(function, claims, name):
    function.store(sns_record(None, function.token(**claims)))
    assert function.items()[0]["name"] == {"S": name}


@pytest.mark.parametrize(
    "picture",
    [
        None,
        5,
        "http://lh3.example/a",
        "javascript:alert(1)",
        "https://",
        "https://x/ y",
        "https://x/\n",
        "https://x/" + "y" * 2000,
    ],
)
def test_a_picture_that_is_no_https_address_is_left_out(function, picture):
    function.store(sns_record(None, function.token(picture=picture)))
    assert "picture" not in function.items()[0]


def test_one_person_is_one_user_by_either_name_of_google(function):
    for number, issuer in enumerate(("accounts.google.com", "https://accounts.google.com")):
        body = {"message": "x", "client_id": str(number)}
        function.store(sns_record(body, function.token(iss=issuer)))
    assert len({item["user"]["S"] for item in function.items()}) == 1
