"""Orders of commands with and without an alias on the emulator, counting delivered messages.

The emulator shares one policy between a function and its aliases, and accepts a second mapping.
tests/unit/kappa/sources/test_deliveries.py tests AWS's own behaviour in memory.
"""

import json

import pytest

from tests.support.kappa import projects
from tests.support.waiting import wait_for

ACCOUNT = "461000000062"
CODE = """\
import json

def handler(event, context):
    records = event.get("Records") or [{}]
    for one in records:
        text = one.get("body") or one.get("Sns", {}).get("Message") or "?"
        print("heard", text, "on", context.function_version)
"""


class Project(projects.Project):
    """A function with a topic, a queue, a schedule and a URL."""

    def __init__(self, folder, emulator, role):
        super().__init__(folder, emulator, ACCOUNT)
        self.write("code/greeter.py", CODE)
        self.head = projects.GIVEN_ROLE.format(name=self.name, role=role)
        self.topic = self.client("sns").create_topic(Name=self.name)["TopicArn"]
        self.queue = self.client("sqs").create_queue(QueueName=self.name)["QueueUrl"]
        self.sent = 0

    def says(self, alias=""):
        sources = [
            {"arn": self.topic},
            {"arn": self.topic.replace(":sns:", ":sqs:")},
            {"name": "nightly", "schedule": "rate(1 day)"},
        ]
        more = f"  alias: {alias}\n" if alias else ""
        self.config(
            f"{self.head}  event_sources: {json.dumps(sources)}\n  url: {{auth: NONE}}\n{more}"
        )

    def carry_out(self, word):
        """Run a command of an order; the text after @ is lambda.alias."""
        command, _, alias = word.partition("@")
        self.says(alias)
        self.run(*command.split())

    def targets(self):
        found = self.client("events").list_targets_by_rule(Rule=f"{self.name}-nightly")["Targets"]
        return [one["Arn"].partition(f":{self.name}")[2].lstrip(":") for one in found]

    def urls(self):
        """The qualifiers that have a URL."""
        lambda_ = self.client("lambda")
        listed = lambda_.list_aliases(FunctionName=self.name)["Aliases"]
        found = []
        for qualifier in ({}, *({"Qualifier": one["Name"]} for one in listed)):
            try:
                lambda_.get_function_url_config(FunctionName=self.name, **qualifier)
                found.append(qualifier.get("Qualifier", ""))
            except lambda_.exceptions.ResourceNotFoundException:
                pass
        return found

    def send(self):
        """Send a message through the topic and the queue, and wait until both have arrived."""
        self.sent += 1
        texts = f"topic-{self.sent}", f"queue-{self.sent}"
        self.client("sns").publish(TopicArn=self.topic, Message=texts[0])
        self.client("sqs").send_message(QueueUrl=self.queue, MessageBody=texts[1])
        wait_for(lambda: all(text in self.log() for text in texts))
        return texts

    def heard(self):
        """The versions that received a message, by source: two if it arrived twice."""
        texts = self.send()
        self.send()
        lines = [line.split() for line in self.log().splitlines() if "heard" in line]
        return {
            text.split("-")[0]: [words[-1] for words in lines if text in words] for text in texts
        }


@pytest.fixture(scope="module")
def role(emulator):
    return projects.role_in(emulator, ACCOUNT)


@pytest.fixture
def project(tmp_path, emulator, role):
    return Project(tmp_path / "greeter", emulator, role)


@pytest.mark.parametrize(
    ("order", "place"),
    [
        (("deploy", "deploy@live"), "live"),
        (("deploy --publish --alias live",), ""),
        (("deploy@live", "deploy --publish --alias blue@live"), "live"),
        (("deploy@live", "disable_event_sources@live", "enable_event_sources@live"), "live"),
        (("deploy@live", "remove_event_sources@live", "add_event_sources@live"), "live"),
        (("deploy", "update_code@live", "update_event_sources@live"), "live"),
    ],
)
def test_each_message_is_heard_once_where_the_sources_are(project, order, place):
    for word in order[:-1]:
        project.carry_out(word)
    project.carry_out(order[-1])
    version = "1" if place else "$LATEST"
    assert project.heard() == {"topic": [version], "queue": [version]}
    assert (project.targets(), project.urls()) == ([place], [place])
    project.says(place)
    # The deploy after a move removes the permission that the move left.
    project.run("deploy")
    assert "No changes." in project.run("deploy").stderr
    project.run("delete")
    sns, lambda_ = project.client("sns"), project.client("lambda")
    assert sns.list_subscriptions_by_topic(TopicArn=project.topic)["Subscriptions"] == []
    arn = project.topic.replace(":sns:", ":sqs:")
    assert lambda_.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"] == []
    assert project.existing() == []
    project.says()
    project.run("deploy")
    assert project.urls() == [""]


def test_a_rollback_leaves_the_sources_on_the_alias(project):
    project.carry_out("deploy --publish@live")
    project.write("code/greeter.py", CODE + "# edition 2\n")
    project.carry_out("deploy --publish@live")
    project.carry_out("rollback@live")
    assert project.heard() == {"topic": ["1"], "queue": ["1"]}
