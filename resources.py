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
  resources.py --version

Commands:
  cf      Print the template as JSON. Changes nothing, asks nothing of AWS.
  launch  Create the stack: the bucket, the tables, the topics and the roles of the chat.
  update  Bring the stack up to date with this checkout and config.yml.
  delete  Delete the stack, the page, the transcripts and every message.
  output  Print the stack's values as YAML for config.yml. Changes nothing in AWS.
  status  Check config.yml, print the state of the stack and its resources. Changes nothing.

Options:
  --region=R   The AWS region; config.yml's `region`, else AWS_REGION, when absent.
  --profile=P  The profile of ~/.aws/config; config.yml's `profile` when absent.
  --wait       Stay, and print a line for each event, until the change has ended.
  --yes        Do not ask before deleting.
  --save       Write the values into config.yml, between two marker lines.
  -h --help    Print this text.
  --version    Print the version.

Example:
  resources.py launch --wait && resources.py output --save
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterable
from typing import Any

try:
    import commandline
    import stack as stacks
    import stack_notes
    from bucket import empty_bucket
    from chatconfig import (
        SAVED,
        ChatConfig,
        check_region,
        config_path,
        notes,
        read_config,
        save_outputs,
    )
    from kappa.aws import Aws
    from kappa.errors import AwsError, ConfigError, Conflict, KappaError, NotFound
    from stack_bucket import read_owned_bucket
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
    """Create the stack; report it when it exists, or is being created, with the same values.

    Raises: Conflict, if it exists with other values, or could not be created before.
    """
    try:
        with stacks.asking(f"creating the stack {config.stack_name}"):
            created = aws.client("cloudformation").create_stack(**_request(config))
        stack_id = created["StackId"]
        print(f"Creating the stack {config.stack_name} in {aws.region}.")
    except Conflict as error:
        found = _same_stack(aws, config, error)
        stack_id = found.id
        print(f"The stack {found.name} exists in {aws.region}, with the values of config.yml.")
        if not found.busy:
            print("`./resources.py update` brings it up to date; `output --save` saves its values.")
            return
    _note(stack_notes.of_mail(config))
    if wait:
        stacks.follow(aws, stack_id, "", _report)
        print("Created. Next: `./resources.py output --save`.")
    else:
        print("Next: `./resources.py status`; once it is complete, `./resources.py output --save`.")


def _same_stack(aws: Aws, config: ChatConfig, error: Conflict) -> stacks.Stack:
    """Return the stack that exists, if it is as the config says: after an interrupted launch.

    Raises: Conflict. CloudFormation says "exists" of a stack whose creation failed, too.
    """
    found = stacks.read_stack(aws, config.stack_name)
    if found is None:
        raise error
    if found.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):
        text = f"The stack {found.name} could not be created: {found.status}."
        raise Conflict(text, stacks.RELAUNCH) from error
    names = stack_notes.other_values(config, found.parameters)
    if names:
        text = f"The stack {found.name} exists already with another {', '.join(names)}."
        raise Conflict(text, error.hint) from error
    if not found.usable and found.status != "CREATE_IN_PROGRESS":
        text = f"The stack {found.name} exists already: {found.status}."
        raise Conflict(text, stacks.WAIT if found.busy else stacks.RELAUNCH) from error
    return found


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
    _note(stack_notes.of_mail(config))
    if wait:
        stacks.follow(aws, before.id, last, _report)
        print("Updated.")
        _note(stack_notes.of_former_buckets(aws, _existing(aws, config)))
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
    name = read_owned_bucket(aws, found)
    if name:
        print(f"Emptied the bucket {name}: {empty_bucket(aws, name)} objects.")
    left = stack_notes.of_former_buckets(aws, found)
    last = stacks.read_last_event_id(aws, found.id)
    with stacks.asking(f"deleting the stack {found.name}"):
        aws.client("cloudformation").delete_stack(StackName=found.id)
    print(f"Deleting the stack {found.name} in {aws.region}.")
    if wait:
        stacks.follow(aws, found.id, last, _report)
        print("Deleted.")
    _note(left)


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


def status(aws: Aws, config: ChatConfig) -> None:
    """Print the state of the stack, then of each of its resources."""
    found = _existing(aws, config)
    print(f"{found.name}: {found.status} in {aws.region}")
    reason = found.reason
    if "ROLLBACK" in found.status or found.status.endswith("_FAILED"):
        reason = stacks.read_failure(aws, found.id) or reason
    if reason:
        print(f"  reason: {reason}")
    if hint := stacks.blocked(reason, found.id):
        print(f"  {hint}")
    for resource in stacks.read_resources(aws, found):
        print(f"  {resource.logical_id:22} {resource.status:18} {resource.physical_id}")
        if resource.reason:
            print(f"    {resource.reason}")
    _note(stack_notes.of_unknown_keys())
    _note(stack_notes.of_parameters(config, found))
    _note(stack_notes.of_saved(aws, config, found))
    _note(stack_notes.of_functions(aws, config))
    _note(stack_notes.of_former_buckets(aws, found))


def _request(config: ChatConfig) -> dict[str, Any]:
    return {
        "StackName": config.stack_name,
        "TemplateBody": template(),
        "Capabilities": ["CAPABILITY_IAM"],
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": getattr(config, key)}
            for name, key in stack_notes.PARAMETERS.items()
        ],
        # the SDK repeats a call whose answer was lost: with a token that is one change, not two
        "ClientRequestToken": uuid.uuid4().hex,
    }


def _existing(aws: Aws, config: ChatConfig) -> stacks.Stack:
    found = stacks.read_stack(aws, config.stack_name)
    if found is None:
        raise NotFound(f"There is no stack {config.stack_name} in {aws.region}.", stacks.LAUNCH)
    return found


def _confirmed(found: stacks.Stack, region: str) -> bool:
    question = f"Delete the stack {found.name} in {region}, with its page and every message? [y/N] "
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _note(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)


def _report(event: stacks.Event) -> None:
    line = f"{event.at:%H:%M:%S}  {event.status:28} {event.logical_id}  {event.reason}"
    print(line.rstrip(), file=sys.stderr, flush=True)


def _run(arguments: dict[str, Any]) -> int:
    if arguments["cf"]:
        print(template())
        return 0
    config = read_config()
    _note(notes())
    region = arguments["--region"] or config.region or None
    check_region(arguments["--region"])
    aws = Aws(region, arguments["--profile"] or config.profile or None)
    _note(stack_notes.of_region(aws, config))
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
