#!/usr/bin/env python3
"""Create and manage the chat's CloudFormation stack.

Usage:
  resources.py cf [--region=R] [--profile=P]
  resources.py launch [--region=R] [--profile=P] [--wait]
  resources.py update [--region=R] [--profile=P] [--wait] [--yes]
  resources.py delete [--region=R] [--profile=P] [--wait] [--yes]
  resources.py output [--region=R] [--profile=P] [--save]
  resources.py status [--region=R] [--profile=P]
  resources.py -h | --help
  resources.py --version

Commands:
  cf      Print the template as JSON. Changes nothing, needs no AWS.
  launch  Create the stack: the chat's bucket, tables, topics and roles.
  update  Bring the stack up to date with this checkout and config.yml.
  delete  Delete the stack, the page, the transcripts and every message.
  output  Print the stack's values as YAML. Changes nothing in AWS.
  status  Check config.yml and print the stack's state. Changes nothing.

Options:
  --region=R   The AWS region. Default: config.yml's `region`, else AWS_REGION.
  --profile=P  The profile in ~/.aws/config. Default: config.yml's `profile`.
  --wait       Print a line for each event, until the change has ended.
  --yes        Delete the stack or replace its bucket without asking.
  --save       Write the values into config.yml, between two marker lines.
  -h --help    Print this text.
  --version    Print the version.

Example:
  resources.py launch --wait && resources.py output --save
"""

from __future__ import annotations

import sys
import uuid
from typing import Any

try:
    from kappa.aws import Aws
    from kappa.errors import AwsError, ConfigError, Conflict, KappaError, NotFound
    from lambda_chat import command
    from lambda_chat.bucket import empty_bucket
    from lambda_chat.config import (
        SAVED,
        ChatConfig,
        check_region,
        config_notes,
        config_path,
        read_config,
        save_outputs,
    )
    from lambda_chat.stack import notes, progress
    from lambda_chat.stack.console import PLAIN, Console
    from lambda_chat.stack.push import read_push_values, refuse_without_push
    from lambda_chat.stack.website_bucket import read_owned_bucket
except ModuleNotFoundError as missing:
    sys.exit(
        f"Error: Python package {missing.name} is missing: run `pip install -r requirements.txt`."
    )


STOPPED = (
    "Stopped. AWS continues a change that has started; `./resources.py status` shows its progress."
)


def template() -> str:
    """Return the CloudFormation template as JSON, always the same text."""
    # troposphere takes a third of a second to import
    from lambda_chat.stack.template import stack_template

    return stack_template()


def launch(aws: Aws, config: ChatConfig, wait: bool, console: Console = PLAIN) -> None:
    """Create the stack; report one that exists, or is being created, with the same values.

    Raises: Conflict, if it exists with other values, or its creation failed before.
    """
    try:
        with progress.asking(f"creating the stack {config.stack_name}"):
            created = aws.client("cloudformation").create_stack(**_request(config))
        stack_id = created["StackId"]
        console.print(f"Creating the stack {config.stack_name} in {aws.region}.")
    except Conflict as error:
        stack = _same_stack(aws, config, error)
        stack_id = stack.id
        console.print(
            f"The stack {stack.name} exists in {aws.region}, with the values of config.yml."
        )
        if not stack.busy:
            console.print(
                "`./resources.py update` brings it up to date; "
                "`./resources.py output --save` saves its values."
            )
            return
    console.note(notes.of_mail(config))
    if wait:
        progress.follow(aws, stack_id, "", console.report)
        console.print("Created. Next: `./resources.py output --save`.")
    else:
        console.print(
            "Next: `./resources.py status`; once it is complete, `./resources.py output --save`."
        )


def _same_stack(aws: Aws, config: ChatConfig, error: Conflict) -> progress.Stack:
    """Return the existing stack if it matches the config, as after an interrupted launch.

    Raises: Conflict. For CloudFormation, a stack whose creation failed "exists" too.
    """
    stack = progress.read_stack(aws, config.stack_name)
    if stack is None:
        raise error
    if stack.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):
        text = f"The stack {stack.name} could not be created: {stack.status}."
        raise Conflict(text, progress.RELAUNCH) from error
    names = notes.other_values(config, stack.parameters)
    if names:
        text = f"The stack {stack.name} already exists with another {', '.join(names)}."
        strange = {"s3_bucket", "google_oauth_client_id"} & set(names)
        raise Conflict(text, progress.WHOSE if strange else error.hint) from error
    if not stack.usable and stack.status != "CREATE_IN_PROGRESS":
        text = f"The stack {stack.name} already exists: {stack.status}."
        raise Conflict(text, progress.WAIT if stack.busy else progress.RELAUNCH) from error
    return stack


def update(aws: Aws, config: ChatConfig, wait: bool, console: Console = PLAIN) -> None:
    """Update the stack; report if there is nothing to change.

    Raises: ConfigError, if it has to ask and there is no terminal.
    """
    before = _existing(aws, config)
    _confirm_another_bucket(before, config, console)
    last = progress.read_last_event_id(aws, before.id)
    try:
        with progress.asking(f"updating the stack {config.stack_name}"):
            aws.client("cloudformation").update_stack(**_request(config))
    except AwsError as error:
        # CloudFormation has no error code for this
        if "No updates are to be performed" not in error.message:
            raise
        console.print(f"The stack {config.stack_name} is up to date: nothing to change.")
        return
    console.print(f"Updating the stack {config.stack_name} in {aws.region}.")
    console.note(notes.of_mail(config))
    if wait:
        progress.follow(aws, before.id, last, console.report)
        console.print("Updated.")
        console.note(notes.of_former_buckets(aws, _existing(aws, config)))
    else:
        console.print("Next: `./resources.py status`.")


def delete(aws: Aws, config: ChatConfig, wait: bool, console: Console = PLAIN) -> None:
    """Empty the stack's bucket, then delete the stack; report if there is none.

    Raises: ConfigError, if the stack's bucket is not the config's, or if it has to ask and there is
    no terminal.
    """
    console.refuse_silence("delete")
    stack = progress.read_stack(aws, config.stack_name)
    if stack is None:
        console.print(f"There is no stack {config.stack_name} in {aws.region}: nothing to delete.")
        return
    name = read_owned_bucket(aws, stack)
    if name and name != config.s3_bucket:
        raise ConfigError(
            f"{config_path()}: s3_bucket: {config.s3_bucket} is not the bucket of the stack "
            f"{stack.name} in {aws.region}: that is {name}. Nothing was deleted.",
            "Does stack_name, region or profile belong to another chat? Correct it. If this is the "
            f"stack to delete, write `s3_bucket: {name}`: that is its bucket until "
            "`./resources.py update` replaces it.",
        )
    console.confirm(
        f"Delete the stack {stack.name} of the account {stack.account} in {aws.region}, with "
        f"{f'the bucket {name}, ' if name else ''}its page and every message?"
    )
    if name:
        console.print(f"Emptied the bucket {name}: {empty_bucket(aws, name)} objects.")
    former = notes.of_former_buckets(aws, stack)
    last = progress.read_last_event_id(aws, stack.id)
    with progress.asking(f"deleting the stack {stack.name}"):
        aws.client("cloudformation").delete_stack(StackName=stack.id)
    console.print(f"Deleting the stack {stack.name} in {aws.region}.")
    if wait:
        progress.follow(aws, stack.id, last, console.report)
        console.print("Deleted.")
    console.note(former)


def output(aws: Aws, config: ChatConfig, save: bool, console: Console = PLAIN) -> None:
    """Print the stack's values as `key: value` lines, or save them in the config file.

    With push, AWS IoT Core's endpoint and the topics are among them.
    Raises: AwsError, if the stack's values are not final, or IoT Core does not name its endpoint.
    """
    stack = _existing(aws, config)
    if stack.busy:
        raise AwsError(f"The stack {stack.name} is still busy: {stack.status}.", progress.WAIT)
    if not stack.usable:
        raise AwsError(f"The stack {stack.name} is not usable: {stack.status}.", progress.RELAUNCH)
    lacking = [key for key in SAVED if key not in stack.outputs]
    if lacking:
        raise AwsError(
            f"The stack {stack.name} has no output {', '.join(lacking)}.",
            "It is older than this checkout: run `./resources.py update --wait`.",
        )
    refuse_without_push(config, stack)
    values = {key: stack.outputs[key] for key in SAVED} | read_push_values(aws, config)
    if not save:
        console.print("\n".join(f"{key}: {value}" for key, value in values.items()))
        return
    changed = save_outputs(values)
    outcome = f"Saved {len(values)} values in" if changed else "Nothing to change in"
    console.print(f"{outcome} {config_path()}.")


def status(aws: Aws, config: ChatConfig, console: Console = PLAIN) -> None:
    """Print the state of the stack, then of each of its resources."""
    stack = _existing(aws, config)
    console.print(f"{stack.name}: {stack.status} in {aws.region}")
    reason = stack.reason
    if "ROLLBACK" in stack.status or stack.status.endswith("_FAILED"):
        reason = progress.read_failure(aws, stack.id) or reason
    if reason:
        console.print(f"  reason: {reason}")
    if hint := progress.blocked(reason, stack.id):
        console.print(f"  {hint}")
    for resource in progress.read_resources(aws, stack):
        console.print(f"  {resource.logical_id:22} {resource.status:18} {resource.physical_id}")
        if resource.reason:
            console.print(f"    {resource.reason}")
    console.note(notes.of_unknown_keys())
    console.note(notes.of_parameters(config, stack))
    console.note(notes.of_saved(aws, config, stack))
    console.note(notes.of_functions(aws, config))
    console.note(notes.of_former_buckets(aws, stack))


def _request(config: ChatConfig) -> dict[str, Any]:
    return {
        "StackName": config.stack_name,
        "TemplateBody": template(),
        "Capabilities": ["CAPABILITY_IAM"],
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in notes.parameter_values(config).items()
        ],
        # the SDK repeats a call whose answer was lost; with a token that is one change
        "ClientRequestToken": uuid.uuid4().hex,
    }


def _existing(aws: Aws, config: ChatConfig) -> progress.Stack:
    stack = progress.read_stack(aws, config.stack_name)
    if stack is None:
        raise NotFound(f"There is no stack {config.stack_name} in {aws.region}.", progress.LAUNCH)
    return stack


def _confirm_another_bucket(before: progress.Stack, config: ChatConfig, console: Console) -> None:
    old = before.parameters.get("WebsiteS3BucketName", config.s3_bucket)
    if old == config.s3_bucket:
        return
    console.refuse_silence(f"update to replace the bucket {old} by {config.s3_bucket}")
    console.confirm(
        f"Replace the bucket {old} of the stack {before.name} of the account {before.account} by "
        f"a new one, {config.s3_bucket}? {old} stays, but the chat no longer uses it."
    )


def _run(arguments: dict[str, Any]) -> int:
    if arguments["cf"]:
        print(template())
        return 0
    console = Console(
        region=arguments["--region"] or "",
        profile=arguments["--profile"] or "",
        yes=arguments["--yes"],
    )
    try:
        _run_command(arguments, console)
    except KappaError as error:
        error.message, error.hint = console.complete(error.message), console.complete(error.hint)
        raise
    except KeyboardInterrupt:
        console.note([STOPPED])
        return 130
    return 0


def _run_command(arguments: dict[str, Any], console: Console) -> None:
    config = read_config()
    console.note(config_notes())
    check_region(arguments["--region"])
    aws = command.aws_of(arguments, config)
    console.note(notes.of_region(aws, config))
    if arguments["launch"]:
        launch(aws, config, arguments["--wait"], console)
    elif arguments["update"]:
        update(aws, config, arguments["--wait"], console)
    elif arguments["delete"]:
        delete(aws, config, arguments["--wait"], console)
    elif arguments["output"]:
        output(aws, config, arguments["--save"], console)
    else:
        status(aws, config, console)


def main(argv: list[str] | None = None) -> int:
    """Run one command; return its exit code: 1 if AWS refused, 2 for wrong usage or config."""
    return command.run(__doc__, argv, _run, STOPPED)


if __name__ == "__main__":
    sys.exit(main())
