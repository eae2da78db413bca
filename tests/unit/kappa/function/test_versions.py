"""Versions and aliases: what is planned for what there is."""

import pytest

from kappa.errors import AwsError
from kappa.function import versions
from kappa.function.version_state import VersionsState, read_health
from kappa.plan.apply import apply
from kappa.plan.step import Note, Step, Wait
from tests.support.builders import assert_valid, kappa_config

LATEST = {"Version": "$LATEST", "CodeSha256": "new", "Timeout": 3, "RevisionId": "a"}


def version(number, sha="new", **changes):
    return {**LATEST, "Version": str(number), "CodeSha256": sha, "RevisionId": "b", **changes}


def alias(number, name="current", **changes):
    return {"Name": name, "FunctionVersion": str(number), **changes}


def state(*found, aliases=(), checked=None, **latest):
    return VersionsState({**LATEST, **latest}, found, tuple(aliases), checked or {})


WAS = "kappa config.yml: was on versions "
NEW = "kappa config.yml: was on no other version"
NO_SNAPSHOT = {
    "State": "Failed",
    "StateReason": "The handler raised while its snapshot was made.",
    "StateReasonCode": "FunctionError",
}
REASON = "The handler raised while its snapshot was made. (FunctionError)"


def plan(has, will_change=False, **said):
    planned = versions.plan(kappa_config({"publish": True, **said}), has, will_change)
    assert_valid(planned)
    return planned


def test_nothing_is_planned_without_publish_and_alias():
    assert versions.plan(kappa_config(), state(), will_change=True) == []


def test_a_change_is_published_waited_for_and_the_alias_made_with_the_new_number():
    assert plan(VersionsState(), will_change=True, alias="current") == [
        Step(
            "lambda",
            "publish_version",
            {"FunctionName": "greeter"},
            "published",
            "version (new) of greeter",
            wait=Wait(
                "lambda",
                "get_function_configuration",
                {"FunctionName": "greeter"},
                "State",
                until=("Active",),
                failed=("Failed",),
                reason="StateReason",
                deadline_s=600.0,
                takes={"Qualifier": "Version"},
            ),
        ),
        Step(
            "lambda",
            "create_alias",
            {"FunctionName": "greeter", "Name": "current", "Description": NEW},
            "created",
            "alias current: version (new)",
            takes={"FunctionVersion": "Version"},
            conflict_hint="Another deploy has just made it for another version: "
            "run the same command again.",
        ),
    ]


def test_the_number_of_the_new_version_reaches_the_wait_and_the_alias():
    calls = []

    def call(_service, operation, _doing, params):
        calls.append((operation, dict(params)))
        return {"Version": "7", "State": "Pending" if operation == "publish_version" else "Active"}

    apply(plan(state(), alias="current"), call, lambda _report: None)
    assert calls[1:] == [
        ("get_function_configuration", {"FunctionName": "greeter", "Qualifier": "7"}),
        (
            "create_alias",
            {
                "FunctionName": "greeter",
                "Name": "current",
                "FunctionVersion": "7",
                "Description": NEW,
            },
        ),
    ]


def test_deploy_names_the_version_that_it_published():
    def call(_service, operation, _doing, _params):
        key = "FunctionVersion" if "alias" in operation else "Version"
        return {key: "7", "State": "Active"}

    told = []
    moves = plan(state(version(1, "old"), aliases=[alias(1)]), alias="current")
    for steps in (plan(state(), alias="current"), moves):
        apply(steps, call, lambda report: told.append(report.message))
    assert told == [
        "version 7 of greeter",
        "alias current: version 7",
        "version 7 of greeter",
        "alias current: version 1 -> 7",
    ]


def test_an_alias_that_is_there_is_moved():
    step = plan(state(version(1, "old"), aliases=[alias(1)]), alias="current")[1]
    assert step == Step(
        "lambda",
        "update_alias",
        {"FunctionName": "greeter", "Name": "current", "Description": f"{WAS}1"},
        "updated",
        "alias current: version 1 -> (new)",
        takes={"FunctionVersion": "Version"},
    )
    assert step.before == {"FunctionVersion": "1", "Description": ""}


def test_what_is_published_and_pointed_to_already_stays():
    has = state(version(1, "old"), version(2), aliases=[alias(2)])
    assert plan(has, alias="current") == [
        Note("unchanged", "version 2 of greeter"),
        Note("unchanged", "alias current: version 2"),
    ]
    assert plan(has) == [Note("unchanged", "version 2 of greeter")]


def test_an_alias_that_points_elsewhere_is_moved_to_the_version_that_is_there():
    there, move = plan(state(version(1, "old"), version(2), aliases=[alias(1)]), alias="current")
    assert there == Note("unchanged", "version 2 of greeter")
    assert (move.params["Name"], move.params["FunctionVersion"]) == ("current", "2")
    assert move.takes == {}


def test_a_version_whose_settings_differ_is_not_the_function_as_it_is():
    assert plan(state(version(1, Timeout=9)))[0].operation == "publish_version"
    assert (
        plan(state(version(1), SnapStart={"ApplyOn": "PublishedVersions"}))[0].mark == "published"
    )


def test_a_description_that_has_changed_since_is_published():
    then, now = "2026-01-01T12:00:00.000+0000", "2026-01-02T12:00:00.000+0000"
    has = state(version(1, LastModified=then, Description="a"), LastModified=now, Description="b")
    assert plan(has)[0].mark == "published"


def test_a_version_with_a_description_of_its_own_is_not_published_again():
    then, now = "2026-01-01T12:00:00.000+0000", "2026-01-02T12:00:00.000+0000"
    for at in (then, now):
        has = state(version(1, LastModified=at, Description="mine"), LastModified=then)
        assert plan(has)[0].mark == "unchanged"


def test_variables_that_cannot_be_read_are_not_taken_for_equal():
    hidden = {"Environment": {"Error": {"ErrorCode": "AccessDeniedException"}}}
    has = state(version(1, LastModified="2026-01", **hidden), LastModified="2026-02", **hidden)
    assert plan(has)[0].mark == "published"


def test_what_every_version_has_of_its_own_makes_no_difference():
    own = {
        "LastModified": "2026",
        "Description": "first",
        "State": "Active",
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "On"},
        "Layers": [],
    }
    assert plan(state(version(1, **own)))[0].mark == "unchanged"


def test_without_publish_an_alias_stays_and_a_missing_one_is_made():
    has = state(version(1, "old"), aliases=[alias(1)])
    assert plan(has, publish=False, alias="current") == [Note("exists", "alias current: version 1")]
    operations = [step.operation for step in plan(has, publish=False, alias="blue")]
    assert operations == ["publish_version", "create_alias"]


def test_moving_an_alias_ends_the_share_of_another_version():
    weights = {"RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}}
    has = state(version(1, "old"), version(2), aliases=[alias(2, **weights)])
    move = plan(has, alias="current")[1]
    assert move.params["RoutingConfig"] == {"AdditionalVersionWeights": {}}
    assert move.before == {"FunctionVersion": "2", "Description": "", **weights}


def test_a_version_that_failed_is_removed_and_published_anew():
    has = state(version(1, "old"), version(2), aliases=[alias(1)], checked={"2": NO_SNAPSHOT})
    remove, publish, move = plan(has, alias="current")
    assert (remove.operation, remove.params["Qualifier"]) == ("delete_function", "2")
    assert remove.message == "version 2 of greeter, which failed"
    assert publish.operation == "publish_version"
    assert (move.operation, move.takes) == ("update_alias", {"FunctionVersion": "Version"})


def test_a_version_that_failed_is_removed_before_the_publishing_though_old_ones_go_last():
    has = state(version(1, "old"), version(2), checked={"2": NO_SNAPSHOT})
    planned = plan(has, keep_versions=1)
    assert [versions.deletes_version(item) for item in planned] == [False, False, True]


def test_a_version_that_failed_is_removed_when_something_else_is_published_too():
    has = state(version(1, "old"), version(2, "bad"), checked={"2": NO_SNAPSHOT})
    operations = [item.operation for item in plan(has, will_change=True)]
    assert operations == ["delete_function", "publish_version"]


def test_a_version_that_failed_does_not_push_out_one_to_go_back_to():
    has = state(version(1, "old"), version(2), checked={"2": NO_SNAPSHOT})
    assert removed(has, 2) == ["2"]


@pytest.mark.parametrize("publish", [True, False])
def test_a_failed_version_that_an_alias_points_to_is_an_error_with_awss_reason(publish):
    has = state(version(1, "old"), version(2), aliases=[alias(2)], checked={"2": NO_SNAPSHOT})
    with pytest.raises(AwsError) as error:
        plan(has, publish=publish, alias="current")
    assert error.value.message == (
        f"Version 2 of greeter failed, and the alias current points to it: {REASON}"
    )
    assert error.value.hint == ("Move the alias first: kappa config.yml rollback --alias current")


def test_a_version_whose_snapshot_is_still_being_made_is_waited_for():
    has = state(version(1), aliases=[alias(1)], checked={"1": {"State": "Pending"}})
    publish, move = plan(has, alias="current")
    assert (publish.operation, publish.wait.until) == ("publish_version", ("Active",))
    assert move.takes == {"FunctionVersion": "Version"}


def test_a_version_that_was_idle_for_long_is_no_failure():
    has = state(version(1), aliases=[alias(1)], checked={"1": {"State": "Inactive"}})
    assert [item.mark for item in plan(has, alias="current")] == ["unchanged", "unchanged"]


def test_the_state_of_a_version_is_asked_for_since_a_list_lacks_it():
    asked = []

    class Asked:
        def call(self, service, operation, _doing, params):
            asked.append((service, operation, params))
            return NO_SNAPSHOT

    has = read_health(Asked(), "greeter", state(version(2)), "2")
    params = {"FunctionName": "greeter", "Qualifier": "2"}
    assert asked == [("lambda", "get_function_configuration", params)]
    assert has.has_failed("2")
    assert read_health(Asked(), "greeter", state(), "") == state()


def test_create_makes_what_is_missing_and_removes_no_version():
    has = state(version(1, "old"), version(2, "old"), aliases=[alias(1)])

    def missing(has, **said):
        return [item.mark for item in versions.plan_missing(kappa_config(said), has)]

    assert missing(state(), publish=True) == ["published"]
    assert missing(has, publish=True) == []
    assert missing(has, publish=True, alias="current") == []
    assert missing(has, publish=True, alias="blue", keep_versions=1) == ["published", "created"]
    assert missing(has) == []


def removed(has, keep, **said):
    steps = [one for one in plan(has, keep_versions=keep, **said) if one.mark == "removed"]
    return [one.params["Qualifier"] for one in steps]


def test_the_newest_versions_are_kept_the_new_one_counts():
    old = [version(number, "old") for number in (1, 2, 5)]
    assert removed(state(*old), 2) == ["1", "2"]
    assert removed(state(*old), 1) == ["1", "2", "5"]
    assert removed(state(*old), 4) == []
    assert removed(state(*old, version(6)), 2) == ["1", "2"]
    assert removed(state(), 1) == []


def test_a_version_that_an_alias_points_to_is_never_removed():
    old = [version(number, "old") for number in (1, 2, 3)]
    weights = {"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}}}
    has = state(*old, aliases=[alias(1, "stable", **weights), alias(3)])
    assert removed(has, 1, alias="current") == ["3"]
    assert removed(has, 1) == []


def test_rows_come_newest_first_after_latest_with_what_points_to_them():
    weights = {"RoutingConfig": {"AdditionalVersionWeights": {"1": 0.1}}}
    found = versions.rows(
        kappa_config(), state(version(1), version(2), aliases=[alias(2, **weights)])
    )
    assert [(one["version"], one["aliases"]) for one in found] == [
        ("$LATEST", []),
        ("2", ["current"]),
        ("1", ["current"]),
    ]


def shared(*aliases, newest=6):
    """A function with versions 1 to `newest`, which several aliases share."""
    return state(*(version(number, "old") for number in range(1, newest + 1)), aliases=aliases)


def prod(number, was="", **changes):
    return alias(number, "prod", Description=f"{WAS}{was}" if was else "", **changes)


def dev(number, was=""):
    return alias(number, "dev", Description=f"{WAS}{was}" if was else "")


def pruned(has, name, keep, **said):
    config = kappa_config({"publish": True, "keep_versions": keep, "alias": name, **said})
    planned = versions.plan(config, has, will_change=True)
    assert_valid(planned)
    return (
        [one.params["Qualifier"] for one in planned if one.mark == "removed"],
        [one.message for one in planned if one.mark == "kept"],
    )


def test_pruning_counts_the_aliass_own_versions():
    has = shared(prod(5, "1 3"), dev(6, "2 4"))
    assert pruned(has, "prod", 2) == (["1", "3"], [])
    assert pruned(has, "dev", 2) == (["2", "4"], [])
    assert pruned(has, "prod", 3) == (["1"], [])


def test_pruning_leaves_what_another_alias_may_go_back_to():
    has = shared(prod(6, "1 2 3"), dev(5, "1 3 4"))
    assert pruned(has, "prod", 1) == (["2", "6"], [])


def test_a_version_that_two_aliases_were_on_goes_with_the_last_of_them():
    has = shared(prod(4, "1 3"), dev(3, "1 2"), newest=4)
    config = kappa_config({"publish": True, "keep_versions": 2, "alias": "prod"})
    *_, move = [one for one in versions.plan(config, has, True) if one.mark == "updated"]
    assert move.params["Description"] == f"{WAS}4"
    left = state(*has.versions, version(5), aliases=[prod(5, "4"), dev(3, "1 2")])
    assert pruned(left, "dev", 2)[0] == ["1", "2"]


def test_a_version_of_which_the_alias_is_not_known_stays_and_is_named():
    removed, kept = pruned(shared(prod(5, "4"), dev(6)), "prod", 1)
    assert removed == ["4", "5"]
    assert [message.split(" (")[0] for message in kept] == [
        f"version {number} of greeter" for number in (1, 2, 3)
    ]
    assert "delete-function --function-name greeter --qualifier 1" in kept[0]


def test_without_an_alias_in_the_config_what_an_alias_may_go_back_to_stays():
    assert pruned(shared(prod(3, "1")), "", 1)[0] == ["2", "4", "5", "6"]
    assert pruned(shared(prod(3)), "", 1)[0] == ["1", "4", "5", "6"]


def test_of_the_only_alias_a_version_published_without_it_does_not_push_out_its_own():
    has = shared(prod(4, "2"))
    assert pruned(has, "prod", 2)[0] == ["1", "2", "3", "5"]
    assert pruned(has, "prod", 3)[0] == ["1", "3"]
