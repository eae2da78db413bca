#!/usr/bin/env python3
"""Create and look after the chat's CloudFormation stack.

Usage:
  resources.py cf [--region=R] [--profile=P]
  resources.py launch [--region=R] [--profile=P] [--wait]
  resources.py update [--region=R] [--profile=P] [--wait]
  resources.py delete [--region=R] [--profile=P] [--wait] [--yes]
  resources.py output [--region=R] [--profile=P] [--save]
  resources.py status [--region=R] [--profile=P]
  resources.py -h | --help

Commands:
  cf      Print the template as JSON. Changes nothing, asks nothing of AWS.
  launch  Create the stack: the bucket, the tables, the topics and the roles of the chat.
  update  Bring the stack up to date with this checkout and config.yml.
  delete  Delete the stack, the page, the transcripts and every message.
  output  Print the stack's values as YAML for config.yml. Changes nothing in AWS.
  status  Print the state of the stack and of its resources. Changes nothing.

Options:
  --region=R   The AWS region; config.yml's `region`, else AWS_REGION, when absent.
  --profile=P  The profile of ~/.aws/config; config.yml's `profile` when absent.
  --wait       Stay, and print a line for each event, until the change has ended.
  --yes        Do not ask before deleting.
  --save       Write the values into config.yml, between two marker lines.
  -h --help    Print this text.

Example:
  resources.py launch --region=us-east-1 --wait && resources.py output --save
"""

from __future__ import annotations

import sys
from typing import Any

try:
    import commandline
    import stack as stacks
    from bucket import empty_bucket
    from chatconfig import (
        SAVED,
        ChatConfig,
        check_region,
        config_path,
        notes,
        outdated,
        read_config,
        save_outputs,
    )
    from kappa.aws import Aws
    from kappa.errors import AwsError, ConfigError, Conflict, KappaError, NotFound
except ModuleNotFoundError as missing:
    sys.exit(
        f"Error: Python package {missing.name} is missing: run `pip install -r requirements.txt`."
    )


def template() -> str:
    """Return the CloudFormation template as JSON; the same text at each call."""
    # troposphere takes a third of a second to import: only who needs the template pays
    from stack_template import stack_template

    return stack_template()


def launch(aws: Aws, config: ChatConfig, wait: bool) -> None:
    """Create the stack.

    Raises: Conflict, if it exists.
    """
    request = _request(config)
    try:
        with stacks.asking(f"creating the stack {config.stack_name}"):
            created = aws.client("cloudformation").create_stack(**request)
    except Conflict as error:
        raise _told_apart(aws, config.stack_name, error) from error
    print(f"Creating the stack {config.stack_name} in {aws.region}.")
    _mention_other_region(aws, config)
    _mention_mail(config)
    if wait:
        stacks.follow(aws, created["StackId"], "", _report)
        print("Created. Next: `./resources.py output --save`.")
    else:
        print("Next: `./resources.py status`; once it is complete, `./resources.py output --save`.")


def update(aws: Aws, config: ChatConfig, wait: bool) -> None:
    """Bring the stack up to date; report it when there is nothing to change."""
    before = _existing(aws, config)
    last = stacks.read_last_event_id(aws, before.id)
    try:
        with stacks.asking(f"updating the stack {config.stack_name}"):
            aws.client("cloudformation").update_stack(**_request(config))
    except AwsError as error:
        # CloudFormation has no other way to say so than this text
        if "No updates are to be performed" not in error.message:
            raise
        print(f"The stack {config.stack_name} is up to date: nothing to change.")
        return
    print(f"Updating the stack {config.stack_name} in {aws.region}.")
    _mention_mail(config)
    if wait:
        stacks.follow(aws, before.id, last, _report)
        print("Updated.")
    else:
        print("Next: `./resources.py status`.")


def delete(aws: Aws, config: ChatConfig, wait: bool, yes: bool) -> None:
    """Empty the stack's bucket, then delete the stack; report it when there is none.

    Raises: ConfigError, when it would have to ask and there is nobody to answer.
    """
    if not yes and not sys.stdin.isatty():
        raise ConfigError("Without a terminal, delete needs --yes.", "Nothing was deleted.")
    found = stacks.read_stack(aws, config.stack_name)
    if found is None:
        print(f"There is no stack {config.stack_name} in {aws.region}: nothing to delete.")
        return
    if not yes and not _confirmed(found, aws.region):
        raise KappaError("Nothing was deleted.")
    name = stacks.read_owned_bucket(aws, found)
    if name:
        print(f"Emptied the bucket {name}: {empty_bucket(aws, name)} objects.")
    last = stacks.read_last_event_id(aws, found.id)
    with stacks.asking(f"deleting the stack {found.name}"):
        aws.client("cloudformation").delete_stack(StackName=found.id)
    print(f"Deleting the stack {found.name} in {aws.region}.")
    if wait:
        stacks.follow(aws, found.id, last, _report)
        print("Deleted.")


def output(aws: Aws, config: ChatConfig, save: bool) -> None:
    """Print the stack's values as `key: value` lines, or save them in the config file.

    Raises: AwsError, when the stack is not in a state whose values are final.
    """
    found = _existing(aws, config)
    if found.busy:
        raise AwsError(f"The stack {found.name} is still busy: {found.status}.", stacks.WAIT)
    if not found.usable:
        raise AwsError(f"The stack {found.name} is not usable: {found.status}.", stacks.RELAUNCH)
    lacking = [key for key in SAVED if key not in found.outputs]
    if lacking:
        raise AwsError(
            f"The stack {found.name} does not tell its {', '.join(lacking)}.",
            "It is older than this checkout: run `./resources.py update --wait`.",
        )
    values = {key: found.outputs[key] for key in SAVED}
    if not save:
        print("\n".join(f"{key}: {value}" for key, value in values.items()))
        return
    changed = save_outputs(values)
    what = f"Saved {len(values)} values in" if changed else "Nothing to change in"
    print(f"{what} {config_path()}.")
    _mention_other_region(aws, config)


def status(aws: Aws, config: ChatConfig) -> None:
    """Print the state of the stack, then of each of its resources."""
    found = _existing(aws, config)
    print(f"{found.name}: {found.status} in {aws.region}")
    reason = found.reason
    if "ROLLBACK" in found.status or found.status.endswith("_FAILED"):
        reason = stacks.read_failure(aws, found.id) or reason
    if reason:
        print(f"  reason: {reason}")
    for resource in stacks.read_resources(aws, found):
        print(f"  {resource.logical_id:22} {resource.status:18} {resource.physical_id}")
        if resource.reason:
            print(f"    {resource.reason}")
    _mention_outdated(aws, config, found)


def _request(config: ChatConfig) -> dict[str, Any]:
    parameters = {
        "AlarmEmail": config.alarm_email,
        "DataPrefix": config.data_prefix,
        "GoogleOAuthClientID": config.google_oauth_client_id,
        "WebsiteS3BucketName": config.s3_bucket,
    }
    return {
        "StackName": config.stack_name,
        "TemplateBody": template(),
        "Capabilities": ["CAPABILITY_IAM"],
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
    }


def _existing(aws: Aws, config: ChatConfig) -> stacks.Stack:
    found = stacks.read_stack(aws, config.stack_name)
    if found is None:
        raise NotFound(f"There is no stack {config.stack_name} in {aws.region}.", stacks.LAUNCH)
    return found


def _told_apart(aws: Aws, name: str, error: Conflict) -> Conflict:
    """CloudFormation says "exists" of a stack whose creation failed, too: name that one."""
    found = stacks.read_stack(aws, name)
    if found is not None and found.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):
        return Conflict(f"The stack {name} could not be created: {found.status}.", stacks.RELAUNCH)
    return error


def _confirmed(found: stacks.Stack, region: str) -> bool:
    question = f"Delete the stack {found.name} in {region}, with its page and every message? [y/N] "
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _mention_other_region(aws: Aws, config: ChatConfig) -> None:
    if config.region and config.region != aws.region:
        note = (
            f"Note: {config_path()} says `region: {config.region}`; kappa and update.sh use that."
        )
        print(note, file=sys.stderr)


def _mention_outdated(aws: Aws, config: ChatConfig, found: stacks.Stack) -> None:
    """A stack that was made anew has other names than the config that was saved before."""
    if not found.usable or (config.region or aws.region) != aws.region:
        return
    names = outdated(config, found.outputs)
    if names:
        note = (
            f"Note: {config_path()} does not have the stack's {', '.join(names)}: run "
            "`./resources.py output --save`, then `kappa lambda/*/config.yml deploy` and update.sh."
        )
        print(note, file=sys.stderr)


def _mention_mail(config: ChatConfig) -> None:
    if config.alarm_email:
        note = f"Alarms are mailed to {config.alarm_email} once the link in AWS's mail is followed."
        print(note, file=sys.stderr)


def _report(event: stacks.Event) -> None:
    line = f"{event.at:%H:%M:%S}  {event.status:28} {event.logical_id}  {event.reason}"
    print(line.rstrip(), file=sys.stderr, flush=True)


def _run(arguments: dict[str, Any]) -> int:
    if arguments["cf"]:
        print(template())
        return 0
    config = read_config()
    for note in notes():
        print(note, file=sys.stderr)
    region = arguments["--region"] or config.region or None
    check_region(arguments["--region"])
    aws = Aws(region, arguments["--profile"] or config.profile or None)
    if arguments["launch"]:
        launch(aws, config, arguments["--wait"])
    elif arguments["update"]:
        update(aws, config, arguments["--wait"])
    elif arguments["delete"]:
        delete(aws, config, arguments["--wait"], arguments["--yes"])
    elif arguments["output"]:
        output(aws, config, arguments["--save"])
    else:
        status(aws, config)
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run one command; return its exit code: 1 when AWS refused, 2 when the user was wrong."""
    stopped = "Stopped. A change that has begun goes on: `./resources.py status`."
    return commandline.run(__doc__, argv, _run, stopped)


if __name__ == "__main__":
    sys.exit(main())
