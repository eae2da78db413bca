"""The values that push adds to config.yml's saved block: AWS IoT Core's endpoint, and the topics.

Without push it asks AWS nothing. It must not print or write.
"""

from __future__ import annotations

from kappa.aws import Aws, translated
from kappa.errors import AwsError, Unavailable
from lambda_chat.config import ChatConfig, config_path
from lambda_chat.stack.progress import Stack

UPDATE = "Run `./resources.py update --wait`."


def refuse_without_push(config: ChatConfig, stack: Stack) -> None:
    """Refuse a stack whose role may not listen, if the config wants push.

    Raises: AwsError.
    """
    if config.push and stack.parameters.get("Push") != "true":
        raise AwsError(f"The stack {stack.name} was made or last updated without push.", UPDATE)


def read_push_values(aws: Aws, config: ChatConfig) -> dict[str, str]:
    """Return the values of SAVED_FOR_PUSH; none without `push: true`.

    Every account has one endpoint in each region, and it stays the same.
    Raises: Denied, if the caller may not ask; Unavailable, as where IoT Core does not exist;
    AwsError.
    Source: AWS IoT API reference, DescribeEndpoint.
    """
    if not config.push:
        return {}
    try:
        with translated("asking AWS IoT Core for its endpoint (iot:DescribeEndpoint)"):
            answer = aws.client("iot").describe_endpoint(endpointType="iot:Data-ATS")
    except AwsError as error:
        if isinstance(error, Unavailable) and error.unreachable:
            error.hint = f"Does {aws.region} have AWS IoT Core?"
        error.hint = (
            f"{error.hint} The chat also works without push: set `push: false` in {config_path()}."
        )
        raise
    return {
        "push_endpoint": answer["endpointAddress"],
        "push_topics": f"{config.stack_name}/channel/*",
    }
