import gc

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from aws_clients import ONE_TRY, make_clients
from iot_topics import TRIES, Topics
from tests.support.builders import answer_with


@pytest.fixture
def iot(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    url = "https://a1b2-ats.iot.eu-west-1.amazonaws.com"
    (client,) = make_clients({"iot-data": ONE_TRY}, {"iot-data": url})
    gc.unfreeze()
    return client


class Broker:
    """Keeps the requests of a client, and fails the first ones."""

    def __init__(self, iot, failing=0, error=None):
        self.requests = []
        self._left = failing
        self._error = error or ConnectionClosedError(endpoint_url="broker")
        iot.meta.events.register("before-send.iot-data-plane.Publish", self._answer)

    def _answer(self, request, **_):
        self.requests.append(request)
        if self._left:
            self._left -= 1
            raise self._error
        return Answer()


class Answer:
    status_code, headers, content, text = 200, {}, b"", ""


def test_a_channel_s_topic_gets_the_bytes_once_and_the_request_is_signed(iot):
    broker = Broker(iot)
    Topics(iot, "Tea/channel/*").publish("green-tea", '{"é":1}'.encode())
    (request,) = broker.requests
    host = "https://a1b2-ats.iot.eu-west-1.amazonaws.com"
    assert request.url == f"{host}/topics/Tea%2Fchannel%2Fgreen-tea?qos=0"
    assert request.body == '{"é":1}'.encode()
    assert b"/eu-west-1/iotdata/aws4_request" in request.headers["Authorization"]


def test_a_channel_s_topic_is_told_before_anything_is_published(iot):
    broker = Broker(iot)
    assert Topics(iot, "Tea/channel/*").topic("green-tea") == "Tea/channel/green-tea"
    assert not broker.requests


def test_a_connection_that_ended_while_the_container_was_frozen_is_opened_again(iot):
    broker = Broker(iot, failing=TRIES - 1)
    Topics(iot, "Tea/channel/*").publish("default", b"{}")
    assert len(broker.requests) == TRIES


def test_an_error_that_stays_is_raised_after_two_tries(iot):
    broker = Broker(iot, failing=100)
    with pytest.raises(ConnectionClosedError):
        Topics(iot, "Tea/channel/*").publish("default", b"{}")
    assert len(broker.requests) == TRIES


def test_a_refusal_is_raised_with_its_code_and_not_tried_again(iot):
    requests = []
    answer_with(
        iot, "Publish", "ForbiddenException", 403, when=lambda it: requests.append(it) is None
    )
    with pytest.raises(ClientError, match="ForbiddenException"):
        Topics(iot, "Tea/channel/*").publish("default", b"{}")
    assert len(requests) == 1
