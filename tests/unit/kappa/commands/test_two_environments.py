"""Environments that share a function, an alias each: what is one's is not the other's.

Every order of commands of both; the account is in memory, by AWS's recorded answers.
"""

import random

import pytest

from kappa.commands.event_sources import read_sources_status
from kappa.commands.session import Session, with_publishing
from kappa.config.model import Image, KeyFilter, Url
from kappa.errors import Conflict, NotFound
from kappa.plan.step import Step
from kappa.sources.report import sources_data
from tests.support.builders import kappa_config
from tests.support.kappa import sessions
from tests.support.kappa.account import FUNCTION, ROLE, Account
from tests.support.samples import ALL
from tests.unit.kappa.sources.test_alias_choice import COMMANDS, QUEUE, TOPIC

BUCKET = "arn:aws:s3:::photos"
IMAGE = Image(uri=f"{sessions.IMAGE}1")
REFUSED = (Conflict, NotFound)


def sources(environment, **rule):
    keys = (KeyFilter(type="prefix", value=f"{environment}/"),)
    return (
        {"arn": TOPIC},
        {"arn": QUEUE},
        {"arn": BUCKET, "events": ("s3:ObjectCreated:*",), "key_filters": keys},
        {"name": f"nightly-{environment}", "schedule": "rate(1 day)", **rule},
    )


class File:
    """One file with the environments dev and prod; prod's alias may be the function itself."""

    def __init__(self, prod="prod", sources=sources, url=True):
        self.aws = Account([TOPIC], ["photos"])
        self.aliases = {"dev": "dev", "prod": prod}
        self.sources, self.url = sources, url

    def session(self, environment, given=""):
        alias = self.aliases[environment]
        section = {
            "path": "",
            "handler": "",
            "runtime": "",
            "image": IMAGE,
            "environment": {"STAGE": environment},
            "alias": alias,
            "publish": bool(alias),
            "sources": self.sources(environment),
            "url": Url(auth="NONE") if self.url else None,
        }
        other = {"dev": "prod", "prod": "dev"}[environment]
        other_aliases = frozenset({other, self.aliases[other]}) - {alias}
        config = kappa_config(
            section, role={"arn": ROLE}, environment=environment, other_aliases=other_aliases
        )
        options = {"publish": True, "alias": given} if given else {}
        return with_publishing(Session(config, self.aws), options)

    def planned(self, word):
        """Plan "ENVIRONMENT COMMAND", or ENVIRONMENT COMMAND:ALIAS; return session and plan."""
        environment, _, command = word.partition(" ")
        name, _, given = command.partition(":")
        session = self.session(environment, given)
        return session, COMMANDS[name](session)

    def plan(self, word):
        return self.planned(word)[1]

    def run(self, word):
        return sessions.carry_out(*self.planned(word))

    def kept(self, word):
        return [message for mark, message in self.run(word) if mark == "kept"]

    def of(self, alias):
        """All that hangs on an alias: how often each source is delivered, URL, permissions."""
        found = {kind: some.count(alias) for kind, some in self.aws.deliveries().items()}
        url = self.aws.urls.get(alias, {}).get("FunctionUrl")
        version = self.aws.versions.get(self.aws.aliases.get(alias), {}).get("Environment")
        return found, url, sorted(self.aws.policies.get(alias, {})), version


ONE_EACH = {"sns": 1, "sqs": 1, "s3": 1, "events": 1}
NONE = dict.fromkeys(ONE_EACH, 0)
WORDS = ("deploy", "add", "update", "code", "create", "enable", "disable", "remove", "rollback")
ORDER = [f"{one} {word}" for one in ("dev", "prod") for word in WORDS]


def live_through(file, order):
    for word in order:
        environment, _, command = word.partition(" ")
        own = file.aliases[environment]
        (theirs,) = set(file.aliases.values()) - {own}
        before = file.of(theirs)
        try:
            file.run(word)
        except REFUSED:
            assert command != "deploy", f"{word} was refused"
        if theirs:
            assert file.of(theirs) == before, f"{word} changed what is {theirs}'s"
        else:
            assert file.of(theirs)[:3] == before[:3], f"{word} changed what is the function's own"
        delivered, url, given, _ = file.of(own)
        assert max(delivered.values()) <= 1
        if command == "deploy":
            assert delivered == ONE_EACH
            assert url
            assert len(given) == 5
            again = [item for item in file.plan(word) if isinstance(item, Step)]
            assert again == [], "a second deploy changes something"
        elif command == "remove":
            assert (delivered, url, given) == (NONE, None, [])
        elif command == "disable":
            assert delivered == NONE


@pytest.mark.parametrize("prod", ["prod", ""])
@pytest.mark.parametrize("second", ORDER)
def test_no_command_of_one_environment_changes_what_is_the_others(second, prod):
    begin = ORDER.index(second) % 4
    for third in ORDER if ALL else ORDER[begin::4]:
        for first in (("dev deploy", "prod deploy"), ("prod deploy", "dev deploy")):
            live_through(File(prod), (*first, second, third))


@pytest.mark.parametrize("seed", range(20))
def test_after_any_ten_commands_each_environment_has_its_own(seed):
    chance = random.Random(seed)
    file = File(chance.choice(["prod", ""]))
    live_through(file, (*chance.choices(ORDER, k=10), "dev deploy", "prod deploy"))
    file.run("dev delete")
    file.run("prod delete")
    assert file.aws.left() == []


def test_what_is_the_other_environments_is_named():
    file = File()
    file.run("prod deploy")
    address, theirs = file.aws.urls["prod"], "(of another environment of config.yml)"
    assert file.kept("dev deploy") == [
        f"event source sns news on the alias prod {theirs}",
        f"event source sqs orders on the alias prod {theirs}",
        f"event source s3 photos on the alias prod {theirs}",
        f"function URL on the alias prod {theirs}",
    ]
    assert file.aws.urls["prod"] == address
    assert sorted(file.aws.urls) == ["dev", "prod"]


def test_status_calls_a_source_of_each_environment_no_double():
    file = File()
    file.run("prod deploy")
    session = file.session("dev")
    data = sources_data(*read_sources_status(session))
    assert {one["state"] for one in data} == {"missing"}
    file.run("dev deploy")
    data = sources_data(*read_sources_status(session))
    assert all(one["qualifiers"] == ["dev"] and "problem" not in one for one in data)


def shared_rule(_environment):
    return ({"name": "nightly", "schedule": "rate(1 day)"},)


def test_a_rule_that_both_environments_name_invokes_both():
    file = File(sources=shared_rule, url=False)
    file.run("prod deploy")
    file.run("dev deploy")
    assert file.aws.deliveries()["events"] == ["dev", "prod"]
    assert file.kept("dev remove")
    assert file.aws.deliveries()["events"] == ["prod"]


@pytest.mark.parametrize("word", ["dev disable", "dev deploy"])
def test_a_rule_of_both_environments_is_not_changed_for_one(word):
    file = File(sources=shared_rule, url=False)
    file.run("prod deploy")
    file.run("dev deploy")
    file.sources = lambda _: ({"name": "nightly", "schedule": "rate(2 days)"},)
    with pytest.raises(Conflict, match="is of another environment or config too") as error:
        file.plan(word)
    assert "nightly-${environment}" in error.value.hint


def test_one_bucket_cannot_notify_both_environments_of_the_same_keys():
    def same(_environment):
        return ({"arn": BUCKET, "events": ("s3:ObjectCreated:*",)},)

    file = File(sources=same, url=False)
    file.run("prod deploy")
    with pytest.raises(Conflict, match=r"already notifies \S+:prod of such keys"):
        file.plan("dev deploy")
    assert file.aws.deliveries()["s3"] == ["prod"]


def test_the_notification_that_an_older_kappa_made_for_the_other_environment_stays():
    file = File(sources=lambda one: sources(one)[2:3], url=False)
    file.run("prod deploy")
    (made,) = file.aws.buckets["photos"]["LambdaFunctionConfigurations"]
    made["Id"] = "kappa-greeter"
    file.run("dev deploy")
    assert file.aws.deliveries()["s3"] == ["dev", "prod"]
    file.run("dev remove")
    assert file.aws.buckets["photos"]["LambdaFunctionConfigurations"] == [made]


def test_an_alias_that_is_named_gets_the_sources_of_its_own_environment():
    file = File()
    file.run("prod deploy")
    file.run("dev deploy")
    before = file.of("prod")
    file.run("dev deploy:blue")
    assert file.of("dev")[0] == NONE
    assert file.of("blue")[0] == ONE_EACH
    assert file.of("prod") == before


def test_the_other_environments_dead_subscription_is_not_this_ones_business():
    file = File(sources=lambda one: sources(one)[:1], url=False)
    file.run("prod deploy")
    file.aws.delete_alias("prod")
    file.run("dev deploy")
    ends = sorted(one["Endpoint"] for one in file.aws.subscriptions.values())
    assert ends == [f"{FUNCTION}:dev", f"{FUNCTION}:prod"]
