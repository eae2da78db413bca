"""What the page gets from the publisher: its config, the addresses it may call, its URL."""

import msgspec
import pytest

from kappa.errors import ConfigError
from lambda_chat.site import page_config
from tests.support.builders import chat_config

CONFIG = chat_config()


def test_the_page_is_told_exactly_what_it_needs():
    addresses = page_config.endpoints("eu-west-1", "")
    assert page_config.page_config(CONFIG, "eu-west-1", addresses) == {
        "bucket": "my-chat",
        "dataPrefix": "data/",
        "endpoints": {
            "sts": "https://sts.eu-west-1.amazonaws.com",
            "sns": "https://sns.eu-west-1.amazonaws.com",
            "dynamodb": "https://dynamodb.eu-west-1.amazonaws.com",
            "s3": "https://s3.eu-west-1.amazonaws.com",
        },
        "googleClientId": "1-a.apps.googleusercontent.com",
        "history": 20,
        "push": None,
        "rateLimit": {"messages": 10, "seconds": 10},
        "region": "eu-west-1",
        "roleArn": "arn:aws:iam::111122223333:role/R",
        "table": "Messages",
        "topicArn": "arn:aws:sns:eu-west-1:111122223333:T",
    }


PUSHING = chat_config(
    push=True,
    push_endpoint="a1b2-ats.iot.eu-west-1.amazonaws.com",
    push_topics="Lambda-Chat/channel/*",
)
BROKER = "wss://a1b2-ats.iot.eu-west-1.amazonaws.com/mqtt"


def test_with_push_the_page_knows_its_broker_its_topics_and_its_client_ids():
    assert page_config.push_url(PUSHING, "") == BROKER
    assert page_config.page_config(PUSHING, "eu-west-1", {}, BROKER)["push"] == {
        "url": BROKER,
        "topics": "Lambda-Chat/channel/",
        "clients": "Lambda-Chat-",
    }


def test_with_push_the_policy_names_the_one_broker():
    said = page_config.placeholders(["https://a.example"], "https://b.example", BROKER)
    assert said["connect_src"] == ("https://a.example wss://a1b2-ats.iot.eu-west-1.amazonaws.com")


def test_an_emulators_broker_speaks_without_tls_at_its_port():
    config = msgspec.structs.replace(PUSHING, push_endpoint="a-ats.iot.us-east-1.localhost:4566")
    url = page_config.push_url(config, "http://127.0.0.1:4566")
    assert url == "ws://a-ats.iot.us-east-1.localhost:4566/mqtt"
    said = page_config.placeholders([], "https://b.example", url)
    assert said["connect_src"] == "ws://a-ats.iot.us-east-1.localhost:4566"


def test_values_that_were_saved_for_push_are_unused_without_it():
    assert page_config.push_url(msgspec.structs.replace(PUSHING, push=False), "") == ""


@pytest.mark.parametrize(
    "url", ["https://a/mqtt", "wss://a; script-src */mqtt", "wss:///mqtt", "ws://a'/mqtt"]
)
def test_a_broker_that_could_break_the_policy_is_refused(url):
    with pytest.raises(ConfigError, match="is not a ws or wss address"):
        page_config.placeholders([], "https://accounts.google.com", url)


@pytest.mark.parametrize(
    ("text", "told"),
    [("5/60s", {"messages": 5, "seconds": 60}), ("0", {"messages": 1, "seconds": 0})],
)
def test_the_page_knows_the_rate_that_a_sender_may_have(text, told):
    config = msgspec.structs.replace(CONFIG, rate_limit=text)
    assert page_config.page_config(config, "eu-west-1", {})["rateLimit"] == told


def test_another_endpoint_serves_every_service():
    addresses = page_config.endpoints("us-east-1", "http://127.0.0.1:4566")
    assert set(addresses.values()) == {"http://127.0.0.1:4566"}
    assert page_config.placeholders(addresses.values(), "http://127.0.0.1:9/x") == {
        "connect_src": "http://127.0.0.1:4566",
        "identity_origin": "http://127.0.0.1:9",
    }


@pytest.mark.parametrize(
    ("region", "endpoint_url", "url"),
    [
        ("eu-west-1", "", "https://my-chat.s3.eu-west-1.amazonaws.com/index.html"),
        ("cn-north-1", "", "https://my-chat.s3.cn-north-1.amazonaws.com.cn/index.html"),
        ("us-gov-west-1", "", "https://my-chat.s3.us-gov-west-1.amazonaws.com/index.html"),
        ("us-iso-east-1", "", "https://my-chat.s3.us-iso-east-1.c2s.ic.gov/index.html"),
        ("eusc-de-east-1", "", "https://my-chat.s3.eusc-de-east-1.amazonaws.eu/index.html"),
        ("eu-moon-1", "", "https://my-chat.s3.eu-moon-1.amazonaws.com/index.html"),
        ("us-east-1", "http://127.0.0.1:4566", "http://127.0.0.1:4566/my-chat/index.html"),
    ],
)
def test_the_url_of_the_page(region, endpoint_url, url):
    assert page_config.page_url("my-chat", region, endpoint_url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://a",
        "accounts.google.com",
        "http://a; script-src *",
        "https://a'unsafe-inline'",
        'https://a"><script>',
        "https://",
        "http://[::1",
        "",
    ],
)
def test_an_address_that_could_break_the_policy_is_refused(url):
    with pytest.raises(ConfigError, match="is not an http or https address"):
        page_config.placeholders([url], "https://accounts.google.com")
