"""The template's alarms, and the topic that mails them.

They exist only if config.yml has an `alarm_email`, and one of them only with `push` too. It must
not know the rest of the stack: it derives the functions' names from the stack's, and refers to its
two topics.
"""

from collections.abc import Mapping

from awacs import aws, sns
from troposphere import And, Condition, Equals, GetAtt, Not, Parameter, Ref, Sub, Tags, Template
from troposphere import cloudwatch as watch
from troposphere import sns as topic

from lambda_chat.config import EMAIL_PATTERN

WANTED = "AlarmsWanted"
WANTED_FOR_PUSH = "PushAlarmWanted"
PERIOD_S = 300
# readers expect a message within seconds; a minute means that the chat stands still
LATE_MS = 60_000
# A message stored at the very end of a period may be published in the next: once in an hour is
# chance, twice is not.
SILENT_TIMES, SILENT_PERIODS = 2, 12
STORE, PUBLISH = "store-message", "publish-transcript"
ALARMS_OF_STACK = Sub(
    "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:${AWS::StackName}-*"
)


def add_alarms(template: Template, tls_only: aws.Statement, tags: Tags, pushing: str) -> None:
    """Add the parameter, the conditions, the topic and the alarms.

    `tls_only` denies plain HTTP to the topic that `alarms_topic` names; `pushing` is the condition
    under which publish_transcript pushes.
    """
    template.add_parameter(
        Parameter(
            "AlarmEmail",
            Type="String",
            Description="Who is mailed when something fails; empty for no alarms",
            Default="",
            AllowedPattern=f"(?:{EMAIL_PATTERN})?",
            ConstraintDescription="must be an e-mail address or empty",
        )
    )
    template.add_condition(WANTED, Not(Equals(Ref("AlarmEmail"), "")))
    template.add_condition(WANTED_FOR_PUSH, And(Condition(WANTED), Condition(pushing)))
    for part in (*_topic(tls_only, tags), *_alarms()):
        template.add_resource(part)


def alarms_topic() -> Ref:
    """Return the ARN of the topic that alarms go to."""
    return Ref("AlarmsTopic")


def _topic(
    tls_only: aws.Statement, tags: Tags
) -> list[topic.Topic | topic.TopicPolicy | topic.SubscriptionResource]:
    """Return the topic and its policy, without a KMS key: CloudWatch cannot use AWS's own key.

    Source: AWS re:Post, "Why didn't I receive an SNS notification for my CloudWatch alarm trigger?"
    """
    return [
        topic.Topic("AlarmsTopic", DisplayName="Lambda Chat alarms", Tags=tags, Condition=WANTED),
        topic.TopicPolicy(
            "AlarmsTopicPolicy",
            Topics=[alarms_topic()],
            PolicyDocument=aws.Policy(
                Version="2012-10-17", Statement=[_own_alarms_only(), tls_only]
            ),
            Condition=WANTED,
        ),
        topic.SubscriptionResource(
            "AlarmsSubscription",
            TopicArn=alarms_topic(),
            Protocol="email",
            Endpoint=Ref("AlarmEmail"),
            Condition=WANTED,
        ),
    ]


def _own_alarms_only() -> aws.Statement:
    """Let CloudWatch publish for this stack's alarms only.

    Source: IAM guide, "The confused deputy problem".
    """
    return aws.Statement(
        Sid="OwnAlarmsOnly",
        Effect=aws.Allow,
        Principal=aws.Principal("Service", "cloudwatch.amazonaws.com"),
        Action=[sns.Publish],
        Resource=[alarms_topic()],
        Condition=aws.Condition(
            [
                aws.StringEquals({"aws:SourceAccount": Ref("AWS::AccountId")}),
                aws.ArnLike({"aws:SourceArn": ALARMS_OF_STACK}),
            ]
        ),
    )


def _alarms() -> list[watch.Alarm]:
    failures = {"TopicName": GetAtt("FailuresTopic", "TopicName")}
    messages = {"TopicName": GetAtt("WebsiteSnsTopic", "TopicName")}
    late = "publish_transcript is a minute behind: readers do not see new messages"
    return [
        *_of_function("StoreMessage", STORE),
        *_of_function("PublishTranscript", PUBLISH),
        _alarm(
            "PublishTranscriptLate",
            late,
            ("AWS/Lambda", "IteratorAge", "Maximum"),
            _function(PUBLISH),
            at_least=LATE_MS,
        ),
        _silent_stream(),
        _alarm(
            "FailuresTold",
            "FailuresTopic received something that failed for good",
            ("AWS/SNS", "NumberOfMessagesPublished", "Sum"),
            failures,
        ),
        _alarm(
            "MessagesUndelivered",
            "SNS could not deliver messages to store_message: it is gone, or SNS may not invoke it",
            ("AWS/SNS", "NumberOfNotificationsFailed", "Sum"),
            messages,
        ),
        _alarm(
            "PushesFailed",
            "publish_transcript could not push: open pages see messages only when they poll",
            ("LambdaChat", "unpushed", "Sum"),
            {"function": _function(PUBLISH)["FunctionName"]},
            condition=WANTED_FOR_PUSH,
        ),
    ]


def _of_function(title: str, name: str) -> list[watch.Alarm]:
    function = name.replace("-", "_")
    return [
        _alarm(
            f"{title}Errors",
            f"{function} raised an error or ran out of time",
            ("AWS/Lambda", "Errors", "Sum"),
            _function(name),
        ),
        _alarm(
            f"{title}Throttles",
            f"{function} was called more often than its concurrency allows",
            ("AWS/Lambda", "Throttles", "Sum"),
            _function(name),
        ),
    ]


def _silent_stream() -> watch.Alarm:
    """Alarm when messages are stored but publish_transcript is not called.

    A disabled or unreadable stream invokes nothing, so the function's own metrics do not show it. A
    metric without data counts as 0 here.
    Source: CloudWatch guide, "Using math expressions with CloudWatch metrics", FILL and IF.
    """
    stored = ("LambdaChat", "stored", {"function": _function(STORE)["FunctionName"]})
    invoked = ("AWS/Lambda", "Invocations", _function(PUBLISH))
    expression = "IF(FILL(stored, 0) > 0 AND FILL(invoked, 0) == 0, 1, 0)"
    return watch.Alarm(
        "MessagesUnpublishedAlarm",
        AlarmDescription="messages are stored, but publish_transcript is not called",
        Metrics=[
            watch.MetricDataQuery(Id="silent", Expression=expression, ReturnData=True),
            _sum("stored", *stored),
            _sum("invoked", *invoked),
        ],
        EvaluationPeriods=SILENT_PERIODS,
        DatapointsToAlarm=SILENT_TIMES,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[alarms_topic()],
        Condition=WANTED,
    )


def _sum(
    id_: str, namespace: str, name: str, dimensions: Mapping[str, Sub]
) -> watch.MetricDataQuery:
    metric = watch.Metric(Namespace=namespace, MetricName=name, Dimensions=_dimensions(dimensions))
    return watch.MetricDataQuery(
        Id=id_,
        MetricStat=watch.MetricStat(Metric=metric, Period=PERIOD_S, Stat="Sum"),
        ReturnData=False,
    )


def _dimensions(values: Mapping[str, Sub | GetAtt]) -> list[watch.MetricDimension]:
    return [watch.MetricDimension(Name=key, Value=value) for key, value in values.items()]


def _function(name: str) -> dict[str, Sub]:
    return {"FunctionName": Sub("${AWS::StackName}-" + name)}


def _alarm(
    title: str,
    description: str,
    metric: tuple[str, str, str],
    dimensions: Mapping[str, Sub | GetAtt],
    at_least: int = 1,
    condition: str = WANTED,
) -> watch.Alarm:
    """Alarm when one period reaches a value. A metric without data means that nothing happened."""
    namespace, name, statistic = metric
    return watch.Alarm(
        f"{title}Alarm",
        AlarmDescription=description,
        Namespace=namespace,
        MetricName=name,
        Statistic=statistic,
        Dimensions=_dimensions(dimensions),
        Period=PERIOD_S,
        EvaluationPeriods=1,
        Threshold=at_least,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[alarms_topic()],
        Condition=condition,
    )
