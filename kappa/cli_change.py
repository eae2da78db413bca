"""The commands that change the account: each names its plan, nothing more."""

from __future__ import annotations

from kappa.command import carry_out, command
from kappa.options import Options


@command
def create(options: Options) -> None:
    """Create the policy, the role and the function.

    Makes what is missing and leaves alone what exists; the function's permissions and
    settings for asynchronous calls are brought to what the config says.

    Example:
      kappa config.yml create
    """
    from kappa.commands import plan_create

    carry_out(options, plan_create)


@command
def update_code(options: Options) -> None:
    """Upload the code and settings that differ.

    Changes the function's code and configuration, its permissions and the policy's document,
    each only where AWS has something else than the config says.

    Example:
      kappa config.yml update_code
    """
    from kappa.commands import plan_update_code

    carry_out(options, plan_update_code)


@command
def add_event_sources(options: Options) -> None:
    """Connect the function with its event sources.

    Makes a mapping for each DynamoDB or Kinesis stream, a subscription for each SNS topic, a
    notification for each S3 bucket, with the permission that it needs.

    Example:
      kappa config.yml add_event_sources
    """
    from kappa.commands import plan_add_event_sources

    carry_out(options, plan_add_event_sources)


@command
def update_event_sources(options: Options) -> None:
    """Bring event sources to what the config says.

    Changes batch size, retries, enabled and the like of the mappings that are there, and the
    events of bucket notifications.

    Example:
      kappa config.yml update_event_sources
    """
    from kappa.commands import plan_update_event_sources

    carry_out(options, plan_update_event_sources)


@command
def delete(options: Options) -> None:
    """Delete event sources, function, role and policy.

    Keeps the logs, policies and roles that kappa did not make, and a role or policy that
    something else uses; it says so of each.

    Example:
      kappa config.yml delete
    """
    from kappa.commands import plan_delete

    carry_out(options, plan_delete)
