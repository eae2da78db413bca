"""One config in two regions of one account: every order of commands, from every start."""

import json
from collections import deque
from itertools import permutations, product

import msgspec
import pytest

from kappa.commands.delete import plan_delete
from kappa.commands.deploy import plan_create, plan_deploy, plan_update_code
from kappa.commands.session import Session
from kappa.errors import ConfigError, Conflict, NotFound
from kappa.plan.apply import apply
from kappa.plan.step import Step
from tests.support.builders import kappa_config
from tests.support.kappa.regions import AWS_OWN, REGIONS, Account, Region, arn_of, trust

HERE, THERE = REGIONS
PLANS = {
    "create": plan_create,
    "deploy": plan_deploy,
    "update_code": plan_update_code,
    "delete": plan_delete,
}
NAME, ROLE, POLICY = "greeter", arn_of("role", "r"), arn_of("policy", "p")
MADE = {"name": "p", "document": {"Statement": [{"Resource": "${region}"}]}}


def document(region):
    return json.dumps({"Statement": [{"Resource": region}]}, separators=(",", ":"))


@pytest.fixture
def config(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "greeter.py").write_text("def handler(event, context): ...\n")
    made = kappa_config(policy=MADE, role={"name": "r"})
    return msgspec.structs.replace(made, file=tmp_path / "config.yml")


@pytest.fixture
def sessions(config):
    """A session for each region; each test puts the account into them."""
    return {region: Session(config, Region(Account(), region)) for region in REGIONS}


def older(*regions, attached=POLICY, text=None, function=NAME):
    """An account in which kappa has worked in these regions before it knew any tag."""
    account = Account()
    account.roles["r"] = {"arn": ROLE, "attached": [attached], "tags": []}
    if attached == POLICY:
        versions = {"v1": text or document((regions or REGIONS)[-1])}
        account.policies[POLICY] = {"versions": versions, "default": "v1", "tags": []}
    for region in regions:
        Region(account, region).create_function(function, ROLE, {})
    return account


def run(sessions, account, region, command):
    """Run a command on a copy of the account.

    Shape: what was reported by its marks, and the account after each step, the last one at the end.
    """
    session, told, after = sessions[region], [], [account.copy()]
    session.aws.of = after[0]
    try:
        plan = PLANS[command](session)
    except NotFound:
        assert (command, account.rights(region, NAME)) == ("update_code", None)
        return told, after
    for item in plan:
        session.aws.of = after[-1].copy()
        apply([item], session.aws.call, told.append)
        after.append(session.aws.of)
    return [(one.mark, one.message) for one in told], after


def other(region):
    return REGIONS[1 - REGIONS.index(region)]


def assert_its_own(sessions, start, wanted, *, stops=True):
    """Go through every state that commands, whole or stopped half way, lead to.

    `wanted` gives a region's documents. `deploy` ends with them, and so does `create` where an
    older kappa has left no policy. No command changes what the other region's function may do.
    When both have been deleted nothing is left; where both shared what an older kappa made, a
    second `delete` may be what finds the last of it without users.
    """
    seen, waiting, known = {start.key()}, deque([start]), {}

    def outcome(account, *call):
        key = (account.key(), *call)
        if key not in known:
            known[key] = run(sessions, account, *call)
        return known[key]

    exact = ("deploy",) if start.made() else ("create", "deploy")
    while waiting:
        account = waiting.popleft()
        for region, command in product(REGIONS, PLANS):
            _, states = outcome(account, region, command)
            there, is_new = other(region), account.rights(region, NAME) is None
            assert all(one.rights(there, NAME) == account.rights(there, NAME) for one in states)
            if command in exact and (is_new or command == "deploy"):
                assert states[-1].rights(region, NAME) == wanted(region), command
            new = {one.key(): one for one in (states if stops else states[-1:])}
            waiting.extend(one for key, one in new.items() if key not in seen)
            seen |= set(new)
        for order in permutations(REGIONS):
            left, told = account, []
            for region in order * (2 if start.made() else 1):
                marks, (*_, left) = outcome(left, region, "delete")
                told += marks
            assert left.made() == [], told
    return len(seen)


STARTS = {
    "nothing": Account(),
    "a function of an older kappa": older(HERE),
    "functions of an older kappa in both regions": older(HERE, THERE),
    "a role and a policy of an older kappa": older(),
}


@pytest.mark.parametrize("start", STARTS)
def test_each_region_has_its_own_role_and_policy_in_every_order(sessions, start, figure):
    # With stopped commands the others have 328, 1,405 and 295 states: too many to wait for.
    stops = start == "nothing"
    states = assert_its_own(sessions, STARTS[start], lambda one: [document(one)], stops=stops)
    figure(f"two regions, from {start}: {states} states")


@pytest.mark.parametrize("start", [Account(), older(HERE, THERE, attached=AWS_OWN)])
def test_each_region_has_its_own_role_with_a_policy_of_aws(config, start):
    config = msgspec.structs.replace(
        config, policy=kappa_config(policy={"name": "AWSLambdaBasicExecutionRole"}).policy
    )
    sessions = {one: Session(config, Region(Account(), one)) for one in REGIONS}
    assert_its_own(sessions, start, lambda _: ["{}"], stops=False)


def marks_of(sessions, account, region, command):
    told, (*_, after) = run(sessions, account, region, command)
    return told, after


def test_a_function_whose_role_was_deleted_changes_to_a_role_of_another_name(sessions):
    account = run(sessions, Account(), HERE, "deploy")[1][-1]
    del account.roles["r"]
    told, after = marks_of(sessions, account, HERE, "deploy")
    assert ("created", f"role r-{HERE} (its function had r, which was deleted)") in told
    assert after.functions[HERE][NAME]["Role"] == arn_of("role", f"r-{HERE}")
    assert after.rights(HERE, NAME) == [document(HERE)]
    del after.roles[f"r-{HERE}"]
    again = marks_of(sessions, after, HERE, "deploy")[1]
    assert again.functions[HERE][NAME]["Role"] == ROLE


def test_update_code_leaves_a_function_whose_role_was_deleted_as_it_is(sessions):
    account = run(sessions, Account(), HERE, "deploy")[1][-1]
    del account.roles["r"]
    after = marks_of(sessions, account, HERE, "update_code")[1]
    assert after.functions[HERE][NAME]["Role"] == ROLE


def test_a_role_without_a_tag_stays_as_it_is_where_a_region_does_not_answer(sessions):
    account = older(HERE)
    account.unseen = {THERE}
    told, after = marks_of(sessions, account, HERE, "deploy")
    assert [mark for mark, _ in told if mark in ("marked", "created")] == []
    assert "who uses it in eu-west-1 cannot be seen" in told[0][1]
    left = marks_of(sessions, after, HERE, "delete")[1]
    assert left.made() == ["r", POLICY]
    left.unseen = set()
    assert marks_of(sessions, left, HERE, "delete")[1].made() == []


def test_a_new_function_gets_a_role_of_its_own_where_a_region_does_not_answer(sessions):
    account = older(THERE)
    account.unseen = {THERE}
    after = marks_of(sessions, account, HERE, "deploy")[1]
    assert f"r-{HERE}" in after.roles
    assert after.rights(HERE, NAME) == [document(HERE)]
    assert after.rights(THERE, NAME) == [document(THERE)]


def test_a_region_that_the_account_has_not_enabled_has_no_functions(sessions):
    account = older(HERE)
    account.disabled = {THERE}
    after = marks_of(sessions, account, HERE, "deploy")[1]
    assert after.roles["r"]["tags"] == [{"Key": "kappa:region", "Value": HERE}]


def test_delete_keeps_a_role_that_a_function_of_another_region_was_given(sessions):
    account = run(sessions, Account(), HERE, "deploy")[1][-1]
    Region(account, THERE).create_function("guest", ROLE, {})
    told, after = marks_of(sessions, account, HERE, "delete")
    assert ("kept", f"role r (used by guest in {THERE})") in told
    assert ("kept", f"policy p on role r (used by guest in {THERE})") in told
    assert after.rights(THERE, "guest") == [document(HERE)]


def test_delete_keeps_the_policy_of_a_role_made_by_hand_that_another_region_uses(sessions):
    account = by_hand(Description="by hand")
    account = run(sessions, account, HERE, "deploy")[1][-1]
    Region(account, THERE).create_function("guest", ROLE, {})
    after = marks_of(sessions, account, HERE, "delete")[1]
    assert after.rights(THERE, "guest") == [document(HERE)]


def test_delete_keeps_a_role_that_a_function_gets_while_it_is_at_work(sessions):
    account = run(sessions, Account(), HERE, "deploy")[1][-1]
    session = sessions[HERE]
    session.aws.of = account
    told = []
    for item in plan_delete(session):
        if isinstance(item, Step) and item.operation == "detach_role_policy":
            Region(account, HERE).create_function("guest", ROLE, {})
        apply([item], session.aws.call, told.append)
    assert ("kept", "role r (used by guest)") in [(one.mark, one.message) for one in told]
    assert account.rights(HERE, "guest") == [document(HERE)]


def test_delete_asks_no_other_region_where_nothing_is_removed(sessions):
    account = run(sessions, Account(), HERE, "deploy")[1][-1]
    Region(account, HERE).create_function("guest", ROLE, {})
    account.unseen = {THERE}
    told, _ = marks_of(sessions, account, HERE, "delete")
    assert ("kept", "role r (used by guest)") in told


def test_delete_keeps_a_role_where_a_region_does_not_answer(sessions):
    account = run(sessions, Account(), HERE, "deploy")[1][-1]
    account.unseen = {THERE}
    told, left = marks_of(sessions, account, HERE, "delete")
    assert left.made() == ["r", POLICY]
    kept = next(message for mark, message in told if mark == "kept" and "role r" in message)
    assert f"who uses it in {THERE} cannot be seen" in kept
    left.unseen = set()
    assert marks_of(sessions, left, HERE, "delete")[1].made() == []


@pytest.mark.parametrize("why", ["disabled", "ruled_out"])
def test_a_region_where_the_account_may_not_work_keeps_no_role(sessions, why):
    account = run(sessions, Account(), HERE, "deploy")[1][-1]
    setattr(account, why, {THERE})
    assert marks_of(sessions, account, HERE, "delete")[1].made() == []


def test_delete_keeps_a_role_that_a_published_version_has(sessions):
    account = run(sessions, Account(), HERE, "deploy")[1][-1]
    Region(account, HERE).create_function("other", ROLE, {}, Version="3")
    told, _ = marks_of(sessions, account, HERE, "delete")
    assert ("kept", "role r (used by other)") in told


def test_rights_for_the_name_of_the_config_alone_are_enough_in_one_region(sessions):
    account = Account()
    account.denied = {f"r-{HERE}", arn_of("policy", f"p-{HERE}")}
    after = marks_of(sessions, account, HERE, "deploy")[1]
    assert after.rights(HERE, NAME) == [document(HERE)]


def test_a_second_region_names_the_role_that_it_may_not_read(sessions):
    account = run(sessions, Account(), THERE, "deploy")[1][-1]
    account.denied = {f"r-{HERE}"}
    with pytest.raises(ConfigError, match=f"r belongs to {THERE}, and r-{HERE} cannot be read"):
        run(sessions, account, HERE, "deploy")


def test_a_name_too_long_for_a_second_region_is_refused_before_anything_changes(config):
    long = "r" * 60
    config = msgspec.structs.replace(config, role=kappa_config(role={"name": long}).role)
    sessions = {one: Session(config, Region(Account(), one)) for one in REGIONS}
    account = run(sessions, Account(), THERE, "deploy")[1][-1]
    with pytest.raises(ConfigError, match=f"r-{HERE} is longer than 64 characters"):
        run(sessions, account, HERE, "deploy")


def test_a_config_of_that_very_name_keeps_its_role(sessions, config):
    account = run(sessions, Account(), THERE, "deploy")[1][-1]
    named = kappa_config(role={"name": f"r-{HERE}"})
    function = msgspec.structs.replace(config.function, name="other")
    other_config = msgspec.structs.replace(config, role=named.role, function=function)
    others = {HERE: Session(other_config, Region(Account(), HERE))}
    account = run(others, account, HERE, "deploy")[1][-1]
    with pytest.raises(ConfigError, match=f"r-{HERE} is not this function's"):
        run(sessions, account, HERE, "deploy")


def test_a_role_made_by_somebody_else_gets_no_tag(sessions):
    account = Account()
    arn = ROLE.replace("/kappa/", "/")
    account.roles["r"] = {"arn": arn, "attached": [], "tags": []}
    after = marks_of(sessions, account, HERE, "deploy")[1]
    assert after.roles["r"]["tags"] == []
    assert marks_of(sessions, after, HERE, "delete")[1].made() == ["r"]


def by_hand(**more):
    account = Account()
    account.roles["r"] = {"arn": ROLE, "attached": [], "tags": [], "more": more}
    return account


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (
            {"AssumeRolePolicyDocument": trust("ec2.amazonaws.com", "lambda.amazonaws.com")},
            "trusts others",
        ),
        ({"PermissionsBoundary": {"PermissionsBoundaryArn": AWS_OWN}}, "permissions boundary"),
        ({"Description": "For the night shift"}, "description"),
        ({"Tags": [{"Key": "team", "Value": "ops"}]}, "tags"),
    ],
)
def test_a_role_that_kappa_would_make_otherwise_is_used_and_neither_marked_nor_removed(
    sessions, more, why
):
    told, after = marks_of(sessions, by_hand(**more), HERE, "deploy")
    assert after.roles["r"]["tags"] == []
    assert ("exists", "role r") in told
    assert after.rights(HERE, NAME) == [document(HERE)]
    told, left = marks_of(sessions, after, HERE, "delete")
    assert left.made() == ["r"]
    assert any(mark == "kept" and why in message for mark, message in told)


@pytest.mark.parametrize("service", ["lambda.amazonaws.com", ["lambda.amazonaws.com"]])
@pytest.mark.parametrize("action", ["sts:AssumeRole", ["sts:AssumeRole"]])
def test_the_trust_that_an_older_kappa_wrote_is_its_own(sessions, service, action):
    said = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Sid": ""}
    account = older(HERE)
    account.roles["r"]["more"] = {"AssumeRolePolicyDocument": {"Statement": said}}
    assert marks_of(sessions, account, HERE, "delete")[1].made() == []


def test_delete_keeps_a_marked_role_that_others_may_assume_by_now(sessions):
    account = run(sessions, Account(), HERE, "deploy")[1][-1]
    trusted = {"AssumeRolePolicyDocument": trust("ec2.amazonaws.com")}
    account.roles["r"]["more"] = trusted
    told, after = marks_of(sessions, account, HERE, "delete")
    assert after.made() == ["r"]
    assert ("kept", "role r (it trusts others than Lambda, or under a condition)") in told


def policy_by_hand(account, text="{}"):
    account.policies[POLICY] = {"versions": {"v1": text}, "default": "v1", "tags": []}
    return account


@pytest.mark.parametrize("role", ["none", "plain", "foreign"])
@pytest.mark.parametrize("command", ["create", "deploy"])
def test_a_policy_made_by_hand_with_another_document_is_refused(sessions, role, command):
    account = policy_by_hand(by_hand(Description="by hand") if role == "foreign" else Account())
    if role == "plain":
        account.roles |= by_hand().roles
    if role == "foreign":
        account.roles["r"]["attached"] = [POLICY]
    with pytest.raises(ConfigError, match="policy p has another document, and nothing shows") as it:
        run(sessions, account, HERE, command)
    assert "another iam.policy.name or path" in it.value.hint
    assert f"kappa:region={HERE}" in it.value.hint
    left = marks_of(sessions, account, HERE, "delete")[1]
    assert POLICY in left.policies


def test_a_policy_made_by_hand_is_kappas_once_it_has_the_tag(sessions):
    account = policy_by_hand(Account())
    account.policies[POLICY]["tags"] = [{"Key": "kappa:region", "Value": HERE}]
    after = marks_of(sessions, account, HERE, "deploy")[1]
    assert after.rights(HERE, NAME) == [document(HERE)]


def test_delete_keeps_a_policy_that_no_role_of_kappa_has(sessions):
    told, after = marks_of(sessions, policy_by_hand(Account()), HERE, "delete")
    assert after.made() == [POLICY]
    assert any(
        mark == "kept" and "policy p (without the tag kappa:region" in message
        for mark, message in told
    )


def test_a_create_of_an_older_kappa_that_was_stopped_is_completed(sessions):
    account = policy_by_hand(Account(), document(HERE))
    after = marks_of(sessions, account, HERE, "deploy")[1]
    assert after.rights(HERE, NAME) == [document(HERE)]
    assert marks_of(sessions, after, HERE, "delete")[1].made() == []


def second(config, text):
    """Another function with a role of its own, and the same name of a policy."""
    policy = kappa_config(policy=MADE | {"document": {"Statement": [text]}}).policy
    function = msgspec.structs.replace(config.function, name="second")
    role = kappa_config(role={"name": "s"}).role
    changed = msgspec.structs.replace(config, policy=policy, role=role, function=function)
    return {HERE: Session(changed, Region(Account(), HERE))}


@pytest.mark.parametrize("command", ["deploy", "update_code"])
def test_a_policy_that_another_role_has_too_is_not_overwritten(sessions, config, command):
    account = run(sessions, Account(), HERE, "deploy")[1][-1]
    equal = second(config, {"Resource": HERE})
    account = run(equal, account, HERE, "deploy")[1][-1]
    assert account.rights(HERE, "second") == [document(HERE)]
    with pytest.raises(Conflict, match="p is attached to others than the role s") as it:
        run(second(config, {"Resource": "mine"}), account, HERE, command)
    assert "Take another iam.policy.name" in it.value.hint
    assert f"list-entities-for-policy --policy-arn {POLICY}" in it.value.hint


def test_a_second_config_does_not_overwrite_the_policy_of_the_first(sessions, config):
    account = run(sessions, Account(), HERE, "deploy")[1][-1]
    with pytest.raises(Conflict, match="p is attached to others than the role s"):
        run(second(config, {"Resource": "mine"}), account, HERE, "deploy")


def test_a_delete_that_was_killed_after_the_function_keeps_the_role_when_run_again(sessions):
    account = run(sessions, Account(), HERE, "deploy")[1][-1]
    account.functions[HERE][NAME]["VpcConfig"] = {"SubnetIds": ["subnet-1"]}
    _, states = run(sessions, account, HERE, "delete")
    killed = next(one for one in states if not one.functions[HERE])
    told, after = marks_of(sessions, killed, HERE, "delete")
    assert after.made() == ["r", POLICY]
    assert any(mark == "kept" and "role r (Lambda needs it" in message for mark, message in told)


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_what_is_left_of_a_shared_role_is_named_and_goes_with_the_next_delete(config, order):
    account = Account()
    configs = {
        name: msgspec.structs.replace(
            config,
            function=msgspec.structs.replace(config.function, name=name),
            policy=msgspec.structs.replace(config.policy, name=f"{name}-policy"),
            file=config.file.with_name(f"{name}.yml"),
        )
        for name in order
    }

    def tell(name, command):
        session = Session(configs[name], Region(account, HERE))
        reports = []
        apply(PLANS[command](session), session.aws.call, reports.append)
        return [one.message for one in reports if one.mark == "kept"]

    for name in order:
        tell(name, "deploy")
    first, last = order
    role, policy = tell(first, "delete")[-2:]
    assert role == f"role r (used by {last})"
    assert f"run kappa {config.file.with_name(f'{first}.yml')} delete again" in policy
    (kept,) = [one for one in tell(last, "delete") if one.startswith("role")]
    assert f"it has other policies: {arn_of('policy', f'{first}-policy')}" in kept
    assert kept.endswith("delete again with the config that made it)")
    assert not [one for one in tell(first, "delete") if one.startswith(("role", "policy"))]
    assert account.made() == []
