"""What becomes of tokens that are forged, foreign, ended or stolen, and of verdicts on them."""

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from local.testkit.events import base64url, id_token, sns_record
from messages import BadMessage
from senders import TokenEnded, Verifier
from store_message import NotStored
from tests.support.builders import NOW_S, answer_with, calls_of, moment
from tests.support.chat.store import CLIENT_ID, counts, store_settings

ASSUME = "AssumeRoleWithWebIdentity"
OTHER = "2-b.apps.googleusercontent.com"


class Sts:
    """STS as documented: it refuses what it is told to, and counts what it was asked."""

    def __init__(self, refused=()):
        self.refused = refused
        self.asked = []

    def assume_role_with_web_identity(self, **params):
        self.asked.append(params["WebIdentityToken"])
        if params["WebIdentityToken"] in self.refused:
            error = {"Code": "InvalidIdentityToken", "Message": "refused"}
            raise ClientError({"Error": error}, ASSUME)


def test_a_forged_name_is_refused_by_its_signature(function, refusals):
    header, _, signature = function.token().split(".")
    payload = base64url(f'{{"iss": "accounts.google.com", "sub": "1", "exp": {2**40}}}')
    answer_with(function.sts, ASSUME, "InvalidIdentityToken")
    forged = sns_record(None, f"{header}.{payload}.{signature}")
    assert function.store(forged) == counts(refused=1)
    assert refusals() == ["refused_token"]


@pytest.mark.parametrize("signature", ["", "x"])
def test_a_token_that_nobody_signed_is_refused(function, refusals, signature):
    answer_with(function.sts, ASSUME, "InvalidIdentityToken")
    _, payload, _ = function.token().split(".")
    header = base64url('{"alg": "none"}')
    token = f"{header}.{payload}.{signature}"
    assert function.store(sns_record(None, token)) == counts(refused=1)
    assert refusals() == ["refused_token" if signature else "malformed_token"]


@pytest.mark.parametrize(
    "claims", [{"aud": OTHER}, {"azp": OTHER}, {"aud": None}, {"aud": [CLIENT_ID]}]
)
@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_a_token_for_another_page_is_refused(function, refusals, claims, code):
    answer_with(function.sts, ASSUME, code, 403)
    record = sns_record(None, function.token(**claims))
    assert function.store(record) == counts(refused=1)
    assert refusals() == ["refused_token"]


@pytest.mark.parametrize("claims", [{}, {"azp": CLIENT_ID}])
def test_a_role_that_denies_our_own_page_is_a_fault_that_is_raised(function, claims):
    answer_with(function.sts, ASSUME, "AccessDenied", 403, times=1)
    record = sns_record(None, function.token(**claims))
    with pytest.raises(NotStored):
        function.store(record)
    assert function.store(record) == counts(stored=1)


def cannot_get_a_key(sts):
    """Answer as STS does when it finds no key for a token, whosever fault that is."""
    error = {
        "Code": "InvalidIdentityToken",
        "Message": "Couldn't retrieve verification key from your identity provider",
    }
    answer = SimpleNamespace(status_code=400), {"Error": error, "ResponseMetadata": {}}
    sts.meta.events.register(f"before-call.sts.{ASSUME}", lambda **_: answer)


@pytest.mark.parametrize("late_s", [0, 60])
def test_google_out_of_reach_of_sts_is_a_fault_that_is_raised(function, late_s):
    cannot_get_a_key(function.sts)
    with pytest.raises(NotStored):
        function.store(sns_record(None, function.token(), Timestamp=moment(-late_s)))


@pytest.mark.parametrize("late_s", [61, 3_599])
def test_a_token_whose_key_sts_never_finds_is_refused_when_lambda_tries_again(
    function, refusals, late_s
):
    """Whoever forges a token chooses its key: it must not go round to FailuresTopic."""
    cannot_get_a_key(function.sts)
    record = sns_record(None, function.token(), Timestamp=moment(-late_s))
    assert function.store(record) == counts(refused=1)
    assert refusals() == ["unknown_key"]


def test_a_token_that_had_ended_when_the_message_was_sent_is_refused(function, refusals):
    calls = calls_of(function.sts)
    token = function.token(exp=int(function.now_s))
    assert function.store(sns_record(None, token, Timestamp=moment(0))) == counts(refused=1)
    assert refusals() == ["expired_token"]
    assert calls == []


@pytest.mark.parametrize("late_s", [61, 600])
def test_a_token_that_ended_while_aws_kept_its_message_is_raised_and_never_believed(
    function, capsys, late_s
):
    calls = calls_of(function.sts, function.dynamodb)
    token = function.token(exp=int(function.now_s) + 1)
    record = sns_record(None, token, Timestamp=moment(0.999))
    function.now_s += late_s
    with pytest.raises(NotStored):
        function.store(record)
    assert '"error": "TokenEnded"' in capsys.readouterr().out
    assert calls == []


@pytest.mark.parametrize("late_s", [1, 10, 60])
def test_a_token_that_ends_on_an_undisturbed_way_is_refused_and_trips_no_alarm(
    function, refusals, late_s
):
    """Whoever forges one can choose its end: a fault of AWS is what takes more than a minute."""
    calls = calls_of(function.sts, function.dynamodb)
    token = function.token(exp=int(function.now_s) + 1)
    record = sns_record(None, token, Timestamp=moment(0))
    function.now_s += late_s
    assert function.store(record) == counts(refused=1)
    assert refusals() == ["expired_token"]
    assert calls == []


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException"])
def test_a_token_that_ends_by_the_clock_of_sts_first_is_the_same(function, refusals, code):
    answer_with(function.sts, ASSUME, code)
    record = sns_record(None, function.token(), Timestamp=moment(-60))
    assert function.store(record) == counts(refused=1)
    assert refusals() == ["expired_token"]
    with pytest.raises(NotStored):
        function.store(sns_record(None, function.token(), Timestamp=moment(-61)))


def test_another_persons_token_speaks_for_that_person(function):
    """SNS does not tell who published: who holds a token is its person while it lives."""
    function.store(sns_record({"message": "x", "name": "Eve"}, function.token(name="Grace")))
    assert function.items()[0]["name"] == {"S": "Grace"}


STEPS = st.lists(
    st.tuples(
        st.integers(0, 3),  # which token
        st.integers(-50, 2_000),  # how far the clock goes, back too
        st.integers(0, 4_000),  # how long before that the message was sent
    ),
    max_size=40,
)


def ask(verifier, token, sent_s):
    """Return the sender's name, or why there is none."""
    try:
        return verifier.sender(token, sent_s).name
    except TokenEnded:
        return "TokenEnded"
    except BadMessage as bad:
        return bad.reason


@given(STEPS, st.lists(st.integers(1, 3_600), min_size=4, max_size=4), st.integers(1, 4))
def test_a_verdict_never_outlives_its_token_whatever_the_clock_does(steps, lives, limit):
    ends = [int(NOW_S) + life for life in lives]
    tokens = [id_token(sub=str(n), name=f"name {n}", exp=end) for n, end in enumerate(ends)]
    sts, clock = Sts(refused=tokens[3:]), SimpleNamespace(now_s=NOW_S)
    verifier = Verifier(sts, store_settings(), lambda: clock.now_s, limit)
    for which, advance_s, ago_s in steps:
        clock.now_s += advance_s
        sent_s = clock.now_s - ago_s
        answer = ask(verifier, tokens[which], sent_s)
        if clock.now_s >= ends[which]:
            refused = sent_s >= ends[which] or ago_s <= 60
            assert answer == ("expired_token" if refused else "TokenEnded")
        else:
            assert answer == ("refused_token" if which == 3 else f"name {which}")
            assert tokens[which] in sts.asked
        assert len(verifier._verdicts) <= limit


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 6))
def test_no_token_gets_anothers_verdict(order, limit):
    tokens = [id_token(sub=str(n), name=f"name {n}", exp=int(NOW_S) + 60) for n in range(6)]
    verifier = Verifier(Sts(), store_settings(), lambda: NOW_S, limit)
    for which in order:
        assert verifier.sender(tokens[which], NOW_S).name == f"name {which}"
