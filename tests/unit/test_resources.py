"""resources.py: the template, the command line, and what CloudFormation's answers turn into."""

import io
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

import kappa
import log_lines
import resources
from kappa.errors import (
    AwsError,
    ConfigError,
    Conflict,
    Denied,
    NotFound,
    Unavailable,
    WaitTimeout,
)
from lambda_chat import bucket
from lambda_chat import config as chatconfig
from lambda_chat.site import page_config
from lambda_chat.stack import notes, progress, website_bucket
from lambda_chat.stack.console import Console
from lambda_chat.stack.progress import Event, Stack

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "data" / "stack" / "template.json"
STACK_ID = "arn:aws:cloudformation:us-east-1:111122223333:stack/Lambda-Chat/1"
CONFIG = "s3_bucket: my-chat\ngoogle_oauth_client_id: 1-a.apps.googleusercontent.com\n"


@pytest.fixture
def config(tmp_path, monkeypatch):
    path = tmp_path / "config.yml"
    path.write_text(CONFIG)
    monkeypatch.setenv("LAMBDA_CHAT_CONFIG", str(path))
    return path


@pytest.fixture(scope="module")
def template():
    return json.loads(resources.template())


def test_the_template_is_the_golden_one():
    assert resources.template() + "\n" == GOLDEN.read_text(), (
        "the template has changed; when that is right, renew the golden file:\n"
        "./resources.py cf > tests/data/stack/template.json"
    )


def test_cf_prints_the_template_without_config_network_or_boto3(tmp_path):
    code = (
        "import socket, sys\n"
        "socket.socket = None\n"
        "import resources\n"
        "rc = resources.main(['cf'])\n"
        "loaded = {'boto3', 'botocore'} & set(sys.modules)\n"
        "sys.exit(rc or f'imported {loaded}' if loaded else rc)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "LAMBDA_CHAT_CONFIG": "nowhere.yml", "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == GOLDEN.read_text()


def test_both_roles_trust_google_for_our_client_id_only(template):
    client = {"Ref": "GoogleOAuthClientID"}
    trusts = [
        template["Resources"][name]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        for name in ("WebsiteRole", "IdentityRole")
    ]
    for [trust] in trusts:
        assert trust["Principal"] == {"Federated": "accounts.google.com"}
        assert trust["Condition"] == {
            "StringEquals": {"accounts.google.com:aud": client},
            "StringEqualsIfExists": {"accounts.google.com:oaud": client},
        }


def test_nothing_but_the_bucket_has_a_fixed_name(template):
    named = {
        name
        for name, resource in template["Resources"].items()
        if {"BucketName", "TableName", "TopicName", "RoleName"} & set(resource["Properties"])
    }
    assert named == {"WebsiteS3Bucket"}


def test_every_saved_key_is_the_description_of_one_output(template):
    described = [output["Description"] for output in template["Outputs"].values()]
    assert sorted(described) == sorted(chatconfig.SAVED)


def test_alarms_exist_only_where_somebody_is_told_and_rights_to_listen_only_with_push(template):
    assert template["Conditions"] == {
        "AlarmsWanted": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}]},
        "PushAlarmWanted": {
            "Fn::And": [{"Condition": "AlarmsWanted"}, {"Condition": "PushWanted"}]
        },
        "PushWanted": {"Fn::Equals": [{"Ref": "Push"}, "true"]},
    }
    assert template["Parameters"]["Push"]["Default"] == "false"
    conditions = {
        name: resource["Condition"]
        for name, resource in template["Resources"].items()
        if "Condition" in resource
    }
    alarms = {name: "AlarmsWanted" for name in template["Resources"] if "Alarm" in name}
    push = {"PushPolicy": "PushWanted", "PushesFailedAlarm": "PushAlarmWanted"}
    assert conditions == alarms | push


def test_failed_pushes_are_noticed_by_the_metric_of_publish_transcript(template):
    alarm = template["Resources"]["PushesFailedAlarm"]["Properties"]
    line = log_lines.metric_line(0, {"function": "x"}, {"unpushed": 1})
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (
        directive["Namespace"],
        directive["Metrics"][0]["Name"],
    )
    [dimension] = alarm["Dimensions"]
    assert [[dimension["Name"]]] == directive["Dimensions"]
    assert dimension["Value"] == {"Fn::Sub": "${AWS::StackName}-publish-transcript"}


def test_each_alarm_watches_a_thing_of_this_stack_and_tells_the_topic(template):
    alarms = {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    silent = alarms["MessagesUnpublishedAlarm"]
    singles = [one for one in alarms.values() if one is not silent]
    watched = {(one["MetricName"], json.dumps(one["Dimensions"][0]["Value"])) for one in singles}
    assert len(singles) == len(watched) == 8
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmsTopic"}]
        assert alarm["TreatMissingData"] == "notBreaching"
        assert "AlarmName" not in alarm
    functions = {
        json.dumps(one["Dimensions"][0]["Value"])
        for one in singles
        if one["Namespace"] == "AWS/Lambda"
    }
    assert functions == {
        json.dumps({"Fn::Sub": "${AWS::StackName}-" + name})
        for name in ("store-message", "publish-transcript")
    }


def test_a_stream_that_calls_nobody_is_noticed_by_the_messages_that_are_stored(template):
    silent = template["Resources"]["MessagesUnpublishedAlarm"]["Properties"]
    result, *metrics = silent["Metrics"]
    assert [one["Id"] for one in silent["Metrics"] if one["ReturnData"]] == [result["Id"]]
    watched = {one["Id"]: one["MetricStat"]["Metric"] for one in metrics}
    assert set(re.findall(r"FILL\((\w+), 0\)", result["Expression"])) == set(watched)
    # the same names as those that store_message writes
    line = log_lines.metric_line(0, {"function": "Lambda-Chat-store-message"}, {"stored": 1})
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert watched["stored"]["Namespace"] == directive["Namespace"]
    assert watched["stored"]["MetricName"] == directive["Metrics"][0]["Name"]
    assert [[one["Name"] for one in watched["stored"]["Dimensions"]]] == directive["Dimensions"]
    [name] = [one["Value"]["Fn::Sub"] for one in watched["stored"]["Dimensions"]]
    assert name == "${AWS::StackName}-store-message"
    [name] = [one["Value"]["Fn::Sub"] for one in watched["invoked"]["Dimensions"]]
    assert name == "${AWS::StackName}-publish-transcript"
    assert silent["DatapointsToAlarm"] > 1  # one may be a message at a period's very end


def test_what_holds_data_states_what_becomes_of_it(template):
    kept = {
        name: (resource["DeletionPolicy"], resource["UpdateReplacePolicy"])
        for name, resource in template["Resources"].items()
        if "DeletionPolicy" in resource
    }
    assert kept == {
        "MessagesTable": ("Delete", "Retain"),
        "RateTable": ("Delete", "Retain"),
        "WebsiteS3Bucket": ("Delete", "Retain"),
    }


def test_every_resource_parameter_and_output_is_documented(template):
    text = (ROOT / "docs" / "stack.md").read_text()
    for part in ("Resources", "Parameters"):
        for name in template[part]:
            assert f"`{name}`" in text
    for output in template["Outputs"].values():
        assert f"`{output['Description']}`" in text


def rows_of_changes():
    text = (ROOT / "docs" / "stack.md").read_text()
    table = text[text.index("## Changing a value") : text.index("## Resources")]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    return {key: run for keys, run in rows for key in re.findall(r"`(\w+)`", keys)}


def test_the_docs_say_of_each_value_what_to_run_after_changing_it():
    rows = rows_of_changes()
    saved = {*chatconfig.SAVED, *chatconfig.SAVED_FOR_PUSH}
    own = set(chatconfig.KEYS) - saved
    assert set(rows) == own
    all_ = {"region", "stack_name", "profile"}
    for key in notes.PARAMETERS.values():
        assert "./resources.py update --wait" in rows[key]
    for command in ("update --wait", "output --save"):
        assert f"./resources.py {command}" in rows["push"]
    assert "kappa lambda/dynamodb/config.yml deploy" in rows["push"]
    assert "s3-website/update.sh" in rows["push"]
    for path in notes.FUNCTIONS:
        lines = (ROOT / path).read_text().replace("${name", "")
        used = re.findall(r"\$\{([a-z_0-9]+)", lines)
        for key in set(used) - saved - all_:
            assert rows[key].strip().startswith("`./resources.py ")  # which checks the value
            assert f"kappa {path} deploy" in rows[key] or "kappa lambda/*/config.yml" in rows[key]
    config = msgspec.structs.replace(CHAT, history=1, rate_limit="1/1s")
    before = page_config.page_config(config, "eu-west-1", {})
    for key, value in {"rate_limit": "2/2s", "history": 2, "data_prefix": "x/"}.items():
        changed = msgspec.structs.replace(config, **{key: value})
        assert page_config.page_config(changed, "eu-west-1", {}) != before
        assert "s3-website/update.sh" in rows[key]


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["launch", "--frob"],
        ["frob"],
        ["launch", "--region"],
        ["cf", "--wait"],
        ["launch", "--yes"],
        ["update", "--save"],
        ["launch", "update"],
    ],
)
def test_a_wrong_command_line_shows_the_usage_and_exits_2(argv, capsys):
    assert resources.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Error: ")
    assert "resources.py launch [--region=R] [--profile=P] [--wait]" in err


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as caught:
        resources.main(["--version"])
    assert not caught.value.code
    assert capsys.readouterr().out == f"Lambda Chat {kappa.__version__}\n"


@pytest.mark.parametrize("command", ["launch", "update", "output", "status"])
def test_options_may_stand_before_or_after_the_command(command, config, capsys):
    config.write_text("s3_bucket: TODO\n")
    for argv in ([command, "--region=eu-west-1"], ["--region", "eu-west-1", command]):
        assert resources.main(argv) == 2
        assert (
            "s3_bucket (line 1), google_oauth_client_id: not filled in" in capsys.readouterr().err
        )


def test_a_bad_config_is_refused_before_aws_is_asked(config, capsys):
    config.write_text(CONFIG.replace("my-chat", "My_Chat"))
    assert resources.main(["launch"]) == 2
    assert "s3_bucket (line 1): 'My_Chat' is not 3 to 63" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line", ["rate_limit: 10/10", "retention_days: 30d", "allowed_domains: example", "history: 500"]
)
def test_status_refuses_a_value_that_would_take_a_function_down(config, capsys, line):
    config.write_text(f"{CONFIG}{line}\n")
    assert resources.main(["status"]) == 2
    assert f"{line.split(':')[0]} (line 3)" in capsys.readouterr().err


def test_a_key_that_nothing_uses_is_named_with_the_one_that_may_be_meant(config):
    config.write_text(f"{CONFIG}retention: 3\nzebra: 1\ndata_key: x\nretention_days: 3\n")
    assert notes.of_unknown_keys() == [
        f"Note: {config}:3: nothing uses the key retention. Did you mean retention_days?",
        f"Note: {config}:4: nothing uses the key zebra.",
    ]


def test_a_key_that_a_functions_config_uses_is_not_called_unknown(config, tmp_path, monkeypatch):
    for path in notes.FUNCTIONS:
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("a: ${my_queue}\nb: ${my_topic:-none}\n")
    monkeypatch.setattr(notes, "ROOT", tmp_path)
    config.write_text(f"{CONFIG}my_queue: q\nmy_topic: t\nmy_que: x\n")
    assert notes.of_unknown_keys() == [f"Note: {config}:5: nothing uses the key my_que."]


@pytest.mark.parametrize("address", ["ops", "'@example.com'", "a@b", "a@b.c d", "a@b.c;d@e.f"])
def test_an_alarm_email_that_is_no_address_is_refused_before_aws_is_asked(config, capsys, address):
    config.write_text(f"{CONFIG}alarm_email: {address}\n")
    assert resources.main(["launch"]) == 2
    assert "alarm_email (line 3)" in capsys.readouterr().err


def test_delete_without_a_terminal_and_without_yes_is_refused(config, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert resources.main(["delete", "--region=us-east-1"]) == 2
    assert "needs --yes" in capsys.readouterr().err


@pytest.mark.usefixtures("config")
def test_no_credentials_is_one_clear_line(capsys):
    assert resources.main(["status", "--region=us-east-1"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("Error: No AWS credentials for describing the stack Lambda-Chat")
    assert "aws configure" in err


@pytest.mark.usefixtures("config")
def test_no_region_anywhere_is_one_clear_line(capsys):
    assert resources.main(["status"]) == 1
    assert "No AWS region is set." in capsys.readouterr().err


@pytest.mark.usefixtures("config")
def test_an_unreachable_network_is_one_clear_line(capsys, monkeypatch):
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    assert resources.main(["status"]) == 1
    assert "AWS could not be reached" in capsys.readouterr().err


@pytest.mark.usefixtures("config")
def test_an_unknown_profile_is_one_clear_line(capsys):
    assert resources.main(["status", "--profile=nobody", "--region=us-east-1"]) == 2
    assert "profile (nobody) could not be found" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_traceback():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, ROOT / "resources.py", "cf"],
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(
    "script", ["resources.py", "lambda/sns/replay.py", "lambda/dynamodb/republish.py"]
)
def test_a_missing_python_package_says_what_to_run(script):
    done = subprocess.run(
        [sys.executable, "-S", ROOT / script, "cf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.fullmatch(
        r"Error: Python package \w+ is missing: run `pip install -r requirements.txt`.\n",
        done.stderr,
    )


@pytest.mark.parametrize(
    ("code", "text", "kind", "hint"),
    [
        ("AlreadyExistsException", "Stack [X] already exists", Conflict, "resources.py update"),
        ("ValidationError", "Stack with id X does not exist", NotFound, "resources.py launch"),
        (
            "ValidationError",
            "Stack:X is in ROLLBACK_COMPLETE state and can not be updated.",
            Conflict,
            "resources.py delete",
        ),
        (
            "ValidationError",
            "Stack:X is in UPDATE_IN_PROGRESS state and can not be updated.",
            Conflict,
            "Wait until it has ended",
        ),
        ("ValidationError", "No updates are to be performed.", AwsError, ""),
        ("AccessDenied", "User: U is not authorized", Denied, "Ask for this permission"),
        ("ExpiredToken", "The security token is expired", Denied, "sign in again"),
        ("InsufficientCapabilitiesException", "Requires CAPABILITY_IAM", AwsError, ""),
    ],
)
def test_each_answer_of_cloudformation_has_its_kind_and_hint(code, text, kind, hint):
    answer = {"Error": {"Code": code, "Message": text}}
    with pytest.raises(AwsError) as caught, progress.asking("updating the stack X"):
        raise ClientError(answer, "UpdateStack")
    assert type(caught.value) is kind
    assert text in caught.value.message
    assert hint in caught.value.hint
    assert isinstance(caught.value.__cause__, ClientError)


class FakeAws:
    """CloudFormation as a list of answers, one a poll: the stack's status and its events so far."""

    region = "us-east-1"

    def __init__(self, *polls, taken=False, bucket="my-chat", endpoint="a-ats.iot.example"):
        self.polls = list(polls)
        self.taken = taken
        self.bucket = bucket
        self.calls = []
        self.more = []  # other parameters
        self.outputs = []
        self.endpoint = endpoint

    def client(self, service):
        assert service in ("cloudformation", "iot")
        return self

    def describe_endpoint(self, endpointType):  # noqa: N803 - the SDK's own name
        assert endpointType == "iot:Data-ATS"
        if isinstance(self.endpoint, Exception):
            raise self.endpoint
        return {"endpointAddress": self.endpoint}

    def describe_stacks(self, StackName):  # noqa: N803 - the SDK's own name
        found = {"StackId": STACK_ID, "StackName": "Lambda-Chat", "StackStatus": self.polls[0][0]}
        parameter = {"ParameterKey": "WebsiteS3BucketName", "ParameterValue": self.bucket}
        parameters = {"Parameters": [parameter, *self.more], "Outputs": self.outputs}
        return {"Stacks": [found | parameters]}

    def create_stack(self, **request):
        self.calls.append(request)
        if self.taken:
            answer = {"Error": {"Code": "AlreadyExistsException", "Message": "X already exists"}}
            raise ClientError(answer, "CreateStack")
        return {"StackId": STACK_ID}

    def get_paginator(self, operation):
        assert operation == "describe_stack_events"
        return self

    def paginate(self, StackName):  # noqa: N803 - the SDK's own name
        events = [event(*facts) for facts in self.polls[0][1]][::-1]
        yield {"StackEvents": events[:2]}
        yield {"StackEvents": events[2:]}

    def sleep(self, seconds):
        self.polls.pop(0)


def event(logical_id, status, reason=""):
    physical_id = STACK_ID if logical_id == "Lambda-Chat" else f"id-of-{logical_id}"
    return {
        "EventId": f"{logical_id}-{status}",
        "StackId": STACK_ID,
        "Timestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": physical_id,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


def followed(aws, after=""):
    events = []
    progress.follow(aws, STACK_ID, after, events.append, sleep=aws.sleep)
    return [(event.logical_id, event.status) for event in events]


def test_following_tells_each_event_once_and_ends_with_the_stack():
    begun = [("Lambda-Chat", "CREATE_IN_PROGRESS", "User Initiated"), ("A", "CREATE_IN_PROGRESS")]
    more = [*begun, ("A", "CREATE_COMPLETE")]
    done = [*more, ("Lambda-Chat", "CREATE_COMPLETE")]
    aws = FakeAws(
        ("CREATE_IN_PROGRESS", begun), ("CREATE_IN_PROGRESS", more), ("CREATE_COMPLETE", done)
    )
    assert followed(aws) == [facts[:2] for facts in done]


def test_following_a_second_change_leaves_out_the_first():
    first = [("Lambda-Chat", "CREATE_COMPLETE")]
    second = [*first, ("Lambda-Chat", "UPDATE_IN_PROGRESS"), ("Lambda-Chat", "UPDATE_COMPLETE")]
    aws = FakeAws(("CREATE_COMPLETE", first), ("UPDATE_COMPLETE", second))
    assert followed(aws, "Lambda-Chat-CREATE_COMPLETE") == [facts[:2] for facts in second[1:]]


def test_a_rollback_ends_with_the_reason_of_the_first_resource_that_failed():
    events = [
        ("Old", "CREATE_FAILED", "of an earlier attempt"),
        ("Lambda-Chat", "CREATE_IN_PROGRESS", "User Initiated"),
        ("Early", "CREATE_FAILED", "Resource creation cancelled"),
        ("WebsiteS3Bucket", "CREATE_FAILED", "my-chat already exists"),
        ("RateTable", "CREATE_FAILED", "quota"),
        ("Lambda-Chat", "CREATE_FAILED", "not yet the end"),
        ("Lambda-Chat", "ROLLBACK_IN_PROGRESS", "failed to create: [WebsiteS3Bucket]"),
    ]
    ended = [*events, ("Lambda-Chat", "ROLLBACK_COMPLETE", "")]
    aws = FakeAws(("ROLLBACK_IN_PROGRESS", events), ("ROLLBACK_COMPLETE", ended))
    with pytest.raises(AwsError) as caught:
        followed(aws)
    assert caught.value.message == (
        "The stack ended as ROLLBACK_COMPLETE: WebsiteS3Bucket: my-chat already exists"
    )
    assert "resources.py delete" in caught.value.hint


def test_a_full_bucket_at_delete_says_to_delete_again():
    events = [
        ("Lambda-Chat", "DELETE_IN_PROGRESS", "User Initiated"),
        ("WebsiteS3Bucket", "DELETE_FAILED", "The bucket you tried to delete is not empty"),
        ("Lambda-Chat", "DELETE_FAILED", "failed to delete: [WebsiteS3Bucket]"),
    ]
    with pytest.raises(AwsError, match="is not empty") as caught:
        followed(FakeAws(("DELETE_FAILED", events)))
    assert "resources.py delete --wait" in caught.value.hint


def test_following_gives_up_at_its_deadline():
    aws = FakeAws(("UPDATE_IN_PROGRESS", []))
    ticks = iter([0.0, 1.0, progress.WAIT_S + 1])
    with pytest.raises(WaitTimeout, match="still busy after 30 minutes"):
        progress.follow(aws, STACK_ID, "", print, sleep=lambda _: None, clock=lambda: next(ticks))


def test_only_a_bucket_that_the_stack_has_made_is_called_a_former_one():
    events = [
        (website_bucket.BUCKET, "CREATE_FAILED", "taken-by-others already exists"),
        (website_bucket.BUCKET, "CREATE_COMPLETE"),
        ("RateTable", "CREATE_COMPLETE"),
    ]
    aws = FakeAws(("UPDATE_COMPLETE", events))
    found = progress.read_stack(aws, "Lambda-Chat")
    assert website_bucket.read_former_buckets(aws, found) == ["id-of-WebsiteS3Bucket"]
    aws.polls = [("UPDATE_COMPLETE", events[:1])]
    assert website_bucket.read_former_buckets(aws, found) == []


CHAT = chatconfig.ChatConfig(
    s3_bucket="my-chat",
    google_oauth_client_id="1-a.apps.googleusercontent.com",
    region="eu-west-1",
    data_prefix="talk/",
)


def test_launch_hands_over_the_template_and_the_parameters():
    aws = FakeAws()
    resources.launch(aws, CHAT, wait=False)
    [request] = aws.calls
    assert re.fullmatch("[0-9a-f]{32}", request.pop("ClientRequestToken"))
    assert request == {
        "StackName": "Lambda-Chat",
        "TemplateBody": resources.template(),
        "Capabilities": ["CAPABILITY_IAM"],
        "Parameters": [
            {"ParameterKey": "AlarmEmail", "ParameterValue": ""},
            {"ParameterKey": "DataPrefix", "ParameterValue": "talk/"},
            {
                "ParameterKey": "GoogleOAuthClientID",
                "ParameterValue": "1-a.apps.googleusercontent.com",
            },
            {"ParameterKey": "Push", "ParameterValue": "false"},
            {"ParameterKey": "WebsiteS3BucketName", "ParameterValue": "my-chat"},
        ],
    }


@pytest.mark.usefixtures("config")
def test_launch_with_an_alarm_email_says_that_a_mail_comes(capsys):
    aws = FakeAws()
    resources.launch(aws, msgspec.structs.replace(CHAT, alarm_email="ops@example.com"), wait=False)
    [request] = aws.calls
    wanted = {"ParameterKey": "AlarmEmail", "ParameterValue": "ops@example.com"}
    assert wanted in request["Parameters"]
    assert "once the link in AWS's mail is followed" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["launch", "update", "output", "status", "delete --yes"])
def test_another_region_than_the_configs_is_said_by_each_command(
    command, config, capsys, monkeypatch
):
    config.write_text(f"{CONFIG}region: eu-west-1\n")
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    assert resources.main([*command.split(), "--region=us-east-1"]) == 1
    note = capsys.readouterr().err
    assert f"in us-east-1, but {config} has `region: eu-west-1`; kappa and update.sh" in note
    assert resources.main([*command.split(), "--region=eu-west-1"]) == 1
    assert "Note: " not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "bucket", "said", "hint"),
    [
        ("CREATE_COMPLETE", "other", "already exists with another s3_bucket", "update --wait"),
        ("ROLLBACK_COMPLETE", "my-chat", "could not be created: ROLLBACK_COMPLETE", "delete"),
        ("DELETE_FAILED", "my-chat", "already exists: DELETE_FAILED", "delete"),
        ("DELETE_IN_PROGRESS", "my-chat", "already exists: DELETE_IN_PROGRESS", "status"),
    ],
)
def test_launching_over_another_stack_says_what_its_state_needs(status, bucket, said, hint):
    with pytest.raises(Conflict, match=said) as caught:
        resources.launch(FakeAws((status, []), taken=True, bucket=bucket), CHAT, wait=False)
    assert f"resources.py {hint}" in caught.value.hint


@pytest.mark.parametrize(("key", "strange"), [("s3_bucket", True), ("data_prefix", False)])
def test_launching_over_a_stack_that_may_be_somebody_elses_asks_whose_it_is(key, strange):
    parameters = {"s3_bucket": "my-chat", "data_prefix": "talk/"} | {key: "other"}
    aws = FakeAws(("CREATE_COMPLETE", []), taken=True, bucket=parameters["s3_bucket"])
    aws.more = [{"ParameterKey": "DataPrefix", "ParameterValue": parameters["data_prefix"]}]
    with pytest.raises(Conflict, match=f"another {key}") as caught:
        resources.launch(aws, CHAT, wait=False)
    assert caught.value.hint.startswith("Is it your chat's? If not, choose another") == strange
    assert "`./resources.py update" in caught.value.hint


def test_each_hint_repeats_the_region_and_the_profile_that_were_given():
    console = Console(region="eu-west-1", profile="my team")
    options = "--region=eu-west-1 '--profile=my team'"
    for text in (
        progress.LAUNCH,
        progress.RELAUNCH,
        progress.WAIT,
        progress.WHOSE,
        resources.STOPPED,
    ):
        assert console.complete(text).count(options) == 1
    assert (
        console.complete(progress.LAUNCH)
        == f"Launch it with `./resources.py launch {options} --wait`."
    )
    assert console.complete("`kappa x deploy`") == "`kappa '--profile=my team' x deploy`"
    for named in ("`aws sso login --profile tea`", "`kappa x deploy --profile=tea`"):
        assert console.complete(named) == named
    assert Console().complete(progress.LAUNCH) == progress.LAUNCH


def test_no_hint_of_resources_py_names_a_command_in_a_way_that_loses_the_options():
    """Each command in backquotes begins with ./resources.py, which Console completes."""
    verbs = "launch|update|delete|output|status"
    for path in [*sorted(ROOT.glob("stack*.py")), ROOT / "resources.py"]:
        assert not re.findall(rf"`(?:{verbs})\b[^`\n]*`", path.read_text()), path


def test_launch_says_the_next_command_for_the_region_and_profile_of_this_one(capsys):
    resources.launch(FakeAws(), CHAT, False, Console(region="us-east-1", profile="p"))
    assert capsys.readouterr().out.endswith(
        "Next: `./resources.py status --region=us-east-1 --profile=p`; once it is complete, "
        "`./resources.py output --region=us-east-1 --profile=p --save`.\n"
    )


def test_a_launch_that_was_interrupted_is_followed_by_the_next(capsys, monkeypatch):
    begun = [("Lambda-Chat", "CREATE_IN_PROGRESS", "User Initiated")]
    done = [*begun, ("Lambda-Chat", "CREATE_COMPLETE")]
    aws = FakeAws(("CREATE_IN_PROGRESS", begun), ("CREATE_COMPLETE", done), taken=True)
    follow = progress.follow
    monkeypatch.setattr(progress, "follow", lambda *args: follow(*args, sleep=aws.sleep))
    resources.launch(aws, CHAT, wait=True)
    out, err = capsys.readouterr()
    assert "exists in us-east-1, with the values of config.yml" in out
    assert out.endswith("Created. Next: `./resources.py output --save`.\n")
    assert err.count("CREATE_COMPLETE") == 1


def test_an_account_that_lets_no_page_be_public_is_explained_with_its_command():
    events = [
        ("Lambda-Chat", "CREATE_IN_PROGRESS", "User Initiated"),
        (
            "WebsiteS3BucketPolicy",
            "CREATE_FAILED",
            'Resource handler returned message: "Access Denied (Service: S3, Status Code: 403)"',
        ),
        ("Lambda-Chat", "ROLLBACK_COMPLETE", ""),
    ]
    with pytest.raises(AwsError, match="Access Denied") as caught:
        followed(FakeAws(("ROLLBACK_COMPLETE", events)))
    assert "aws s3control get-public-access-block --account-id 111122223333" in caught.value.hint
    assert "./resources.py delete --wait" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "said", "hint"),
    [
        ("CREATE_IN_PROGRESS", "is still busy: CREATE_IN_PROGRESS", "./resources.py status"),
        ("ROLLBACK_COMPLETE", "is not usable: ROLLBACK_COMPLETE", "./resources.py delete"),
        ("UPDATE_COMPLETE", "has no output sns_topic_arn", "./resources.py update"),
    ],
)
@pytest.mark.parametrize("save", [False, True])
def test_output_of_a_stack_without_final_values_is_refused(config, status, said, hint, save):
    with pytest.raises(AwsError) as caught:
        resources.output(FakeAws((status, [])), CHAT, save)
    assert said in caught.value.message
    assert hint in caught.value.hint
    assert config.read_text() == CONFIG


PUSHING = msgspec.structs.replace(CHAT, push=True)
ENDPOINT = "a1b2-ats.iot.us-east-1.amazonaws.com"


def pushing(endpoint=ENDPOINT, push="true"):
    """A complete stack of this checkout; `push` is None for one of an older template."""
    aws = FakeAws(("UPDATE_COMPLETE", []), endpoint=endpoint)
    aws.outputs = [
        {"Description": key, "OutputValue": f"value-of-{key}"} for key in chatconfig.SAVED
    ]
    aws.more = [{"ParameterKey": "Push", "ParameterValue": push}] if push else []
    return aws


def test_launch_with_push_hands_it_over():
    aws = FakeAws()
    resources.launch(aws, PUSHING, wait=False)
    [request] = aws.calls
    assert {"ParameterKey": "Push", "ParameterValue": "true"} in request["Parameters"]


def test_output_with_push_has_two_values_more(config, capsys):
    values = {"push_endpoint": ENDPOINT, "push_topics": "Lambda-Chat/channel/*"}
    resources.output(pushing(), PUSHING, False)
    assert capsys.readouterr().out.endswith("".join(f"{k}: {v}\n" for k, v in values.items()))
    resources.output(pushing(), PUSHING, True)
    assert "Saved 11 values" in capsys.readouterr().out
    saved = chatconfig.read_config(config)
    assert {key: getattr(saved, key) for key in values} == values


@pytest.mark.parametrize("push", ["true", "false", None])
def test_output_without_push_asks_no_endpoint_and_removes_the_values_of_before(config, push):
    resources.output(pushing(), PUSHING, True)
    resources.output(pushing(endpoint=AssertionError("asked"), push=push), CHAT, True)
    assert "push_" not in config.read_text()
    assert "sns_topic_arn: value-of-sns_topic_arn" in config.read_text()


@pytest.mark.parametrize("push", ["false", None])
@pytest.mark.parametrize("save", [False, True])
def test_output_with_push_of_a_stack_without_it_is_refused(config, push, save):
    with pytest.raises(AwsError, match="was made or last updated without push") as caught:
        resources.output(pushing(push=push), PUSHING, save)
    assert "./resources.py update --wait" in caught.value.hint
    assert config.read_text() == CONFIG


def refused(code, message):
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeEndpoint")


NOT_ALLOWED = "User: U is not authorized to perform: iot:DescribeEndpoint"
NO_ENDPOINT = [
    (refused("AccessDeniedException", NOT_ALLOWED), Denied, "Ask for this permission"),
    (refused("UnauthorizedException", "null"), Denied, "Ask for this permission"),
    (
        EndpointConnectionError(endpoint_url="https://iot.us-east-1.amazonaws.com/"),
        Unavailable,
        "Does us-east-1 have AWS IoT Core?",
    ),
    (refused("ThrottlingException", "Rate exceeded"), Unavailable, "Wait a minute"),
]


@pytest.mark.parametrize(("error", "kind", "hint"), NO_ENDPOINT)
@pytest.mark.parametrize("save", [False, True])
def test_output_with_push_needs_the_endpoint(config, error, kind, hint, save):
    with pytest.raises(kind) as caught:
        resources.output(pushing(endpoint=error), PUSHING, save)
    assert caught.value.exit_code == 1
    assert "iot:DescribeEndpoint" in caught.value.message
    assert hint in caught.value.hint
    assert f"`push: false` in {config}" in caught.value.hint
    assert config.read_text() == CONFIG


def test_an_endpoint_that_is_no_host_is_not_saved(config):
    with pytest.raises(ConfigError, match="push_endpoint"):
        resources.output(pushing(endpoint="a.example/; x"), PUSHING, True)
    assert config.read_text() == CONFIG


@pytest.mark.parametrize(
    ("push", "parameter", "other"),
    [
        (False, None, []),
        (False, "false", []),
        (False, "true", ["push"]),
        (True, None, ["push"]),
        (True, "false", ["push"]),
        (True, "true", []),
    ],
)
def test_a_stack_that_is_older_than_push_counts_as_one_without_it(push, parameter, other):
    parameters = {"Push": parameter} if parameter else {}
    chat = msgspec.structs.replace(CHAT, push=push)
    assert notes.other_values(chat, parameters) == other


def test_launching_over_a_stack_without_push_says_to_update():
    aws = FakeAws(("CREATE_COMPLETE", []), taken=True)
    with pytest.raises(Conflict, match="another push") as caught:
        resources.launch(aws, PUSHING, wait=False)
    assert "`./resources.py update" in caught.value.hint


def notes_of_saved(aws, **values):
    outputs = {key: f"value-of-{key}" for key in chatconfig.SAVED}
    chat = msgspec.structs.replace(CHAT, region="us-east-1", **(outputs | values))
    return notes.of_saved(aws, chat, progress.read_stack(aws, "Lambda-Chat"))


AS_SAVED = {"push_endpoint": ENDPOINT, "push_topics": "Lambda-Chat/channel/*"}


@pytest.mark.usefixtures("config")
def test_status_compares_the_values_of_push_only_with_push():
    assert notes_of_saved(pushing(), push=True, **AS_SAVED) == []
    assert notes_of_saved(pushing(endpoint=AssertionError("asked"))) == []
    [note] = notes_of_saved(pushing(), push=True)
    assert "does not have the stack's push_endpoint, push_topics: run" in note
    other = AS_SAVED | {"push_topics": "Former/channel/*"}
    [note] = notes_of_saved(pushing(), push=True, **other)
    assert "does not have the stack's push_topics: run `./resources.py output --save`" in note
    [note] = notes_of_saved(pushing(), **AS_SAVED)
    assert "has push_endpoint, push_topics, but push is off: run" in note


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize("parameter", ["false", None])
def test_status_does_not_compare_values_of_push_that_the_stack_cannot_give(parameter):
    aws = pushing(endpoint=AssertionError("asked"), push=parameter)
    assert notes_of_saved(aws, push=True) == []


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize("error", [error for error, _, _ in NO_ENDPOINT])
def test_status_goes_on_without_the_endpoint(error):
    [note] = notes_of_saved(pushing(endpoint=error), push=True, **AS_SAVED)
    assert note.startswith("Note: push_endpoint was not compared: ")


def stack_in(status):
    return Stack(id=STACK_ID, name="Lambda-Chat", status=status, reason="", outputs={})


@pytest.mark.parametrize(
    ("status", "busy", "usable"),
    [
        ("CREATE_COMPLETE", False, True),
        ("UPDATE_COMPLETE", False, True),
        ("UPDATE_ROLLBACK_COMPLETE", False, True),
        ("CREATE_IN_PROGRESS", True, False),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", True, False),
        ("ROLLBACK_COMPLETE", False, False),
        ("DELETE_FAILED", False, False),
        ("DELETE_COMPLETE", False, False),
    ],
)
def test_only_a_stack_at_rest_with_its_resources_is_usable(status, busy, usable):
    assert (stack_in(status).busy, stack_in(status).usable) == (busy, usable)


def test_an_event_knows_whether_its_resource_failed_by_itself():
    def failed(logical_id, reason):
        facts = event(logical_id, "CREATE_FAILED", reason)
        return Event(
            facts["EventId"],
            facts["Timestamp"],
            logical_id,
            facts["PhysicalResourceId"],
            STACK_ID,
            "CREATE_FAILED",
            reason,
        )

    assert failed("A", "quota").is_cause
    assert not failed("A", "Resource creation cancelled").is_cause
    assert not failed("Lambda-Chat", "quota").is_cause


class FakeS3:
    """A bucket whose versions and delete markers come in pages."""

    def __init__(self, *pages, errors=()):
        self.pages = pages
        self.errors = errors
        self.deleted = []

    def client(self, service):
        assert service == "s3"
        return self

    def get_paginator(self, operation):
        assert operation == "list_object_versions"
        return self

    def paginate(self, **params):
        return self.pages

    def delete_object(self, Bucket, Key, VersionId):  # noqa: N803 - the SDK's own names
        self.deleted.append(VersionId)

    def delete_objects(self, Bucket, Delete):  # noqa: N803 - the SDK's own names
        self.deleted.append([each["VersionId"] for each in Delete["Objects"]])
        return {"Errors": list(self.errors)}


def versions(count, start=0):
    return [{"Key": "k", "VersionId": str(start + n), "ETag": "e"} for n in range(count)]


def test_emptying_deletes_every_version_and_marker_a_thousand_a_call():
    s3 = FakeS3(
        {"Versions": versions(1000)},
        {"Versions": versions(400, 1000), "DeleteMarkers": versions(700, 1400)},
        {},
    )
    assert bucket.empty_bucket(s3, "my-chat") == 2100
    assert [len(batch) for batch in s3.deleted] == [1000, 1000, 100]
    assert {each for batch in s3.deleted for each in batch} == {str(n) for n in range(2100)}


def test_keys_that_xml_cannot_express_are_deleted_one_by_one():
    s3 = FakeS3()
    alone = {"Key": "js/a\x1b[31m.js", "VersionId": "1"}
    bucket.delete_objects(s3, "my-chat", [alone, *versions(1, 2)])
    assert s3.deleted == ["1", ["2"]]


def test_an_object_that_stays_is_named():
    refusal = {"Key": "data/1.json", "Code": "AccessDenied", "Message": "Access Denied"}
    with pytest.raises(AwsError, match=r"did not delete data/1.json in my-chat: Access Denied"):
        bucket.empty_bucket(FakeS3({"Versions": versions(1)}, errors=[refusal]), "my-chat")
