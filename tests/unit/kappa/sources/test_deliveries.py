"""Where deliveries go: sources, URL, permissions and asynchronous settings follow lambda.alias.

The account is in memory, by AWS's recorded answers; the commands are kappa's own.
"""

from collections import Counter

import pytest

from kappa.commands.delete import plan_delete
from kappa.commands.deploy_plan import plan_create, plan_deploy, plan_update_code
from kappa.commands.event_sources import (
    plan_add_event_sources,
    plan_remove_event_sources,
    plan_switch_event_sources,
    plan_update_event_sources,
    read_sources_status,
)
from kappa.commands.session import Session, with_publishing
from kappa.config.model import Async, Image, Permission, Url
from kappa.errors import Conflict
from kappa.plan.step import Step
from kappa.sources.report import sources_data
from tests.support.builders import kappa_config
from tests.support.kappa import sessions
from tests.support.kappa.account import FUNCTION, ROLE, Account
from tests.support.kappa.event_sources import QUEUE, TOPIC

SOURCES = (
    {"arn": TOPIC},
    {"arn": QUEUE},
    {"arn": "arn:aws:s3:::photos", "events": ("s3:ObjectCreated:*",)},
    {"name": "nightly", "schedule": "rate(1 day)"},
)
KINDS = {"sns": 0, "sqs": 1, "s3": 2, "events": 3}
COMMANDS = {
    "add": plan_add_event_sources,
    "code": plan_update_code,
    "create": plan_create,
    "delete": plan_delete,
    "deploy": plan_deploy,
    "disable": lambda session: plan_switch_event_sources(session, (), enabled=False),
    "enable": lambda session: plan_switch_event_sources(session, (), enabled=True),
    "remove": lambda session: plan_remove_event_sources(session, ()),
    "update": plan_update_event_sources,
}


class Life:
    """A function's account, and kappa's commands on it."""

    def __init__(self, *words, **function):
        self.aws = Account([TOPIC], ["photos"])
        self.function = {
            "path": "",
            "handler": "",
            "runtime": "",
            "image": Image(uri=f"{sessions.IMAGE}1"),
            "sources": SOURCES,
            "url": Url(auth="NONE"),
            "async_": Async(maximum_retry_attempts=1),
        } | function
        for word in words:
            self.run(word)

    def session(self, word):
        """The session of "COMMAND", "COMMAND@lambda.alias" or "COMMAND:the option --alias"."""
        command, _, alias = word.partition("@")
        config = kappa_config(self.function | {"alias": alias}, role={"arn": ROLE})
        given = command.partition(":")[2]
        options = {"publish": True, "alias": given} if given else {}
        return with_publishing(Session(config, self.aws), options)

    def plan(self, word):
        return COMMANDS[word.partition("@")[0].partition(":")[0]](self.session(word))

    def run(self, word):
        return sessions.carry_out(self.session(word), self.plan(word))

    def hand_made(self, *aliases):
        """Let somebody else deliver each source on these aliases too; "" is the function."""
        for alias in aliases:
            if alias:
                self.aws.aliases.setdefault(alias, "$LATEST")
            arn = f"{FUNCTION}:{alias}" if alias else FUNCTION
            self.aws.sns_subscribe(TOPIC, arn)
            name = arn.rpartition("function:")[2]
            self.aws.lambda_create_event_source_mapping(FunctionName=name, EventSourceArn=QUEUE)
            targets = self.aws.rules["greeter-nightly"]["targets"]
            targets[f"hand-{alias}"] = {"Id": f"hand-{alias}", "Arn": arn}

    def places(self, kind):
        return self.aws.deliveries()[kind]

    def statements(self, alias=""):
        return sorted(self.aws.policies.get(alias, {}))


# lambda.alias before, and now; deliveries made by hand between; deliveries of each kind after.
ROWS = [
    ("", "", (), [""]),
    ("", "live", (), ["live"]),
    ("live", "live", (), ["live"]),
    # Those on other aliases are left.
    ("live", "", (), ["", "live"]),
    ("blue", "live", (), ["blue", "live"]),
    ("live", "live", ("",), ["live"]),
    ("live", "live", ("canary",), ["canary", "live"]),
    ("", "", ("canary",), ["", "canary"]),
    ("", "live", ("canary",), ["canary", "live"]),
]


@pytest.mark.parametrize("command", ["deploy", "add", "update"])
@pytest.mark.parametrize(
    ("kind", "before", "now", "by_hand", "after"),
    [
        (kind, *row)
        for kind in KINDS
        for row in ROWS
        # S3 notifies one place only of a key: see test_s3.
        if kind != "s3" or len(row[-1]) == 1
    ],
)
def test_deliveries_follow_the_alias_of_the_config(kind, before, now, by_hand, after, command):
    source = SOURCES[KINDS[kind]]
    life = Life(f"deploy@{before}", sources=SOURCES)
    life.hand_made(*by_hand)
    life.function["sources"] = (source,)
    life.run(f"code@{now}")
    if command == "update" and before not in ("", now) and not by_hand:
        life.run(f"add@{now}")
    life.run(f"{command}@{now}")
    assert life.places(kind) == after


@pytest.mark.parametrize(
    ("before", "now", "after"),
    [
        ("", "", [""]),
        ("", "live", ["live"]),
        ("live", "", ["", "live"]),
        ("blue", "live", ["blue", "live"]),
    ],
)
@pytest.mark.parametrize("auth", ["NONE", "AWS_IAM"])
def test_the_url_follows_the_alias_of_the_config(before, now, after, auth):
    life = Life(f"deploy@{before}", f"deploy@{now}", sources=(), url=Url(auth=auth))
    assert sorted(life.aws.urls) == after
    assert len(life.statements(now)) == (2 if auth == "NONE" else 0)
    if after == ["live"]:
        assert life.statements("") == []


def test_permissions_and_asynchronous_settings_are_on_the_alias_of_the_config():
    partner = Permission(statement_id="partner", principal="210987654321")
    life = Life("deploy@live", sources=(), url=None, permissions=(partner,))
    assert (life.statements("live"), life.statements("")) == (["partner"], [])
    assert list(life.aws.asynchronous) == ["live"]


@pytest.mark.parametrize("alias", ["", "live"])
def test_the_option_alias_moves_versions_only(alias):
    life = Life(f"deploy:canary@{alias}")
    assert "canary" in life.aws.aliases
    assert {place for kind in KINDS for place in life.places(kind)} == {alias}
    assert list(life.aws.urls) == [alias]
    assert list(life.aws.asynchronous) == [alias]


@pytest.mark.parametrize("word", COMMANDS)
@pytest.mark.parametrize("own", ["dev", ""])
def test_no_command_touches_what_is_on_another_alias(own, word):
    life = Life("deploy@prod", f"deploy@{own}", sources=SOURCES[:2])

    def theirs():
        counts = {kind: Counter(life.places(kind))["prod"] for kind in KINDS}
        return counts, life.aws.urls.get("prod"), life.statements("prod")

    before = theirs()
    reports = life.run(f"{word}@{own}")
    if word == "delete":
        assert life.aws.left() == []
        return
    assert theirs() == before
    kept = [message for mark, message in reports if mark == "kept" and "alias prod" in message]
    assert len(kept) == (0 if word in ("code", "create") else 2)


def test_environments_with_an_alias_each_have_a_delivery_each():
    life = Life(sources=(*SOURCES[:2], SOURCES[3]))
    for word in ("deploy@prod", "deploy@dev", "deploy@prod", "remove@dev", "deploy@dev"):
        life.run(word)
    for kind in ("sns", "sqs", "events"):
        assert life.places(kind) == ["dev", "prod"]
    for alias in ("dev", "prod"):
        assert [item for item in life.plan(f"deploy@{alias}") if isinstance(item, Step)] == []


@pytest.mark.parametrize("word", ["disable@dev", "deploy@dev"])
def test_a_rule_that_invokes_another_alias_too_is_not_changed(word):
    life = Life("deploy@prod", "deploy@dev", sources=SOURCES[3:])
    life.function["sources"] = ({"name": "nightly", "schedule": "rate(2 days)"},)
    with pytest.raises(Conflict, match=r"invokes \S+:prod too") as error:
        life.plan(word)
    assert "nightly-${environment}" in error.value.hint


def test_no_message_is_lost_while_a_source_moves():
    life = Life("deploy")

    def never_silent():
        assert life.places("sns")
        assert life.places("sqs")

    life.aws.after = never_silent
    life.run("deploy@live")


def test_a_move_leaves_the_old_permission_to_services_that_still_call_the_old_place():
    life = Life("deploy", sources=(SOURCES[0], *SOURCES[2:]), url=None)
    kept = [message for mark, message in life.run("deploy@live") if mark == "kept"]
    assert [message.split()[1][:8] for message in kept] == ["kappa-s3", "kappa-ev"]
    assert all("on the function itself" in message for message in kept)
    assert [name[:8] for name in life.statements("")] == ["kappa-ev", "kappa-s3"]
    life.run("deploy@live")
    assert (life.statements(""), len(life.statements("live"))) == ([], 3)
    assert [item for item in life.plan("deploy@live") if isinstance(item, Step)] == []


def test_a_topics_filter_and_dead_letters_go_along_to_the_alias():
    life = Life("deploy")
    (subscription,) = life.aws.subscriptions.values()
    kept = {
        "FilterPolicy": '{"a": ["b"]}',
        "FilterPolicyScope": "MessageBody",
        "RedrivePolicy": "{}",
    }
    subscription["Attributes"] = kept
    life.run("deploy@live")
    (moved,) = life.aws.subscriptions.values()
    assert (moved["Endpoint"], moved["Attributes"]) == (f"{FUNCTION}:live", kept)


@pytest.mark.parametrize("alias", ["", "live"])
def test_disabled_sources_come_back_and_removed_ones_leave_nothing(alias):
    life = Life(f"deploy@{alias}")
    for word in ("disable", "enable", "remove", "add"):
        life.run(f"{word}@{alias}")
        wanted = [] if word in ("disable", "remove") else [alias]
        assert [life.places(kind) for kind in KINDS] == [wanted] * 4, word
        if word == "remove":
            assert (life.aws.urls, life.statements(alias)) == ({}, [])
    life.run(f"delete@{alias}")
    assert life.aws.left() == []


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("where", ["greeter:1", "greeter:live"])
def test_delete_removes_a_mapping_of_a_version_and_of_a_function_that_is_gone(where, gone):
    life = Life("deploy:live@live", sources=SOURCES[:1], url=None)
    life.aws.lambda_create_event_source_mapping(FunctionName=where, EventSourceArn=QUEUE)
    if gone:
        life.aws.lambda_delete_function("greeter")
    life.run("delete")
    assert life.aws.left() == []


def test_a_function_that_was_deleted_by_hand_is_made_anew_with_each_source_once():
    life = Life("deploy@live")
    life.aws.lambda_delete_function("greeter")
    life.run("deploy@live")
    assert [life.places(kind) for kind in KINDS] == [["live"]] * 4


@pytest.mark.parametrize(
    ("alias", "by_hand", "qualifiers", "problem"),
    [
        ("", (), ["$LATEST"], None),
        ("live", (), ["live"], None),
        ("live", ("",), ["$LATEST", "live"], "the function itself and to the alias live"),
        ("live", ("canary",), ["canary", "live"], None),
        ("", ("canary",), ["$LATEST", "canary"], None),
    ],
)
def test_status_names_every_place_of_a_source(alias, by_hand, qualifiers, problem):
    life = Life(f"deploy@{alias}", sources=SOURCES[:2] + SOURCES[3:])
    life.hand_made(*by_hand)
    rows = sources_data(*read_sources_status(life.session(f"status@{alias}")))[:3]
    assert [row["qualifiers"] for row in rows] == [qualifiers] * 3
    for row in rows:
        assert (problem in row["problem"]) if problem else ("problem" not in row)


def test_status_names_a_source_that_the_config_has_on_an_alias_by_now():
    life = Life("deploy")
    rows = sources_data(*read_sources_status(life.session("status@live")))
    assert all(
        "the config says the alias live" in row["problem"]
        for row in rows
        if row["state"] != "missing"
    )
    assert {row["state"] for row in rows if "problem" not in row} == {"missing"}


def test_status_names_the_url_of_another_alias():
    life = Life("deploy@prod", "deploy@dev", sources=())
    rows = sources_data(*read_sources_status(life.session("status@dev")))
    assert [(row["qualifiers"], row["configured"]) for row in rows] == [
        (["dev"], True),
        (["prod"], False),
    ]


def test_the_option_alias_moves_versions_only_once_the_alias_of_the_config_is_there():
    life = Life("deploy@live")
    life.function["image"] = Image(uri=f"{sessions.IMAGE}2")
    life.run("deploy:canary@live")
    assert life.aws.aliases == {"live": "1", "canary": "2"}


def test_deploy_prints_the_address_of_the_url():
    life = Life()
    reports = life.run("deploy")
    address = life.aws.urls[""]["FunctionUrl"]
    assert ("created", f"function URL {address} (anyone may call it)") in reports
    assert ("unchanged", f"function URL {address}") in life.run("deploy")
