"""The template's tables: the messages, and what is kept about each sender.

Who may read and write them is said elsewhere. It must not know how the rest of the stack is made.
"""

from troposphere import Tags
from troposphere import dynamodb as table


def tables(tags: Tags) -> list[table.Table]:
    """Return both tables: on demand, recoverable, their items deleted when they expire."""
    messages = table.Table(
        "MessagesTable",
        AttributeDefinitions=[
            table.AttributeDefinition(AttributeName="channel", AttributeType="S"),
            table.AttributeDefinition(AttributeName="id", AttributeType="S"),
        ],
        KeySchema=[
            table.KeySchema(AttributeName="channel", KeyType="HASH"),
            table.KeySchema(AttributeName="id", KeyType="RANGE"),
        ],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification=table.StreamSpecification(StreamViewType="NEW_IMAGE"),
        TimeToLiveSpecification=_expiry(),
        PointInTimeRecoverySpecification=_recovery(),
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Retain",
        Tags=tags,
    )
    rates = table.Table(
        "RateTable",
        AttributeDefinitions=[table.AttributeDefinition(AttributeName="user", AttributeType="S")],
        KeySchema=[table.KeySchema(AttributeName="user", KeyType="HASH")],
        BillingMode="PAY_PER_REQUEST",
        TimeToLiveSpecification=_expiry(),
        PointInTimeRecoverySpecification=_recovery(),
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Retain",
        Tags=tags,
    )
    return [messages, rates]


def _expiry() -> table.TimeToLiveSpecification:
    return table.TimeToLiveSpecification(AttributeName="expires_at", Enabled=True)


def _recovery() -> table.PointInTimeRecoverySpecification:
    return table.PointInTimeRecoverySpecification(PointInTimeRecoveryEnabled=True)
