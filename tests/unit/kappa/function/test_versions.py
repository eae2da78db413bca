"""Versions and aliases: what deploy does for what there is.

A version is written as its number: `3=` equals the function as it is now, `3!` failed. An alias is
written `live:3`, or `live:3,10%2` if a share of its calls goes to another version.
"""

import re

import pytest

from kappa.function import versions
from kappa.function.version_state import VersionsState, read_health
from kappa.plan.apply import apply
from kappa.plan.step import Note
from tests.support.builders import assert_valid, kappa_config
from tests.support.kappa.account import clock

LATEST = {"Version": "$LATEST", "CodeSha256": "new", "Timeout": 3, "RevisionId": "a"}
NO_SNAPSHOT = {
    "State": "Failed",
    "StateReason": "The handler raised while its snapshot was made.",
    "StateReasonCode": "FunctionError",
}
REASON = "The handler raised while its snapshot was made. (FunctionError)"


def version(number, sha="new", **changes):
    return {**LATEST, "Version": str(number), "CodeSha256": sha, "RevisionId": "b", **changes}


def state(*found, aliases=(), checked=None, **latest):
    return VersionsState({**LATEST, **latest}, found, tuple(aliases), checked or {})


def written(numbers, aliases=""):
    """The state that is written as the module's docstring says."""
    found, checked, listed = [], {}, []
    for text in numbers.split():
        number = text.rstrip("=!")
        found.append(version(number, "new" if text.endswith("=") else "old"))
        if text.endswith("!"):
            checked[number] = NO_SNAPSHOT
    for text in aliases.split():
        name, number, share, other = re.fullmatch(r"(\w+):([^,]+)(?:,(\d+)%(\d+))?", text).groups()
        shares = {other: int(share) / 100} if share else {}
        routing = {"RoutingConfig": {"AdditionalVersionWeights": shares}} if share else {}
        listed.append({"Name": name, "FunctionVersion": number, **routing})
    return state(*found, aliases=listed, checked=checked)


def plan(has, will_change=False, **said):
    planned = versions.plan(kappa_config({"publish": True, **said}), has, will_change)
    assert_valid(planned)
    return planned


def done(planned, new):
    """Carry a plan out; the new version gets the number `new`."""

    def call(_service, operation, _doing, params):
        if operation == "get_function_configuration" and "Qualifier" in params:
            alias = params["Qualifier"]
            return {"Version": before.get(alias, new), "State": "Active"}
        return {"Version": new, "FunctionVersion": params.get("FunctionVersion"), "State": "Active"}

    before = {
        item.params["Name"]: item.before["FunctionVersion"]
        for item in planned
        if not isinstance(item, Note) and item.operation == "update_alias"
    }
    reports = []
    apply(planned, call, reports.append, clock())
    return "; ".join(f"{report.mark} {report.message}" for report in reports)


LIVE = {"alias": "live"}


@pytest.mark.parametrize(
    ("numbers", "aliases", "config", "words"),
    [
        ("", "", {}, "published version 1"),
        ("", "", LIVE, "published version 1; created alias live: version 1"),
        ("1", "live:1", LIVE, "published version 2; updated alias live: version 1 -> 2"),
        ("1 2=", "live:1", LIVE, "unchanged version 2; updated alias live: version 1 -> 2"),
        ("1 2=", "live:2", LIVE, "unchanged version 2; unchanged alias live: version 2"),
        ("1 2=", "", {}, "unchanged version 2"),
        ("1", "live:1", LIVE | {"publish": False}, "exists alias live: version 1"),
        (
            "1",
            "blue:1",
            LIVE | {"publish": False},
            "published version 2; created alias live: version 2",
        ),
        # A share of the calls that somebody gave another version ends, and deploy reports it.
        (
            "1 2=",
            "live:2,10%1",
            LIVE,
            "unchanged version 2; updated alias live: version 2 -> 2, with all calls "
            "(before: 10% to version 1)",
        ),
        ("1 2", "live:1,50%2", LIVE | {"publish": False}, "exists alias live: version 1"),
        # A failed version is removed, since AWS would return it again.
        (
            "1 2!",
            "live:1",
            LIVE,
            "removed version 2, which failed; published version 3; "
            "updated alias live: version 1 -> 3",
        ),
        # keep_versions counts the new version, and not a failed one.
        (
            "1 2 5",
            "",
            {"keep_versions": 2},
            "published version 6; removed version 1; removed version 2",
        ),
        ("1 2 5", "", {"keep_versions": 4}, "published version 6"),
        ("1 2 5=", "", {"keep_versions": 2}, "unchanged version 5; removed version 1"),
        (
            "1 2!",
            "",
            {"keep_versions": 2},
            "removed version 2, which failed; published version 3",
        ),
        # Aliases keep their versions; the config's own alias has left its version by then.
        (
            "1 2 3",
            "prod:1,10%2 live:3",
            LIVE | {"keep_versions": 1},
            "published version 4; updated alias live: version 3 -> 4; removed version 3",
        ),
        ("1 2", "prod:1 dev:2", {"keep_versions": 1}, "published version 3"),
    ],
)
def test_versions_and_aliases_follow_the_config(numbers, aliases, config, words):
    has = written(numbers, aliases)
    new = str(max([0, *has.numbers]) + 1)
    assert done(plan(has, **config), new).replace(" of greeter", "") == words


def test_nothing_is_planned_without_publish_and_alias():
    assert versions.plan(kappa_config(), state(), will_change=True) == []


def test_what_changes_the_function_is_published_though_the_newest_version_equals_it():
    assert plan(written("1="), will_change=True)[0].operation == "publish_version"


def test_old_versions_go_last_but_a_failed_one_goes_first():
    planned = plan(written("1 2!"), keep_versions=1)
    assert [versions.deletes_version(item) for item in planned] == [False, False, True]


def test_a_description_that_somebody_gave_an_alias_stays():
    has = written("1", "live:1")
    has.aliases[0]["Description"] = "the public one"
    assert "Description" not in plan(has, **LIVE)[1].params


def test_a_version_that_is_invoked_by_its_number_stays_and_is_named():
    has = written("1 2=")
    has = VersionsState(has.latest, has.versions, users={"1": "event source sqs q invokes it"})
    kept = Note("kept", "version 1 of greeter (event source sqs q invokes it)")
    assert plan(has, keep_versions=1)[-1] == kept


THEN, LATER = "2026-01-01T12:00:00.000+0000", "2026-01-02T12:00:00.000+0000"
HIDDEN = {"Environment": {"Error": {"ErrorCode": "AccessDeniedException"}}}


@pytest.mark.parametrize(
    ("newest", "latest", "mark"),
    [
        ({"Timeout": 9}, {}, "published"),
        ({}, {"SnapStart": {"ApplyOn": "PublishedVersions"}}, "published"),
        # These differ between versions of the same content.
        ({"LastModified": "2026", "RevisionId": "c", "State": "Active"}, {}, "unchanged"),
        ({"SnapStart": {"ApplyOn": "None", "OptimizationStatus": "On"}}, {}, "unchanged"),
        ({"Layers": [], "State": "Active"}, {}, "unchanged"),
        # The descriptions differ, or the variables cannot be read: the time decides.
        ({"LastModified": THEN, "Description": "a"}, {"LastModified": LATER}, "published"),
        ({"LastModified": THEN, "Description": "a"}, {"LastModified": THEN}, "unchanged"),
        ({"LastModified": LATER, "Description": "a"}, {"LastModified": THEN}, "unchanged"),
        ({"LastModified": THEN, **HIDDEN}, {"LastModified": LATER, **HIDDEN}, "published"),
    ],
)
def test_a_version_is_published_if_the_function_differs_from_the_newest(newest, latest, mark):
    assert plan(state(version(1, **newest), **latest))[0].mark == mark


@pytest.mark.parametrize(("its", "mark"), [("Pending", "published"), ("Inactive", "unchanged")])
def test_a_snapshot_that_is_still_being_made_is_waited_for(its, mark):
    has = written("1=", "live:1")
    has = VersionsState(has.latest, has.versions, has.aliases, {"1": {"State": its}})
    publish, move = plan(has, **LIVE)
    assert publish.mark == mark
    if mark == "published":
        assert (publish.wait.until, publish.wait.failed) == (("Active",), ("Failed",))
        assert publish.wait.takes == {"Qualifier": "Version"}
        assert move.takes == {"FunctionVersion": "Version"}


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


@pytest.mark.parametrize(
    ("numbers", "aliases", "config", "marks"),
    [
        ("", "", {"publish": True}, ["published"]),
        ("1 2", "live:1", {"publish": True}, []),
        ("1 2", "live:1", {"publish": True, **LIVE}, []),
        ("1 2", "blue:1", {"publish": True, **LIVE, "keep_versions": 1}, ["published", "created"]),
        ("1 2", "live:1", {}, []),
    ],
)
def test_create_makes_what_is_missing_and_removes_no_version(numbers, aliases, config, marks):
    planned = versions.plan_missing(kappa_config(config), written(numbers, aliases))
    assert [item.mark for item in planned] == marks


def test_rows_come_newest_first_after_latest_with_what_points_to_them():
    found = versions.rows(kappa_config(), written("1 2", "live:2,10%1"))
    assert [(row["version"], row["aliases"]) for row in found] == [
        ("$LATEST", []),
        ("2", ["live"]),
        ("1", ["live"]),
    ]
