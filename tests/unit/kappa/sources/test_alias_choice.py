"""Every order of commands, with and without an alias: each message is delivered once.

The account is in memory, by AWS's recorded answers; the commands are kappa's own.
"""

import itertools
import random

import pytest

from kappa.commands.delete import plan_delete
from kappa.commands.deploy import plan_create, plan_deploy, plan_update_code
from kappa.commands.event_sources import (
    plan_add_event_sources,
    plan_remove_event_sources,
    plan_switch_event_sources,
    plan_update_event_sources,
    read_sources_status,
)
from kappa.commands.rollback import plan_rollback
from kappa.commands.session import Session, with_publishing
from kappa.config.model import Async, Image, Permission, Url
from kappa.errors import Conflict, NotFound
from kappa.plan.apply import apply
from kappa.plan.step import Step
from tests.support.builders import kappa_config
from tests.support.kappa.account import FUNCTION, ROLE, Account, clock
from tests.support.kappa.event_sources import QUEUE, TOPIC
from tests.support.samples import ALL

SOURCES = (
    {"arn": TOPIC},
    {"arn": QUEUE},
    {"arn": "arn:aws:s3:::photos", "events": ("s3:ObjectCreated:*",)},
    {"name": "nightly", "schedule": "rate(1 day)"},
)


def config(alias="", image="1", sources=SOURCES, **function):
    uri = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/greeter:{image}"
    section = {
        "path": "",
        "handler": "",
        "runtime": "",
        "image": Image(uri=uri),
        "sources": sources,
        "url": Url(auth="NONE"),
        "async_": Async(maximum_retry_attempts=1),
        "alias": alias,
    }
    return kappa_config(section | function, role={"arn": ROLE})


COMMANDS = {
    "add": plan_add_event_sources,
    "code": plan_update_code,
    "create": plan_create,
    "delete": plan_delete,
    "deploy": plan_deploy,
    "disable": lambda one: plan_switch_event_sources(one, (), enabled=False),
    "enable": lambda one: plan_switch_event_sources(one, (), enabled=True),
    "remove": lambda one: plan_remove_event_sources(one, ()),
    "rollback": lambda one: plan_rollback(one, "", ""),
    "update": plan_update_event_sources,
}


class Life:
    """A function's account, and kappa's commands on it."""

    def __init__(self, **function):
        self.aws = Account([TOPIC], ["photos"])
        self.images = itertools.count(1)
        self.function = function

    def session(self, in_config, given):
        read = config(in_config, str(next(self.images)), **self.function)
        return with_publishing(Session(read, self.aws), given)

    def run(self, word):
        """Carry out one word of an order: a command, then @ALIAS for lambda.alias."""
        session, plan = self.planned(word)
        self.apply(plan(session))
        if word.startswith("deploy"):
            swept = plan(session)
            again = [item for item in swept if isinstance(item, Step)]
            assert {one.operation for one in again} <= {"remove_permission"}, again
            self.apply(swept)
            third = [item for item in plan(session) if isinstance(item, Step)]
            assert third == [], "a third deploy changes something"

    def plan(self, word):
        session, plan = self.planned(word)
        return plan(session)

    def planned(self, word):
        command, _, in_config = word.partition("@")
        name, _, given = command.partition(":")
        options = {"publish": True, "alias": given} if given else {}
        return self.session(in_config, options), COMMANDS[name]

    def apply(self, plan):
        apply(plan, self.aws.call, lambda _report: None, clock())

    def statements(self):
        """The names of kappa's statements by qualifier."""
        return {alias: sorted(given) for alias, given in self.aws.policies.items() if given}


ALONE = ("deploy", "add", "update", "code", "enable", "disable", "remove", "rollback")
ORDER = [
    *ALONE,
    "deploy:live",
    "deploy:blue",
    *(f"{one}@live" for one in ALONE if one != "rollback"),
    "deploy:live@live",
]
# A command that cannot be carried out as things are says so.
REFUSED = (Conflict, NotFound)


def leftover(statements):
    """Whether these are only of services that may still call the place before a move."""
    return all(one.startswith(("kappa-s3-", "kappa-events-")) for one in statements)


def check(life, word, before):
    """What holds after each command."""
    found = life.aws.deliveries()
    assert all(len(qualifiers) <= 1 for qualifiers in found.values()), found
    places = {one for some in found.values() for one in some} | set(life.aws.urls)
    assert len(places) <= 1, (found, life.aws.urls)
    assert len(life.aws.urls) <= 1
    given = {alias for alias, some in life.statements().items() if not leftover(some)}
    assert len(given) <= 1, life.statements()
    if places and given:
        assert given == places
    command, _, alias = word.partition("@")
    name, _, given = command.partition(":")
    if name == "deploy":
        (place,) = places
        assert all(len(qualifiers) == 1 for qualifiers in found.values()), found
        assert place == (given or alias or before or place)
        assert len(life.statements()[place]) == 5
        assert place in life.aws.asynchronous
    elif name == "disable":
        assert not any(found.values())
    elif name == "remove":
        assert not any(found.values())
        assert (life.aws.urls, life.statements()) == ({}, {})
    elif name == "rollback":
        assert places == ({before} if before is not None else set())


def place(life):
    found = {one for some in life.aws.deliveries().values() for one in some}
    return next(iter(found | set(life.aws.urls)), None)


def live_through(order):
    life = Life()
    for word in order:
        before = place(life)
        heard = life.aws.deliveries()["sns"]

        def never_silent(heard=heard):
            assert life.aws.deliveries()["sns"] or not heard, "a message would be lost"

        life.aws.after = never_silent if word.startswith(("deploy", "add")) else lambda: None
        try:
            life.run(word)
        except REFUSED:
            assert not word.startswith("deploy"), f"{word} was refused"
        else:
            check(life, word, before)
        assert all(len(some) <= 1 for some in life.aws.deliveries().values())
    life.aws.after = lambda: None
    life.run("deploy")
    life.run("delete")
    assert life.aws.left() == []


FIRST = ("deploy", "deploy:live", "deploy@live")


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("second", ORDER)
def test_after_any_three_commands_each_message_is_delivered_once(first, second):
    # `make interrupted` tries all third commands, `make test` a quarter of them.
    begin = (ORDER.index(second) + FIRST.index(first)) % 4
    for third in ORDER if ALL else ORDER[begin::4]:
        live_through((first, second, third))


@pytest.mark.parametrize("seed", range(40))
def test_after_any_ten_commands_each_message_is_delivered_once(seed):
    chance = random.Random(seed)
    live_through((chance.choice(FIRST), *chance.choices([*ORDER, "delete"], k=9)))


# What somebody else, an earlier version or a broken connection has left


def life(*order, **function):
    made = Life(**function)
    for word in order:
        made.run(word)
    return made


def subscribe(one, alias=""):
    arn = f"{FUNCTION}:{alias}" if alias else FUNCTION
    one.aws.sns_subscribe(TOPIC, arn)


def mapped_to(one, name):
    one.aws.lambda_create_event_source_mapping(FunctionName=name, EventSourceArn=QUEUE)


def test_the_doubles_of_earlier_versions_are_mended_by_a_plain_deploy():
    one = life("deploy:live")
    subscribe(one)
    mapped_to(one, "greeter")
    assert one.aws.deliveries()["sns"] == ["", "live"]
    one.run("deploy")
    assert set(map(tuple, one.aws.deliveries().values())) == {("live",)}


def test_the_doubles_of_earlier_versions_are_mended_by_naming_the_alias():
    queue = ({"arn": QUEUE},)
    one = life("deploy:live", sources=queue, url=None)
    mapped_to(one, "greeter")
    one.run("deploy:live")
    assert one.aws.deliveries()["sqs"] == ["live"]


def test_status_names_every_place_of_a_source_and_the_command_that_mends_it():
    from kappa.sources.report import sources_data

    one = life("deploy:live")
    subscribe(one)
    data = sources_data(*read_sources_status(one.session("", {})))
    assert data[0]["qualifiers"] == ["$LATEST", "live"]
    assert "the function itself and to the alias live" in data[0]["problem"]
    assert data[0]["problem"].endswith("kappa config.yml deploy --alias live")
    assert [each["qualifiers"] for each in data[1:]] == [["live"]] * 4


def test_a_mapping_that_somebody_made_for_a_canary_is_named_and_stays():
    one = life("deploy:live")
    one.aws.aliases["canary"] = "1"
    mapped_to(one, "greeter:canary")
    plan = one.plan("deploy:live")
    assert [item.message for item in plan if item.mark == "kept"] == [
        "event source sqs orders on the alias canary (kappa cannot tell that it made it; "
        "remove_event_sources removes it too)"
    ]
    one.apply(plan)
    assert one.aws.deliveries()["sqs"] == ["canary", "live"]
    one.run("delete")
    assert one.aws.left() == []


def test_a_canary_beside_sources_of_the_function_itself_does_not_attract_them():
    one = life("deploy")
    one.aws.aliases["canary"] = "$LATEST"
    mapped_to(one, "greeter:canary")
    one.run("deploy")
    assert one.aws.deliveries()["sqs"] == ["", "canary"]
    assert one.aws.deliveries()["sns"] == [""]


def test_what_is_left_of_a_permission_attracts_no_source():
    one = life("deploy", sources=({"arn": TOPIC},), url=None)
    other = life("deploy:live", sources=({"arn": TOPIC},), url=None)
    one.aws.aliases["live"] = "$LATEST"
    one.aws.policies["live"] = other.aws.policies["live"]
    one.run("deploy")
    assert one.aws.deliveries()["sns"] == [""]
    assert list(one.statements()) == [""]


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("where", ["greeter:1", "greeter:live"])
def test_delete_removes_a_mapping_of_a_version_and_of_a_function_that_is_gone(where, gone):
    one = life("deploy:live", sources=({"arn": TOPIC},), url=None)
    one.aws.lambda_create_event_source_mapping(FunctionName=where, EventSourceArn=QUEUE)
    if gone:
        one.aws.lambda_delete_function("greeter")
    one.run("delete")
    assert one.aws.left() == []


MAY = Permission(statement_id="news", principal="sns.amazonaws.com", source_arn=TOPIC)


@pytest.mark.parametrize("again", ["enable", "deploy", "add"])
def test_a_source_with_a_permission_of_the_config_comes_back_to_the_alias_that_it_was_on(again):
    one = life("deploy:live", sources=({"arn": TOPIC},), permissions=(MAY,), url=None)
    one.run("disable")
    assert one.aws.deliveries()["sns"] == []
    one.run(again)
    assert one.aws.deliveries()["sns"] == ["live"]
    assert one.statements() == {"live": ["news"]}


def test_a_source_with_a_permission_of_the_config_goes_to_the_function_once_it_was_removed():
    one = life("deploy:live", sources=({"arn": TOPIC},), permissions=(MAY,), url=None)
    one.run("remove")
    assert one.statements() == {}
    one.run("add")
    assert one.aws.deliveries()["sns"] == [""]
    assert one.statements() == {"": ["news"]}
    one.run("delete")
    assert one.aws.left() == []


def test_a_permission_of_the_config_on_an_alias_that_it_names_stays_when_its_source_is_removed():
    one = life("deploy@live", sources=({"arn": TOPIC},), permissions=(MAY,), url=None)
    one.run("remove@live")
    assert one.statements() == {"live": ["news"]}


@pytest.mark.parametrize("seed", range(20))
def test_after_any_commands_a_source_with_a_permission_of_the_config_is_delivered_once(seed):
    chance = random.Random(seed)
    one = Life(sources=({"arn": TOPIC},), permissions=(MAY,), url=None)
    for word in (chance.choice(FIRST), *chance.choices(ORDER, k=8)):
        try:
            one.run(word)
        except REFUSED:
            continue
        assert len(one.aws.deliveries()["sns"]) <= 1
    one.run("delete")
    assert one.aws.left() == []


def test_sources_on_two_aliases_are_refused_until_one_is_named():
    one = life("deploy:live")
    one.aws.aliases["blue"] = "1"
    for has in one.aws.mappings.values():
        has["FunctionArn"] = f"{FUNCTION}:blue"
    with pytest.raises(Conflict, match="several aliases") as error:
        one.plan("deploy")
    assert "--alias blue" in error.value.hint
    one.run("deploy:blue")
    assert set(map(tuple, one.aws.deliveries().values())) == {("blue",)}


def test_sources_of_an_alias_that_was_deleted_by_hand_come_back():
    one = life("deploy:live")
    one.aws.delete_alias("live")
    one.run("deploy")
    assert set(map(tuple, one.aws.deliveries().values())) == {("",)}
    one.run("delete")
    assert one.aws.left() == []


def test_a_function_that_was_deleted_by_hand_is_made_anew_with_each_source_once():
    one = life("deploy:live")
    one.aws.lambda_delete_function("greeter")
    one.run("deploy")
    assert set(map(tuple, one.aws.deliveries().values())) == {("",)}


def test_delete_of_a_function_that_is_gone_removes_what_hangs_on_its_alias():
    one = life("deploy:live")
    one.aws.lambda_delete_function("greeter")
    one.run("delete")
    assert one.aws.left() == []


CALLERS = tuple(one for one in SOURCES if one["arn" if "arn" in one else "name"] != QUEUE)


def test_a_move_leaves_the_old_permission_to_services_that_still_call_the_old_place():
    one = life("deploy", sources=CALLERS, url=None)
    plan = one.plan("deploy:live")
    kept = [item.message for item in plan if "still" in item.message]
    assert [message.split()[1][:8] for message in kept] == ["kappa-s3", "kappa-ev"]
    assert all("on the function itself" in message for message in kept)
    one.apply(plan)
    assert [name[:8] for name in one.statements()[""]] == ["kappa-ev", "kappa-s3"]
    one.run("deploy")
    assert list(one.statements()) == ["live"]


def test_what_a_move_left_is_swept_before_it_could_attract_a_disabled_source():
    one = life("deploy:live", sources=CALLERS[1:2], url=None)
    one.apply(one.plan("deploy:blue"))
    one.run("disable")
    assert list(one.statements()) == ["blue"]
    one.run("deploy")
    assert one.aws.deliveries()["s3"] == ["blue"]


def test_a_topics_filter_and_dead_letters_go_along_to_the_alias():
    one = life("deploy")
    (has,) = one.aws.subscriptions.values()
    kept = {
        "FilterPolicy": '{"a": ["b"]}',
        "FilterPolicyScope": "MessageBody",
        "RedrivePolicy": "{}",
    }
    has["Attributes"] = kept
    one.run("deploy:live")
    (moved,) = one.aws.subscriptions.values()
    assert (moved["Endpoint"], moved["Attributes"]) == (f"{FUNCTION}:live", kept)


def test_a_url_for_callers_with_keys_moves_to_the_alias_that_the_config_names():
    one = life("deploy", url=Url(auth="AWS_IAM"))
    one.run("deploy:live")
    assert list(one.aws.urls) == ["live"]


def test_a_url_that_somebody_made_for_another_alias_is_named_and_stays():
    one = life("deploy:live", url=Url(auth="AWS_IAM"))
    one.aws.urls[""] = {"FunctionUrl": "https://theirs.on.aws/", "AuthType": "NONE"}
    plan = one.plan("deploy:live")
    (kept,) = [item.message for item in plan if item.mark == "kept"]
    assert "https://theirs.on.aws/ of the function itself (NONE" in kept
    one.apply(plan)
    assert sorted(one.aws.urls) == ["", "live"]


def made_by_hand(one, alias, auth="AWS_IAM"):
    """A URL that somebody made, on an alias or on the function itself."""
    if alias:
        one.aws.aliases[alias] = "$LATEST"
    one.aws.urls[alias] = {"FunctionUrl": f"https://theirs{alias}.on.aws/", "AuthType": auth}
    return dict(one.aws.urls[alias])


def test_a_plain_deploy_opens_no_url_that_somebody_made_for_an_alias():
    one = life("deploy", sources=(), url=None)
    theirs = made_by_hand(one, "canary")
    one.aws.lambda_add_permission(
        "greeter", "kappa-url", "canary", Principal="sns.amazonaws.com", Action="lambda:*"
    )
    one.function["url"] = Url(auth="NONE")
    plan = one.plan("deploy")
    (kept,) = [item.message for item in plan if item.mark == "kept"]
    assert "https://theirscanary.on.aws/ of the alias canary (AWS_IAM" in kept
    one.run("deploy")
    assert one.aws.urls["canary"] == theirs
    assert one.aws.urls[""]["AuthType"] == "NONE"
    assert one.statements() == {
        "": ["kappa-url", "kappa-url-invoke"],
        "canary": ["kappa-url"],
    }


@pytest.mark.parametrize("beside", ["", "canary"])
def test_permissions_do_not_follow_a_url_that_somebody_made(beside):
    partner = Permission(statement_id="partner", principal="210987654321")
    one = life("deploy", sources=(), url=None, permissions=(partner,))
    made_by_hand(one, "canary")
    if not beside:
        made_by_hand(one, "")
    one.function["url"] = Url(auth="AWS_IAM")
    one.run("deploy")
    one.run("deploy")
    assert one.statements() == {"": ["partner"]}
    assert sorted(one.aws.urls) == ["", "canary"]


@pytest.mark.parametrize("word", ["deploy", "add", "update"])
def test_a_url_is_not_opened_where_only_the_sources_are_kappas(word):
    topic = ({"arn": TOPIC},)
    one = life("deploy:live", sources=topic, url=None)
    theirs = made_by_hand(one, "live")
    one.function["url"] = Url(auth="NONE")
    given = one.statements()
    plan = one.plan(word)
    said = "function URL" if word == "add" else "kappa config.yml deploy --alias live"
    assert any(said in item.message for item in plan)
    one.run(word)
    assert (one.aws.urls, one.statements()) == ({"live": theirs}, given)
    one.run("deploy:live")
    assert one.aws.urls["live"]["AuthType"] == "NONE"


def test_adding_sources_gives_nobody_leave_to_call_a_url_that_stays_closed():
    one = life("deploy:live", sources=(), url=None)
    theirs = made_by_hand(one, "live")
    one.function["url"] = Url(auth="NONE")
    one.run("add@live")
    assert (one.aws.urls, one.statements()) == ({"live": theirs}, {})


@pytest.mark.parametrize("word", ["remove", "deploy:blue", "deploy"])
def test_a_url_that_somebody_made_for_an_alias_is_never_removed(word):
    one = life("deploy", sources=(), url=None)
    theirs = made_by_hand(one, "canary")
    one.function["url"] = Url(auth="AWS_IAM")
    one.run(word)
    assert one.aws.urls["canary"] == theirs


def test_kappas_own_url_stays_on_its_alias_beside_one_that_somebody_made():
    one = life("deploy:live", sources=())
    live, theirs = dict(one.aws.urls["live"]), made_by_hand(one, "")
    one.run("deploy")
    assert one.aws.urls == {"live": live, "": theirs}
    assert list(one.statements()) == ["live"]
    assert any("https://theirs.on.aws/" in item.message for item in one.plan("deploy"))


@pytest.mark.parametrize("alias", ["", "canary"])
def test_a_url_that_stays_is_named_with_the_command_that_removes_it(alias):
    one = life("deploy:live", sources=(), url=Url(auth="AWS_IAM"))
    made_by_hand(one, alias)
    (kept,) = [item.message for item in one.plan("deploy:live") if item.mark == "kept"]
    qualifier = " --qualifier canary" if alias else ""
    assert kept.endswith(
        f"aws lambda delete-function-url-config --function-name greeter{qualifier})"
    )


def test_the_statements_of_a_long_alias_have_names_that_aws_takes():
    alias = "a" * 90
    one = life(f"deploy:{alias}", sources=())
    assert all(len(name) <= 100 for name in one.statements()[alias])
    one.run("deploy")
    one.run("remove")
    assert (one.aws.urls, one.statements()) == ({}, {})


def test_asynchronous_settings_of_a_plain_deploy_go_to_the_alias_that_is_called():
    one = life("deploy:live")
    one.function["async_"] = Async(maximum_retry_attempts=0)
    one.run("deploy")
    assert one.aws.asynchronous == {"live": {"MaximumRetryAttempts": 0}}
    one.function["async_"] = Async(maximum_retry_attempts=2)
    one.run("code")
    assert one.aws.asynchronous == {"live": {"MaximumRetryAttempts": 2}}


OWN = {
    "sources": ({"arn": TOPIC},),
    "permissions": (
        Permission(statement_id="news", principal="sns.amazonaws.com", source_arn=TOPIC),
    ),
    "url": None,
}


@pytest.mark.parametrize("word", ["enable", "deploy"])
def test_a_disabled_topic_comes_back_to_where_the_configs_own_permission_stands(word):
    one = life("deploy:live", "disable", **OWN)
    assert one.aws.deliveries()["sns"] == []
    one.run(word)
    assert one.aws.deliveries()["sns"] == ["live"]
    assert one.statements() == {"live": ["news"]}


def test_a_topic_of_which_the_permissions_stand_on_both_is_enabled_where_it_is_named():
    one = life("deploy", "deploy:live", "disable", **OWN)
    with pytest.raises(Conflict, match="may have been on the function itself or on live") as error:
        one.plan("enable")
    assert "deploy --alias live" in error.value.hint
    one.run("deploy:live")
    assert one.aws.deliveries()["sns"] == ["live"]


def test_sources_with_permissions_of_the_config_come_back_to_the_function_when_added_anew():
    one = life("deploy:live", "remove", "add", **OWN)
    assert one.aws.deliveries()["sns"] == [""]
    for word in ("disable", "add", "deploy"):
        one.run(word)
        assert one.aws.deliveries()["sns"] == ([] if word == "disable" else [""])


def test_a_mapping_whose_answer_was_lost_is_kappas_own_at_once():
    one = life("deploy", sources=({"arn": QUEUE},), url=None)
    mappings, one.aws.mappings = one.aws.mappings, {}
    plan = one.plan("add")
    one.aws.mappings = mappings
    reports = []
    apply(plan, one.aws.call, reports.append, clock())
    assert [(report.mark, report.seconds) for report in reports] == [("exists", 0.0)]


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("first", ["deploy", "deploy:blue"])
@pytest.mark.parametrize("number", range(1, 22))
def test_a_move_that_was_killed_is_completed_by_the_same_command(first, number):
    one = life(first)
    left = itertools.count(1)

    def kill():
        if next(left) == number:
            raise Killed

    one.aws.after = kill
    try:
        one.run("deploy:live")
    except Killed:
        one.aws.after = lambda: None
        one.run("deploy:live")
    one.aws.after = lambda: None
    assert set(map(tuple, one.aws.deliveries().values())) == {("live",)}
    assert (list(one.aws.urls), list(one.statements())) == (["live"], ["live"])
    one.run("delete")
    assert one.aws.left() == []
