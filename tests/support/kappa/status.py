"""A function's status from given state, without AWS."""

from kappa.commands.status_data import status_data
from kappa.function.state import FunctionState
from kappa.iam.state import IamState, RoleState
from kappa.sources.state import SourcesState
from tests.support.builders import kappa_config

SETTINGS = {
    "FunctionName": "greeter",
    "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:greeter",
    "Runtime": "python3.13",
    "State": "Active",
    "LastUpdateStatus": "Successful",
    "MemorySize": 128,
    "Timeout": 3,
    "CodeSize": 1234,
    "CodeSha256": "3f2a91bcAAAA=",
    "Architectures": ["arm64"],
    "LastModified": "2026-01-01T12:00:00.000+0000",
}

POLICY = {"name": "greeter-policy", "document": "policy.json"}

USED_ROLE = kappa_config(role={"arn": "arn:aws:iam::123456789012:role/greeter-role"})


def data_of(config, rights=None, function=None, sources=None):
    given = IamState(None, RoleState(config.role.arn)) if config.role.arn else IamState()
    parts = (rights or given, function or FunctionState(), sources or SourcesState())
    return status_data(config, *parts)


def problems_of(config, **state):
    return data_of(config, **state)["problems"]
