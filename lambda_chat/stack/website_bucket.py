"""The website bucket that a stack created, and those that it created before.

A stack may list a bucket that is not its own, if the name was taken. It must not print.
"""

from __future__ import annotations

from kappa.aws import Aws
from kappa.errors import NotFound
from lambda_chat.stack.progress import Stack, asking, read_events, read_resources

BUCKET = "WebsiteS3Bucket"
# In these states, the stack created the bucket that it lists.
OWNED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_FAILED"})


def read_owned_bucket(aws: Aws, stack: Stack) -> str:
    """Return the name of the website bucket that this stack created, or "".

    A stack whose bucket could not be created because the name was taken still lists that name. Such
    a bucket belongs to someone else and must never be emptied.
    """
    for resource in read_resources(aws, stack):
        if resource.logical_id == BUCKET and resource.status in OWNED:
            return resource.physical_id
    return ""


def read_bucket_name(aws: Aws, name: str) -> str:
    """Return the website bucket that the stack with that name created, or ""."""
    try:
        with asking(f"asking for the bucket of the stack {name}"):
            resource = aws.client("cloudformation").describe_stack_resource(
                StackName=name, LogicalResourceId=BUCKET
            )["StackResourceDetail"]
    except NotFound:
        return ""
    return str(resource["PhysicalResourceId"]) if resource["ResourceStatus"] in OWNED else ""


def read_former_buckets(aws: Aws, stack: Stack) -> list[str]:
    """Return the buckets that the stack created and has replaced since, according to its events."""
    made = {
        event.physical_id
        for event in read_events(aws, stack.id)
        if event.logical_id == BUCKET and event.status in OWNED
    }
    return sorted(made - {stack.parameters.get("WebsiteS3BucketName", ""), ""})
