"""delete: what invokes the function goes first, and what kappa did not make stays."""

from kappa.cli.delete import plan_delete
from kappa.config.model import Url
from kappa.plan.step import Step
from local.testkit.events import ACCOUNT
from tests.support.kappa.account import REGION, Account
from tests.support.kappa.sessions import carry_out, deploy, session_of

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:news"
SOURCES = ({"arn": TOPIC}, {"name": "nightly", "schedule": "rate(1 day)"})


def test_sources_go_before_the_function():
    aws = Account([TOPIC])
    deploy(aws, sources=SOURCES, url=Url(auth="NONE"))
    session = session_of(aws, sources=SOURCES, url=Url(auth="NONE"))
    plan = [step for step in plan_delete(session) if isinstance(step, Step)]
    operations = [step.operation for step in plan]
    assert operations.index("unsubscribe") < operations.index("delete_function")
    assert operations.index("delete_rule") < operations.index("delete_function")
    carry_out(session, plan)
    assert (aws.function, aws.left()) == (None, Account([TOPIC]).left())


def test_what_hangs_on_the_alias_of_another_environment_goes_too():
    aws = Account([TOPIC])
    deploy(aws, sources=({"arn": TOPIC},), alias="live", publish=True)
    carry_out(session_of(aws), plan_delete(session_of(aws, sources=({"arn": TOPIC},))))
    assert aws.subscriptions == {}


def test_logs_and_a_role_given_by_arn_stay_and_are_named():
    aws = Account()
    deploy(aws)
    kept = [
        message
        for mark, message in carry_out(session_of(aws), plan_delete(session_of(aws)))
        if mark == "kept"
    ]
    assert kept[0] == "log group /aws/lambda/greeter with its logs, if any"


def test_deleting_what_is_gone_changes_nothing():
    aws = Account()
    assert [item for item in plan_delete(session_of(aws)) if isinstance(item, Step)] == []
