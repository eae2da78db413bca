"""Two commands at once on one function: neither publishes, mixes or moves what is the other's.

The account is in memory and checks RevisionId and CodeSha256 as AWS does.
Source: AWS Lambda API reference, "PublishVersion", "UpdateAlias", "UpdateFunctionCode".
"""

import pytest

from kappa.commands.deploy_plan import plan_create, plan_deploy
from kappa.commands.rollback import plan_rollback
from kappa.commands.session import Session
from kappa.errors import Conflict
from kappa.plan.apply import apply
from tests.support.builders import kappa_config
from tests.support.kappa.account import ROLE, Account, clock

IMAGES = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop"


def config(alias, release=1, **function):
    section = {
        "path": "",
        "handler": "",
        "runtime": "",
        "image": {"uri": f"{IMAGES}:{release}"},
        "environment": {"STAGE": alias},
        "publish": True,
        "alias": alias,
    }
    return kappa_config(section | function, role={"arn": ROLE}, environment=alias)


class Shop:
    """A function of two environments; `meanwhile` runs once, right before a write."""

    def __init__(self):
        self.aws = Account()
        self.deploy("prod")
        self.deploy("dev")

    def session(self, alias, release=1, **function):
        return Session(config(alias, release, **function), self.aws)

    def deploy(self, alias, release=1, **function):
        return self.run(plan_deploy(self.session(alias, release, **function)))

    def rollback(self, alias, to):
        return self.run(plan_rollback(self.session(alias), "", to))

    def run(self, plan):
        reports = []
        apply(plan, self.aws.call, reports.append, clock())
        done = [(one.mark, one.message) for one in reports if "role" not in one.message]
        return [one for one in done if one[0] != "unchanged"]

    def meanwhile(self, operation, do):
        def before(name):
            if name == operation:
                self.aws.before = lambda _operation: None
                do()

        self.aws.before = before

    def runs(self, alias):
        """The stage and the release that an alias runs."""
        has = self.aws.versions[self.aws.aliases[alias]]
        return has["Environment"]["Variables"]["STAGE"], has["ImageUri"].removeprefix(f"{IMAGES}:")


@pytest.mark.parametrize(
    "operation", ["update_function_configuration", "update_function_code", "publish_version"]
)
def test_a_deploy_never_publishes_what_another_made_meanwhile(operation):
    shop = Shop()
    shop.meanwhile(operation, lambda: shop.deploy("dev", 3))
    with pytest.raises(Conflict, match="Another command changed the function greeter") as error:
        shop.deploy("prod", 2)
    assert "run the same command again" in error.value.hint
    assert (shop.runs("prod"), shop.runs("dev")) == (("prod", "1"), ("dev", "3"))
    shop.deploy("prod", 2)
    assert (shop.runs("prod"), shop.runs("dev")) == (("prod", "2"), ("dev", "3"))


def test_the_refusal_names_what_differs():
    shop = Shop()
    shop.meanwhile("publish_version", lambda: shop.deploy("dev", 3))
    with pytest.raises(Conflict, match=r"\(Environment, code\). kappa stopped before it pub"):
        shop.deploy("prod", 2)


def test_a_setting_that_the_config_does_not_name_is_not_published_either():
    shop = Shop()
    shop.meanwhile(
        "publish_version", lambda: shop.aws.lambda_update_function_configuration("", Timeout=9)
    )
    with pytest.raises(Conflict, match="Timeout"):
        shop.deploy("prod", 2)


def test_a_revision_that_changes_nothing_is_published_all_the_same():
    shop = Shop()
    for operation in ("publish_version", "update_function_code", "update_function_configuration"):
        shop.meanwhile(operation, lambda: shop.aws._revised(""))
        shop.deploy("prod", operation)
        assert shop.runs("prod") == ("prod", operation)


@pytest.mark.parametrize(
    "operation", ["update_function_configuration", "update_function_code", "update_alias"]
)
def test_an_update_that_is_done_though_its_answer_was_lost_is_no_conflict(operation):
    shop = Shop()
    call, lost = shop.aws.call, []

    def lose(service, name, doing, params=None):
        if name == operation and not lost:
            lost.append(name)
            call(service, name, doing, params)
        return call(service, name, doing, params)

    shop.aws.call = lose
    done = dict(shop.deploy("prod", 2))
    assert lost
    assert done["exists"]
    assert shop.runs("prod") == ("prod", "2")


def test_a_rollback_does_not_take_back_the_deploy_that_came_meanwhile():
    shop = Shop()
    shop.deploy("prod", 2)
    shop.meanwhile("update_alias", lambda: shop.deploy("prod", 3))
    with pytest.raises(Conflict) as error:
        shop.rollback("prod", "1")
    assert error.value.message == (
        "The alias prod of greeter has moved to version 4 meanwhile: it was on 3, and was to be "
        "moved to 1."
    )
    assert shop.runs("prod") == ("prod", "3")


def test_two_deploys_of_the_same_are_no_conflict():
    shop = Shop()
    shop.meanwhile("update_alias", lambda: shop.deploy("prod", 2))
    assert ("exists", "alias prod: version 1 -> 3") in shop.deploy("prod", 2)
    assert shop.runs("prod") == ("prod", "2")


def test_an_alias_that_is_changed_again_and_again_ends_in_an_error():
    shop = Shop()
    shop.aws.before = lambda name: name == "update_alias" and shop.aws._revised("prod")
    with pytest.raises(Conflict, match="changes it again and again: alias prod"):
        shop.deploy("prod", 2)


def test_a_second_deploy_changes_nothing():
    shop = Shop()
    shop.deploy("prod", 2, keep_versions=2)
    assert shop.deploy("prod", 2, keep_versions=2) == []


def test_create_makes_no_alias_of_what_another_environment_made():
    shop = Shop()
    shop.aws.delete_alias("dev")
    shop.deploy("prod", 2)
    with pytest.raises(Conflict, match=r"as this config wants it \(Environment, code") as error:
        plan_create(shop.session("dev", 1))
    assert error.value.hint.endswith("kappa config.yml deploy --env dev")
    assert "dev" not in shop.aws.aliases
    shop.deploy("dev", 1)
    assert shop.runs("dev") == ("dev", "1")


def test_create_completes_what_was_stopped_before_the_alias():
    shop = Shop()
    shop.deploy("dev", 2)
    shop.aws.delete_alias("dev")
    done = shop.run(plan_create(shop.session("dev", 2)))
    assert ("created", "alias dev: version 3") in done
    assert shop.runs("dev") == ("dev", "2")
