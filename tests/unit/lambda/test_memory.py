"""The AWS in memory, held against moto: the same calls, the same answers, the same rows."""

from datetime import UTC, datetime

from botocore.exceptions import ClientError

from messages import Change
from rows import applied, block, count, not_blocked, put
from store_settings import Rate
from tests.support.builders import BUCKET, NOW_S, TABLE, moment, row
from tests.support.chat.memory import Bucket, Tables, name_of
from tests.support.chat.store import RATE_TABLE
from transcript_files import query
from transcripts import Page

USER = "0123456789abcdef"
ID = f"{moment(0)}#0"
NOW = datetime.fromtimestamp(NOW_S, UTC)
LIMITS = [not_blocked(RATE_TABLE, USER), count(RATE_TABLE, USER, NOW, Rate(2, 10))]


def message(number):
    return [put(TABLE, row(moment(number), str(number))), *LIMITS]


def change(kind, number, last="", user=USER):
    """The writes that edit or delete the first row, whose last change is `last`."""
    by = row(moment(number), str(number), kind=kind, target=ID)
    seen = {"user": {"S": user}} | (
        {"changed_by": {"S": f"{moment(int(last))}#{last}"}} if last else {}
    )
    wanted = Change(kind, "default", ID, NOW, "new", None)
    return [put(TABLE, by), *applied(TABLE, wanted, by, seen)]


def result(call, *given, **named):
    """What a call answers, or the codes of its error."""
    try:
        answer = call(*given, **named) or {}
        return {key: answer[key] for key in ("Items", "LastEvaluatedKey") if key in answer}
    except ClientError as error:
        reasons = error.response.get("CancellationReasons", [])
        return [error.response["Error"]["Code"], *(one["Code"] for one in reasons)]


def test_the_tables_answer_as_moto_does(dynamodb):
    memory = Tables()
    transactions = [
        message(0), message(0), change("edit", 20), change("edit", 21),
        change("edit", 22, "20", user="f" * 16), change("edit", 23, "20"), message(1), message(2),
        change("delete", 24, "23"), change("edit", 25, "24"), *([put(TABLE, row(moment(n), f"{n}"))]
        for n in range(30, 36)),
    ]  # fmt: skip
    for parts in transactions:
        writes = [part.write for part in parts]
        found, wanted = (
            result(client.transact_write_items, TransactItems=writes)
            for client in (memory, dynamodb)
        )
        assert found == wanted
    for blocked in (True, False, True):
        for client in (memory, dynamodb):
            client.transact_write_items(
                TransactItems=[block(RATE_TABLE, USER, blocked, NOW_S).write]
            )
        writes = [LIMITS[0].write]
        found, wanted = (
            result(client.transact_write_items, TransactItems=writes)
            for client in (memory, dynamodb)
        )
        assert found == wanted
    for page in (Page(4, ""), Page(50, ""), Page(50, moment(31))):
        asked = query(TABLE, "default", page, {})
        found, wanted = result(memory.query, **asked), result(dynamodb.query, **asked)
        assert found == wanted
        if start := found.get("LastEvaluatedKey"):
            asked = query(TABLE, "default", page, start)
            assert result(memory.query, **asked) == result(dynamodb.query, **asked)
    for table, rows in memory.rows.items():
        kept = dynamodb.scan(TableName=table)["Items"]
        assert {name_of(one, table): one for one in kept} == rows


def test_the_bucket_answers_as_moto_does(s3):
    memory = Bucket()
    at = {"Bucket": BUCKET, "Key": "data/default.json"}
    etag = '"{}"'.format("0cc175b9c0f1b6a831c399e269772661")  # of "a"
    calls = [
        ("head_object", {}), ("get_object", {}), ("put_object", {"Body": b"a", "IfMatch": etag}),
        ("put_object", {"Body": b"a", "IfNoneMatch": "*"}),
        ("put_object", {"Body": b"b", "IfNoneMatch": "*"}),
        ("head_object", {}), ("put_object", {"Body": b"b", "IfMatch": etag}),
        ("put_object", {"Body": b"c", "IfMatch": etag}), ("get_object", {}),
    ]  # fmt: skip
    for name, given in calls:
        found, wanted = (result(getattr(one, name), **at, **given) for one in (memory, s3))
        assert found == wanted, name
    assert memory.get_object(**at)["Body"].read() == s3.get_object(**at)["Body"].read() == b"b"
    assert memory.head_object(**at)["ETag"] == s3.head_object(**at)["ETag"]
