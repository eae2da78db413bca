"""Event sources on the emulator, with real events; boto3 reads the state."""

import json
import urllib.request

import pytest

from tests.support.kappa import projects
from tests.support.waiting import wait_for

ACCOUNT = "461000000061"
PREFIX = f"arn:aws:%s:us-east-1:{ACCOUNT}:%s"
CODE = """\
import json

def handler(event, context):
    print("seen", json.dumps(event, default=str))
    return {"invoked": context.invoked_function_arn}
"""


class Project(projects.Project):
    """An existing function, and configs for it."""

    def __init__(self, folder, emulator, role):
        super().__init__(folder, emulator, ACCOUNT)
        self.arn = PREFIX % ("lambda", f"function:{self.name}")
        self.head = projects.GIVEN_ROLE.format(name=self.name, role=role)
        self.write("code/greeter.py", CODE)
        self.make(role, Tags={"kappa:region": "us-east-1"})

    def says(self, *sources, more=""):
        """Write the config with these event sources, each a mapping."""
        self.config(f"{self.head}  event_sources: {json.dumps(sources)}\n{more}")

    def shown(self):
        return json.loads(self.run("event_source_status", "--json").stdout)

    def state(self):
        return [one["state"] for one in self.shown()]

    def mapping(self):
        (mapping,) = self.mappings()
        return mapping

    def statements(self, **qualifier):
        lambda_ = self.client("lambda")
        try:
            answer = lambda_.get_policy(FunctionName=self.name, **qualifier)
        except lambda_.exceptions.ResourceNotFoundException:
            return []
        return json.loads(answer["Policy"])["Statement"]


@pytest.fixture(scope="module")
def role(emulator):
    return projects.role_in(emulator, ACCOUNT)


@pytest.fixture
def project(tmp_path, emulator, role):
    """A new function for each test, so that no test sees another's leftovers."""
    return Project(tmp_path / "greeter", emulator, role)


def test_a_topic_lets_only_matching_messages_through(project):
    sns = project.client("sns")
    topic = sns.create_topic(Name=project.name)["TopicArn"]
    project.says({"arn": topic, "filter_policy": {"kind": ["tea"]}})
    assert project.marks("add_event_sources") == ["created", "created"]
    for kind in ("coffee", "tea"):
        attribute = {"DataType": "String", "StringValue": kind}
        sns.publish(
            TopicArn=topic, Message=f"{kind} is ready", MessageAttributes={"kind": attribute}
        )
    wait_for(lambda: "tea is ready" in project.log())
    assert "coffee is ready" not in project.log()


def test_a_topics_filter_is_changed_and_taken_away(project):
    sns = project.client("sns")
    topic = sns.create_topic(Name=project.name)["TopicArn"]
    project.says({"arn": topic})
    project.run("add_event_sources")
    body = {"filter_policy": {"tea": {"cups": [{"numeric": [">", 1]}]}}}
    project.says({"arn": topic, **body, "filter_policy_scope": "MessageBody"})
    assert project.marks("update_event_sources") == ["updated", "updated"]
    assert project.marks("update_event_sources") == ["unchanged"]
    (found,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    has = sns.get_subscription_attributes(SubscriptionArn=found["SubscriptionArn"])["Attributes"]
    assert json.loads(has["FilterPolicy"]) == body["filter_policy"]
    assert has["FilterPolicyScope"] == "MessageBody"
    project.says({"arn": topic, "filter_policy": {}})
    assert project.marks("update_event_sources") == ["updated"]
    assert project.marks("update_event_sources") == ["unchanged"]


def test_a_topic_is_disabled_enabled_and_removed(project):
    sns = project.client("sns")
    topic = sns.create_topic(Name=project.name)["TopicArn"]
    project.says({"arn": topic})
    project.run("add_event_sources")
    assert project.state() == ["Subscribed"]
    assert project.marks("disable_event_sources") == ["removed"]
    assert project.marks("disable_event_sources") == ["unchanged"]
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
    assert project.marks("enable_event_sources") == ["created"]
    assert project.state() == ["Subscribed"]
    assert project.marks("remove_event_sources") == ["removed", "removed"]
    assert project.marks("remove_event_sources") == ["gone"]
    assert (project.statements(), project.state()) == ([], ["missing"])


def test_a_queue_delivers_is_changed_disabled_enabled_and_removed(project):
    queue = project.client("sqs").create_queue(QueueName=project.name)["QueueUrl"]
    arn = PREFIX % ("sqs", project.name)
    source = {"arn": arn, "batch_size": 20, "batch_window_s": 1, "maximum_concurrency": 2}
    project.says({**source, "report_batch_item_failures": True})
    assert project.marks("add_event_sources") == ["created"]
    assert project.marks("add_event_sources") == ["exists"]
    project.client("sqs").send_message(QueueUrl=queue, MessageBody="the kettle boils")
    wait_for(lambda: "the kettle boils" in project.log())
    project.says({**source, "filter_criteria": [{"body": {"cups": [{"numeric": [">", 1]}]}}]})
    assert project.marks("update_event_sources") == ["updated"]
    assert project.marks("update_event_sources") == ["unchanged"]
    (pattern,) = project.mapping()["FilterCriteria"]["Filters"]
    assert json.loads(pattern["Pattern"]) == {"body": {"cups": [{"numeric": [">", 1]}]}}
    assert project.marks("disable_event_sources") == ["updated"]
    assert project.mapping()["State"] == "Disabled"
    assert project.marks("enable_event_sources", project.name) == ["updated"]
    assert project.state() == ["Enabled"]
    assert project.marks("remove_event_sources") == ["removed"]
    assert project.state() == ["missing"]


def test_a_stream_is_added_changed_disabled_and_removed(project):
    project.client("kinesis").create_stream(StreamName=project.name, ShardCount=1)
    source = {"arn": PREFIX % ("kinesis", f"stream/{project.name}"), "batch_size": 10}
    project.says({**source, "starting_position": "TRIM_HORIZON", "maximum_retry_attempts": 2})
    assert project.marks("add_event_sources") == ["created"]
    project.client("kinesis").put_record(StreamName=project.name, Data=b"a click", PartitionKey="1")
    wait_for(lambda: '"eventSource": "aws:kinesis"' in project.log())
    project.says({**source, "batch_size": 20, "enabled": False})
    assert project.marks("update_event_sources") == ["updated"]
    mapping = project.mapping()
    assert (mapping["BatchSize"], mapping["State"]) == (20, "Disabled")
    assert project.marks("remove_event_sources") == ["removed"]


def queue_for(project):
    """A queue outside the config, to which S3 may send."""
    arn = PREFIX % ("sqs", project.name)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    project.client("sqs").create_queue(QueueName=project.name, Attributes={"Policy": policy})
    return arn


def bucket_for(project, **notifications):
    s3 = project.client("s3")
    s3.create_bucket(Bucket=project.name)
    if notifications:
        s3.put_bucket_notification_configuration(
            Bucket=project.name, NotificationConfiguration=notifications
        )
    return s3


def notifications_of(project):
    found = project.client("s3").get_bucket_notification_configuration(Bucket=project.name)
    return {key: value for key, value in found.items() if key != "ResponseMetadata"}


def test_a_bucket_notifies_and_the_notifications_of_others_stay(project):
    queue = {"Id": "others", "QueueArn": queue_for(project), "Events": ["s3:ObjectRemoved:*"]}
    s3 = bucket_for(project, QueueConfigurations=[queue], EventBridgeConfiguration={})
    others = notifications_of(project)
    key_filters = [{"type": "prefix", "value": "in/"}]
    source = {"arn": f"arn:aws:s3:::{project.name}", "events": ["s3:ObjectCreated:*"]}
    project.says({**source, "key_filters": key_filters})
    assert project.marks("add_event_sources") == ["created", "created"]
    assert project.marks("add_event_sources") == ["exists"]
    s3.put_object(Bucket=project.name, Key="in/tea.txt", Body=b"tea")
    wait_for(lambda: "in/tea.txt" in project.log())
    assert project.marks("disable_event_sources") == ["removed"]
    assert (notifications_of(project), project.state()) == (others, ["missing"])
    assert project.marks("enable_event_sources") == ["created"]
    assert project.state() == ["Notifying"]
    assert project.marks("remove_event_sources") == ["removed", "removed"]
    assert notifications_of(project) == others


def test_a_bucket_notifies_of_two_prefixes_and_a_changed_one_moves(project):
    s3 = bucket_for(project)

    def source(prefix):
        filters = [{"type": "prefix", "value": prefix}]
        arn = f"arn:aws:s3:::{project.name}"
        return {"arn": arn, "events": ["s3:ObjectCreated:*"], "key_filters": filters}

    project.says(source("in/"), source("out/"))
    assert project.marks("add_event_sources") == ["created", "created"]
    for key in ("in/tea.txt", "out/milk.txt"):
        s3.put_object(Bucket=project.name, Key=key, Body=b"a drink")
    wait_for(lambda: "in/tea.txt" in project.log())
    wait_for(lambda: "out/milk.txt" in project.log())
    project.says(source("in/"), source("new/"))
    assert project.marks("update_event_sources") == ["updated"]
    assert project.state() == ["Notifying", "Notifying"]
    assert project.marks("remove_event_sources") == ["removed", "removed"]
    assert notifications_of(project) == {}


def test_a_bucket_whose_events_another_has_is_refused_and_says_whose(project):
    queue = {"Id": "others", "QueueArn": queue_for(project)}
    bucket_for(project, QueueConfigurations=[{**queue, "Events": ["s3:ObjectCreated:Put"]}])
    project.says({"arn": f"arn:aws:s3:::{project.name}", "events": ["s3:ObjectCreated:*"]})
    done = project.kappa("add_event_sources")
    assert (done.returncode, "notification others" in done.stderr) == (1, True)


def rule_of(project, name):
    events = project.client("events")
    try:
        rule = events.describe_rule(Name=name)
    except events.exceptions.ResourceNotFoundException:
        return None
    return rule, events.list_targets_by_rule(Rule=name)["Targets"]


def test_a_schedule_is_added_changed_disabled_enabled_and_removed(project):
    name = f"{project.name}-nightly"
    nightly = {"name": "nightly", "schedule": "cron(0 3 * * ? *)", "input": {"cups": 2}}
    project.says(nightly)
    assert project.marks("add_event_sources") == ["created", "created", "created"]
    assert project.marks("add_event_sources") == ["exists"]
    rule, targets = rule_of(project, name)
    assert (rule["ScheduleExpression"], rule["State"]) == ("cron(0 3 * * ? *)", "ENABLED")
    assert [(one["Arn"], json.loads(one["Input"])) for one in targets] == [
        (project.arn, {"cups": 2})
    ]
    (statement,) = project.statements()
    assert statement["Condition"]["ArnLike"]["AWS:SourceArn"] == rule["Arn"]
    project.says({**nightly, "schedule": "rate(5 minutes)", "description": "tea time"})
    assert project.marks("update_event_sources") == ["updated"]
    assert project.marks("update_event_sources") == ["unchanged"]
    assert project.marks("disable_event_sources", "nightly") == ["updated"]
    assert project.state() == ["Disabled"]
    assert project.marks("enable_event_sources") == ["updated"]
    rule, _ = rule_of(project, name)
    assert (rule["Description"], rule["State"]) == ("tea time", "ENABLED")
    assert project.marks("remove_event_sources") == ["removed", "removed", "removed"]
    assert (rule_of(project, name), project.statements()) == (None, [])


def test_a_pattern_invokes_with_what_it_matches(project):
    project.says({"name": "tea", "pattern": {"source": ["kitchen"], "detail": {"cups": [2]}}})
    project.run("add_event_sources")
    entry = {"Source": "kitchen", "DetailType": "tea"}
    project.client("events").put_events(
        Entries=[
            {**entry, "Detail": json.dumps({"cups": cups, "id": cups * 111})} for cups in (1, 2)
        ]
    )
    wait_for(lambda: '"id": 222' in project.log())
    assert '"id": 111' not in project.log()


def test_a_rule_that_others_target_too_is_kept(project):
    name = f"{project.name}-shared"
    events = project.client("events")
    events.put_rule(Name=name, ScheduleExpression="rate(1 day)")
    project.client("sqs").create_queue(QueueName=project.name)
    other = {"Id": "others", "Arn": PREFIX % ("sqs", project.name)}
    events.put_targets(Rule=name, Targets=[other])
    arn = PREFIX % ("events", f"rule/{name}")
    project.says({"arn": arn})
    assert project.marks("add_event_sources") == ["created", "created"]
    assert project.marks("disable_event_sources") == ["removed"]
    assert rule_of(project, name)[1] == [other]
    assert project.marks("enable_event_sources") == ["created"]
    project.says({"arn": arn, "schedule": "rate(1 day)"})
    assert project.marks("remove_event_sources") == ["removed", "kept", "removed"]
    rule, targets = rule_of(project, name)
    assert (rule["ScheduleExpression"], targets) == ("rate(1 day)", [other])


def test_a_rule_that_is_just_used_must_exist(project):
    project.says({"arn": PREFIX % ("events", "rule/nowhere")})
    done = project.kappa("add_event_sources")
    assert (done.returncode, "rule/nowhere does not exist" in done.stderr) == (1, True)


def url_of(project):
    return project.client("lambda").get_function_url_config(FunctionName=project.name)


def test_a_public_url_answers_anyone_and_is_closed_by_its_auth(project):
    cors = "{allow_origins: ['https://example.com'], max_age_s: 60}"
    project.says(more=f"  url: {{auth: NONE, cors: {cors}}}\n")
    assert project.marks("add_event_sources") == ["created", "created", "created"]
    assert project.marks("add_event_sources") == ["exists"]
    assert project.marks("update_event_sources") == ["unchanged"]
    has = url_of(project)
    assert has["Cors"] == {"AllowOrigins": ["https://example.com"], "MaxAge": 60}
    address = has["FunctionUrl"].split("//")[1].split(".")[0]
    request = f"{project.emulator.endpoint_url}/_aws/lambda-url/{address}/"
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer) == {"invoked": project.arn}
    assert project.shown()[0]["url"] == has["FunctionUrl"]
    project.says(more="  url: {auth: AWS_IAM}\n")
    assert project.marks("update_event_sources") == ["updated", "removed", "removed"]
    assert (url_of(project)["AuthType"], project.statements()) == ("AWS_IAM", [])
    assert project.marks("disable_event_sources") == ["kept"]
    assert project.marks("remove_event_sources", "url") == ["removed"]
    assert project.state() == ["missing"]


def test_every_kind_is_bound_to_the_alias_and_moved_there(project):
    lambda_, sns, s3 = project.client("lambda"), project.client("sns"), bucket_for(project)
    topic = sns.create_topic(Name=project.name)["TopicArn"]
    project.client("sqs").create_queue(QueueName=project.name)
    sources = [
        {"arn": topic},
        {"arn": PREFIX % ("sqs", project.name)},
        {"arn": f"arn:aws:s3:::{project.name}", "events": ["s3:ObjectCreated:*"]},
        {"name": "nightly", "schedule": "rate(1 day)"},
    ]
    project.says(*sources)
    project.run("add_event_sources")
    version = lambda_.publish_version(FunctionName=project.name)["Version"]
    lambda_.create_alias(FunctionName=project.name, Name="live", FunctionVersion=version)
    project.says(*sources, more="  alias: live\n  url: {auth: NONE}\n")
    project.run("add_event_sources")
    project.run("update_event_sources")
    alias = f"{project.arn}:live"
    subscriptions = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    notified = notifications_of(project)["LambdaFunctionConfigurations"]
    _, targets = rule_of(project, f"{project.name}-nightly")
    assert [one["Endpoint"] for one in subscriptions] == [alias]
    assert project.mapping()["FunctionArn"] == alias
    assert [one["LambdaFunctionArn"] for one in notified] == [alias]
    assert [one["Arn"] for one in targets] == [alias]
    assert len(project.statements(Qualifier="live")) == 5
    assert set(project.marks("update_event_sources")) == {"unchanged"}
    s3.put_object(Bucket=project.name, Key="tea.txt", Body=b"tea")
    wait_for(lambda: "tea.txt" in project.log())
    project.run("remove_event_sources")
    assert project.statements(Qualifier="live") == []
    assert set(project.state()) == {"missing"}


def test_delete_leaves_no_rule_and_no_mapping_behind(project):
    project.client("sqs").create_queue(QueueName=project.name)
    project.says(
        {"arn": PREFIX % ("sqs", project.name)}, {"name": "nightly", "schedule": "rate(1 day)"}
    )
    project.run("add_event_sources")
    project.run("delete")
    found = project.client("lambda").list_event_source_mappings(
        EventSourceArn=PREFIX % ("sqs", project.name)
    )
    assert found["EventSourceMappings"] == []
    assert rule_of(project, f"{project.name}-nightly") is None


def test_a_status_asks_each_thing_once(project, caplog):
    topic = project.client("sns").create_topic(Name=project.name)["TopicArn"]
    bucket_for(project)
    project.says(
        {"arn": topic},
        {"arn": f"arn:aws:s3:::{project.name}", "events": ["s3:ObjectCreated:*"]},
        {"arn": PREFIX % ("sqs", project.name)},
        {"name": "nightly", "schedule": "rate(1 day)"},
        more="  url: {auth: AWS_IAM}\n",
    )
    project.client("sqs").create_queue(QueueName=project.name)
    project.run("add_event_sources")
    caplog.set_level("DEBUG", "kappa.aws.client")
    assert "missing" not in project.state()
    assert sorted(line.split()[0] for line in caplog.messages) == [
        "events.describe_rule",
        "events.list_targets_by_rule",
        "lambda.get_function_url_config",
        "lambda.get_policy",
        "lambda.list_aliases",
        "lambda.list_event_source_mappings",
        "lambda.list_event_source_mappings",
        "s3.get_bucket_notification_configuration",
        "sns.list_subscriptions_by_topic",
        "sts.get_caller_identity",
    ]


def test_a_second_deploy_of_every_kind_changes_nothing(project):
    topic = project.client("sns").create_topic(Name=project.name)["TopicArn"]
    bucket_for(project)
    project.client("sqs").create_queue(QueueName=project.name)
    project.says(
        {"arn": topic, "filter_policy": {"cups": [{"numeric": [">", 1]}]}},
        {"arn": topic.replace(":sns:", ":sqs:"), "filter_criteria": [{"body": {"cups": [2]}}]},
        {
            "arn": f"arn:aws:s3:::{project.name}",
            "events": ["s3:ObjectCreated:*"],
            "key_filters": [{"type": "suffix", "value": ".txt"}],
        },
        {"name": "nightly", "schedule": "rate(1 day)", "input": [1], "enabled": False},
        {"name": "tea", "pattern": {"source": ["kitchen"], "detail": {"cups": [None, 2.5]}}},
        more="  url: {auth: NONE, cors: {allow_origins: ['*']}, invoke_mode: BUFFERED}\n",
    )
    assert "created" in project.marks("deploy")
    assert project.run("deploy").stderr.splitlines()[1:] == ["No changes."]
    assert project.state() == [
        "Subscribed",
        "Enabled",
        "Notifying",
        "Disabled",
        "Enabled",
        "NONE",
    ]
