"""A kappa session on an account in memory: a function from an image, with a given role."""

from kappa.commands.deploy_plan import plan_deploy
from kappa.commands.session import Session
from kappa.config.model import Image
from kappa.plan.apply import apply
from local.testkit.events import ACCOUNT
from tests.support.builders import kappa_config
from tests.support.kappa.account import REGION, ROLE, clock

IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/greeter:"


def session_of(aws, image="1", **function):
    """A session whose config has the image with this tag, and these settings."""
    own = {"path": "", "handler": "", "runtime": "", "image": Image(uri=IMAGE + image)}
    return Session(kappa_config(own | function, role={"arn": ROLE}), aws)


def carry_out(session, plan):
    """Apply a plan; return each step's report as (mark, message)."""
    reports = []
    apply(plan, session.aws.call, reports.append, clock())
    return [(report.mark, report.message) for report in reports]


def deploy(aws, **function):
    """Deploy with these settings; return the reports."""
    session = session_of(aws, **function)
    return carry_out(session, plan_deploy(session))
