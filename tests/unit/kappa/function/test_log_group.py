"""The log group: its retention, and that no command deletes it."""

from kappa.function.log_group import LogGroup, plan_log_group_delete, plan_retention
from kappa.plan.step import Note
from tests.support.builders import assert_valid, kappa_config


def test_without_a_retention_nothing_is_planned():
    assert plan_retention(kappa_config(), None) == []


def test_a_retention_makes_the_group():
    plan = plan_retention(kappa_config({"log_retention_days": 14}), None)
    assert_valid(plan)
    assert [step.operation for step in plan] == ["create_log_group", "put_retention_policy"]


def test_another_retention_is_changed():
    plan = plan_retention(kappa_config({"log_retention_days": 14}), LogGroup())
    assert_valid(plan)
    assert [step.operation for step in plan] == ["put_retention_policy"]


def test_an_equal_retention_stays():
    plan = plan_retention(kappa_config({"log_retention_days": 14}), LogGroup(14))
    assert plan == [Note("unchanged", "log group /aws/lambda/greeter")]


def test_delete_says_that_the_logs_stay():
    assert plan_log_group_delete(kappa_config())[0].mark == "kept"
