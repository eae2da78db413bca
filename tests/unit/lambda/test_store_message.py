import json
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest
from botocore import UNSIGNED
from botocore.exceptions import EndpointConnectionError

import store_message
from local.testkit.events import attribute, id_token, operator_record, sns_record
from store_message import NotStored, handler, store
from store_settings import Rate, read_settings
from tests.support.builders import NOW_S, answer_with, calls_of, moment, row
from tests.support.chat.store import ENVIRON, RATE_TABLE, conflict, counts, store_settings
from transactions import TRIES, Tables

EVENTS = Path(__file__).parents[2] / "data" / "events"


def test_a_message_becomes_the_item_of_the_contract(function):
    body = {"message": "Hello", "channel": "tea-room", "client_id": "01ARZ3NDEK"}
    assert function.store(function.record(body)) == counts(stored=1)
    user = sha256(b"https://accounts.google.com#110169484474386276334").hexdigest()[:16]
    assert function.items() == [
        row(
            sent_at="2026-01-01T12:00:00.123Z",
            client_id="01ARZ3NDEK",
            channel="tea-room",
            message="Hello",
            user=user,
            picture="https://lh3.googleusercontent.com/a/ada",
        )
    ]


def test_a_recorded_delivery_of_sns_is_stored(function):
    recorded = json.loads((EVENTS / "sns_delivery.json").read_text())
    attributes = recorded["Records"][0]["Sns"]["MessageAttributes"]
    attributes["id_token"]["Value"] = function.token()
    assert function.store(*recorded["Records"])["stored"] == 1
    assert function.items()[0]["sent_at"] == {"S": "2026-11-23T08:15:30.000Z"}


def test_a_message_without_client_id_is_named_by_sns(function):
    function.store(function.record({"message": "Hello"}))
    assert function.items()[0]["id"] == {
        "S": "2026-01-01T12:00:00.123Z#95df01b4-ee98-5cb9-9903-4c221d41eb5e"
    }
    assert "client_id" not in function.items()[0]
    assert function.items()[0]["channel"] == {"S": "default"}


def test_a_second_delivery_of_the_same_message_is_counted_and_changes_nothing(function):
    record = function.record()
    function.store(record)
    before = function.items()
    assert function.store(record, record) == counts(duplicate=2)
    assert function.items() == before


def again(function, body, at_s, **claims):
    """What a page sends once more: SNS gives it another id and a later time."""
    token = function.token(**claims)
    return sns_record(body, token, Timestamp=moment(at_s), MessageId=f"again-{at_s}")


def test_a_message_that_its_page_sends_again_is_a_duplicate_for_a_week(function):
    body = {"message": "once", "client_id": "c1", "channel": "tea"}
    assert function.store(again(function, body, 0)) == counts(stored=1)
    before = function.items()
    assert function.store(again(function, body, 40), again(function, body, 80)) == counts(
        duplicate=2
    )
    assert function.items() == before
    (sent,) = [one for one in function.items(RATE_TABLE) if "n" not in one]
    assert sent == {
        "user": {"S": f"{before[0]['user']['S']}#tea#c1"},
        "expires_at": {"N": str(int(NOW_S) + 7 * 86_400)},
    }


def test_a_text_that_was_deleted_does_not_come_back_when_its_page_sends_it_again(function):
    body = {"message": "regretted", "client_id": "c1"}
    function.store(again(function, body, 0))
    delete = {"action": "delete", "id": f"{moment(0)}#c1", "client_id": "d1"}
    assert function.store(again(function, delete, 5)) == counts(changed=1)
    assert function.store(again(function, body, 40)) == counts(duplicate=1)
    assert [item for item in function.items() if "message" in item] == []


@pytest.mark.parametrize("differs", [{"client_id": "c2"}, {"channel": "tea"}])
def test_another_client_id_or_channel_is_another_message(function, differs):
    body = {"message": "x", "client_id": "c1"}
    records = [again(function, body, 0), again(function, body | differs, 1)]
    assert function.store(*records) == counts(stored=2)


def test_another_persons_client_id_is_another_message(function):
    body = {"message": "x", "client_id": "c1"}
    records = [again(function, body, 0, sub="1"), again(function, body, 1, sub="2")]
    assert function.store(*records) == counts(stored=2)


def late(function, late_s, **body):
    """A message that SNS had at NOW_S; AWS hands it over so much later."""
    record = sns_record({"message": "late", **body}, function.token(), Timestamp=moment(0))
    function.now_s = NOW_S + late_s
    return record


@pytest.mark.parametrize(("late_s", "stands_s"), [(0, 0), (2, 0), (2.5, 2.5), (600, 600)])
def test_a_message_stands_where_it_was_sent_or_when_it_came_late_where_it_is_stored(
    function, late_s, stands_s
):
    function.store(late(function, late_s, client_id="c1"))
    (item,) = function.items()
    assert item["id"]["S"] == f"{moment(stands_s)}#c1"
    assert item["sent_at"]["S"] == moment(0)


@pytest.mark.parametrize("named", [{"client_id": "c1"}, {}])
def test_a_late_message_is_stored_once_whenever_it_is_delivered_again(function, named):
    function.store(late(function, 10, **named))
    before = function.items()
    for late_s in (10, 70, 3_000):
        assert function.store(late(function, late_s, **named)) == counts(duplicate=1)
    assert function.items() == before


def test_a_message_that_was_in_time_is_not_stored_again_when_it_comes_late_too(function):
    function.store(late(function, 1, client_id="c1"))
    assert function.store(late(function, 60, client_id="c1")) == counts(duplicate=1)
    assert len(function.items()) == 1


def test_a_write_that_has_to_wait_for_long_stands_where_it_is_stored(function):
    function.now_s = NOW_S + 1.5
    conflict(function, 1)
    function.service = function.service._replace(
        tables=Tables(function.dynamodb, lambda _s: setattr(function, "now_s", NOW_S + 3.5))
    )
    record = sns_record({"message": "b", "client_id": "c1"}, function.token(), Timestamp=moment(0))
    assert function.store(record) == counts(stored=1)
    assert [item["id"]["S"] for item in function.items()] == [f"{moment(3.5)}#c1"]


def test_what_was_refused_is_stored_when_its_page_sends_it_again(function, refusals):
    function.set_up(rate=Rate(1, 10))
    body = {"message": "x", "client_id": "c1"}
    function.store(again(function, {"message": "first"}, 0))
    assert function.store(again(function, body, 1)) == counts(refused=1)
    assert refusals() == ["too_fast"]
    assert function.store(again(function, body, 30)) == counts(stored=1)


def test_an_operator_who_sends_an_announcement_again_makes_one_row(function):
    record = operator_record({"message": "Noon", "client_id": "noon"})
    assert function.store(record) == counts(stored=1)
    function.now_s += 60
    assert function.store(record) == counts(duplicate=1)


def test_every_record_of_an_event_is_stored_though_some_are_bad(function):
    records = [function.record({"message": f"{n}", "client_id": f"{n}"}) for n in range(5)]
    records[1:1] = [function.record("no JSON"), sns_record()]
    assert function.store(*records) == counts(stored=5, refused=2)
    assert {item["message"]["S"] for item in function.items()} == {"0", "1", "2", "3", "4"}


def test_a_message_costs_one_write_and_sts_only_the_first_time(function):
    calls = calls_of(function.dynamodb, function.sts)
    token = function.token()
    for n in range(3):
        function.store(sns_record({"message": "Hello", "client_id": str(n)}, token))
    assert calls == [
        "AssumeRoleWithWebIdentity",
        "TransactWriteItems",
        "TransactWriteItems",
        "TransactWriteItems",
    ]


def test_a_bad_message_costs_no_call(function):
    calls = calls_of(function.dynamodb, function.sts)
    function.store(function.record("[]"), sns_record(), sns_record(None, function.token(exp=1)))
    assert calls == []


def test_a_lost_connection_is_raised(function):
    def cut(**_):
        raise EndpointConnectionError(endpoint_url="https://dynamodb.us-east-1.amazonaws.com")

    function.dynamodb.meta.events.register("before-call.dynamodb.TransactWriteItems", cut)
    with pytest.raises(NotStored):
        function.store(function.record())


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_failing_record_loses_no_other_and_a_second_run_stores_it(function, place):
    records = [function.record({"message": "x", "client_id": str(n)}) for n in range(3)]

    def is_third(params):
        return f'#{place}"' in params["body"].decode()

    answer_with(
        function.dynamodb,
        "TransactWriteItems",
        "InternalServerError",
        500,
        times=TRIES,
        when=is_third,
    )
    with pytest.raises(NotStored, match="1 of 3 records failed"):
        function.store(*records)
    assert len(function.items()) == 2
    assert function.store(*records) == counts(stored=1, duplicate=2)


def test_a_denied_write_is_raised_not_swallowed(function):
    answer_with(function.dynamodb, "TransactWriteItems", "AccessDeniedException")
    with pytest.raises(NotStored):
        function.store(function.record())


def test_an_operator_speaks_without_a_token_under_the_name_given(function):
    calls = calls_of(function.sts)
    function.store(operator_record({"message": "Noon", "name": "The janitor"}))
    stored = function.items()[0]
    assert stored["name"] == {"S": "The janitor"}
    assert stored["kind"] == {"S": "operator"}
    assert stored["user"] == {"S": sha256(b"operator").hexdigest()[:16]}
    assert stored["id"] == {"S": "2026-01-01T12:00:00.000Z#request-1-0"}
    assert calls == []


@pytest.mark.parametrize("name", [None, "", " \n", 5, ["x"]])
def test_an_operator_without_a_name_is_called_operator(function, name):
    function.store(operator_record({"message": "Noon", "name": name}))
    assert function.items()[0]["name"] == {"S": "Operator"}


@pytest.mark.parametrize("ahead_s", [1, 7_200, 30 * 365 * 86_400])
def test_an_announcement_from_a_clock_that_is_ahead_stands_where_it_is_stored(function, ahead_s):
    record = operator_record({"message": "Noon", "client_id": "noon"})
    record["Sns"]["Timestamp"] = moment(ahead_s).removesuffix("Z")  # a wall clock east of UTC
    assert function.store(record) == counts(stored=1)
    stored = function.items()[0]
    assert (stored["id"], stored["sent_at"]) == ({"S": f"{moment(0)}#noon"}, {"S": moment(0)})


def test_two_operator_records_of_one_event_are_two_messages(function):
    assert function.store(operator_record(), operator_record())["stored"] == 2


def test_nobody_becomes_an_operator_through_sns(function):
    record = sns_record({"message": "x", "EventSource": "lambda-chat:operator"})
    record["Sns"]["MessageAttributes"] = {"EventSource": attribute("lambda-chat:operator")}
    assert function.store(record)["refused"] == 1


def test_the_shipped_input_is_a_welcome_by_an_operator(function):
    shipped = json.loads(Path("lambda/sns/input.json").read_text())
    assert store(shipped, function.service, "r")["stored"] == 1
    assert function.items()[0]["kind"] == {"S": "operator"}


def test_a_retention_gives_each_item_its_end(function):
    function.set_up(retention_days=30)
    function.store(function.record(Timestamp="2026-01-01T12:00:00.900Z"))
    assert function.items()[0]["expires_at"] == {"N": str(int(NOW_S) + 30 * 86_400)}


def test_nothing_personal_reaches_the_log(function, capsys):
    answer_with(function.dynamodb, "TransactWriteItems", "InternalServerError", 500, times=TRIES)
    secret = {"message": "my secret", "client_id": "1", "channel": "hideout"}
    token = function.token(given_name="Augusta")
    with pytest.raises(NotStored):
        function.store(sns_record(secret, token))
    function.store(sns_record(secret, token))
    function.store(sns_record(secret | {"client_id": "my secret"}, token))
    function.store(sns_record("my secret", token), sns_record(secret, token[:-1] + "\n"))
    function.store(sns_record(secret, token, MessageId="my secret"))
    answer_with(function.sts, "AssumeRoleWithWebIdentity", "IDPRejectedClaim")
    function.store(sns_record(secret, function.token(sub="220")))
    written = capsys.readouterr()
    for private in (token, "my secret", "ada@example.com", "1101694844", "Ada", "Augusta", "hideo"):
        assert private not in written.out + written.err
    assert all(json.loads(line)["request_id"] == "request-1" for line in written.out.splitlines())


def test_a_refused_record_can_be_found_by_its_ids(function, capsys):
    answer_with(function.sts, "AssumeRoleWithWebIdentity", "InvalidIdentityToken")
    function.store(function.record())
    refused, done = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    del refused["_aws"]
    assert refused == {
        "level": "WARN",
        "event": "refused",
        "request_id": "request-1",
        "message_id": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        "reason": "refused_token",
        "code": "InvalidIdentityToken",
        "function": "store-message",
        "refused": 1,
    }
    assert done["refused"] == 1


def test_a_wrong_environment_is_told_in_one_line():
    with pytest.raises(ValueError, match=r"TABLE_NAME .*IDENTITY_ROLE_ARN .*RETENTION_DAYS "):
        read_settings({"RETENTION_DAYS": "soon"})


@pytest.mark.parametrize(("days", "expected"), [(None, 0), ("", 0), ("0", 0), ("90", 90)])
def test_retention_is_optional(days, expected):
    environ = ENVIRON | ({} if days is None else {"RETENTION_DAYS": days})
    assert read_settings(environ) == store_settings(retention_days=expected)


@pytest.fixture
def container(function, monkeypatch):
    """What a fresh container makes of its environment."""
    environ = {
        **ENVIRON,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    store_message.service.cache_clear()
    yield store_message.service
    store_message.service.cache_clear()


def test_the_handler_answers_with_counts(container):
    record = sns_record(None, id_token())
    answer = handler({"Records": [record, record]}, SimpleNamespace(aws_request_id="request-2"))
    assert answer == counts(stored=1, duplicate=1)


def test_clients_are_made_once_a_container(container):
    assert container() is container()


def test_sts_is_asked_unsigned_in_the_functions_own_region(container, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    sts = container().verifier._sts
    assert sts.meta.endpoint_url == "https://sts.eu-west-1.amazonaws.com"
    assert sts.meta.config.signature_version is UNSIGNED
