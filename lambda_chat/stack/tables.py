"""The template's tables: messages, and counts, marks and blocks of senders.

It must not know the rest of the stack, or who may use the tables.
"""

from troposphere import Tags
from troposphere import dynamodb as table


def tables(tags: Tags) -> list[table.Table]:
    """Return both tables: on demand, recoverable, with expiring items."""
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
