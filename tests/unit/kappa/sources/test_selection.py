"""Which event sources a command line names."""

import pytest

from kappa.config.model import Url
from kappa.errors import ConfigError
from kappa.sources.selection import select
from tests.support.builders import kappa_config
from tests.support.kappa.event_sources import PHOTOS, STREAM, TOPIC

NAMESAKE = "arn:aws:sqs:us-east-1:123456789012:news"
URL_TOPIC = "arn:aws:sns:us-east-1:123456789012:url"


def config(*sources, url=None):
    said = [{"arn": one} if isinstance(one, str) else one for one in sources]
    return kappa_config({"sources": said, "url": url})


def chosen(has, *names):
    function = select(has, names).function
    return [one.key for one in function.event_sources], function.url is not None


def test_sources_are_chosen_by_name_or_arn():
    has = config(TOPIC, STREAM, url=Url(auth="NONE"))
    assert chosen(has, "clicks") == ([STREAM], False)
    assert chosen(has, TOPIC, "url") == ([TOPIC], True)
    assert chosen(has, "lambda.url") == ([], True)
    assert select(has, []) is has


def test_all_sources_of_one_bucket_are_one_name():
    assert chosen(config(PHOTOS, PHOTOS, TOPIC), "photos") == ([PHOTOS["arn"]] * 2, False)


def test_a_name_that_fits_several_sources_is_refused_with_their_arns():
    has = config(TOPIC, NAMESAKE, STREAM)
    with pytest.raises(ConfigError, match="several event sources news") as error:
        select(has, ["clicks", "news"])
    assert (error.value.exit_code, TOPIC in error.value.hint, NAMESAKE in error.value.hint) == (
        2,
        True,
        True,
    )
    assert chosen(has, NAMESAKE) == ([NAMESAKE], False)


def test_a_rule_is_told_from_its_namesake_by_its_whole_name():
    has = config(TOPIC, {"name": "news", "schedule": "rate(1 day)"})
    with pytest.raises(ConfigError, match="several event sources news") as error:
        select(has, ["news"])
    assert "greeter-news" in error.value.hint
    assert chosen(has, "greeter-news") == (["news"], False)


def test_a_source_that_is_called_url_is_not_the_functions_url():
    has = config(URL_TOPIC, url=Url(auth="AWS_IAM"))
    with pytest.raises(ConfigError, match="several event sources url") as error:
        select(has, ["url"])
    assert error.value.hint.endswith(f"{URL_TOPIC}, lambda.url")
    assert chosen(has, URL_TOPIC) == ([URL_TOPIC], False)
    assert chosen(has, "lambda.url") == ([], True)
    assert chosen(config(URL_TOPIC), "url") == ([URL_TOPIC], False)


def test_a_source_that_the_config_has_not_is_said():
    with pytest.raises(ConfigError, match="no event source nwes") as error:
        select(config(TOPIC), ["nwes"])
    assert error.value.hint == "Did you mean `news`?"
    with pytest.raises(ConfigError, match="no event source nope") as error:
        select(config(), ["nope"])
    assert error.value.hint == "It names none."
