"""The tables, the bucket and STS in memory, with the calls that the functions make.

They follow AWS's documentation; an unknown parameter or value is an error. A call takes
microseconds, so property tests can try many examples. test_memory.py compares them with moto.
"""

import hashlib
import io
import re

from botocore.exceptions import ClientError

from tests.support.builders import NOW_S, TABLE
from tests.support.chat.store import RATE_TABLE

KEYS = {TABLE: ("channel", "id"), RATE_TABLE: ("user",)}
OVERTAKEN = ("head_object", "put_object")
CLAUSES = re.compile(r"(SET|REMOVE|ADD) (.+?)(?= (?:SET|REMOVE|ADD) |$)")
TERM = re.compile(r"(attribute_exists|attribute_not_exists)\((\S+)\)|(\S+) (=|<) (\S+)")


def fault(code, **more):
    """An error as botocore raises it."""
    return ClientError({"Error": {"Code": code, "Message": "as the test wants"}} | more, "Any")


def name_of(item, table):
    return tuple(item[name]["S"] for name in KEYS[table])


def holds(item, condition, names, values):
    """Return whether a condition holds for an item; AND binds closer than OR."""

    def term(text):
        function, path, left, sign, right = TERM.fullmatch(text).groups()
        if function:
            return (names.get(path, path) in item) == (function == "attribute_exists")
        value = item.get(names.get(left, left))
        if sign == "=":
            return value == values[right]
        return value is not None and int(value["N"]) < int(values[right]["N"])

    return any(all(map(term, part.split(" AND "))) for part in condition.split(" OR "))


def updated(item, expression, names, values):
    """Return an item after an UpdateExpression."""
    new = dict(item)
    assert "".join(" ".join(clause) for clause in CLAUSES.findall(expression)) == re.sub(
        " (?=SET|REMOVE|ADD)", "", expression
    )
    for verb, parts in CLAUSES.findall(expression):
        for part in parts.split(", "):
            words = part.replace(" = ", " ").split()
            path = names.get(words[0], words[0])
            if verb == "REMOVE":
                new.pop(path, None)
            elif verb == "SET":
                new[path] = values[words[1]]
            else:
                old = int(new.get(path, {"N": "0"})["N"])
                new[path] = {"N": str(old + int(values[words[1]]["N"]))}
    return new


class Tables:
    """Both tables, and the records of the messages table's stream."""

    def __init__(self):
        self.rows = {TABLE: {}, RATE_TABLE: {}}
        self.stream = []

    def transact_write_items(self, TransactItems):  # noqa: N803
        """Make all writes, or none if a condition fails."""
        writes = [next(iter(item.items())) for item in TransactItems]
        places = [(write["TableName"], self._place(write)) for _, write in writes]
        if len(set(places)) < len(places):  # two writes of one item
            raise fault("ValidationException")
        codes = [
            "None" if self._may(write, *place) else "ConditionalCheckFailed"
            for (_, write), place in zip(writes, places, strict=True)
        ]
        if set(codes) != {"None"}:
            reasons = [{"Code": code} for code in codes]
            raise fault("TransactionCanceledException", CancellationReasons=reasons)
        for (verb, write), (table, place) in zip(writes, places, strict=True):
            if verb != "ConditionCheck":
                self._write(verb, write, table, place)

    def update_item(self, **write):
        """Update or create a row."""
        self._write("Update", write, write["TableName"], self._place(write))

    def get_item(self, TableName, Key, ConsistentRead, **projection):  # noqa: N803
        """Return some attributes of a row."""
        assert ConsistentRead
        row = self.rows[TableName].get(name_of(Key, TableName))
        names = projection["ExpressionAttributeNames"]
        paths = projection["ProjectionExpression"].split(", ")
        keys = [names.get(path, path) for path in paths]
        return {} if row is None else {"Item": {key: row[key] for key in keys if key in row}}

    def query(self, **given):
        """Return a channel's newest rows."""
        assert given["ConsistentRead"] is True
        assert given["ScanIndexForward"] is False
        values = given["ExpressionAttributeValues"]
        channel, since = values[":channel"]["S"], values.get(":since", {"S": ""})["S"]
        end = values[":end"]["S"]
        before = given.get("ExclusiveStartKey", {"id": {"S": "\uffff"}})["id"]["S"]
        ids = sorted(
            (
                row_id
                for name, row_id in self.rows[TABLE]
                if name == channel and since <= row_id < end
            ),
            reverse=True,
        )
        page = [row_id for row_id in ids if row_id < before][: given["Limit"]]
        items = [self.rows[TABLE][channel, row_id] for row_id in page]
        more = len(page) == given["Limit"]
        last = {key: items[-1][key] for key in KEYS[TABLE]} if more else None
        return {"Items": items} | ({"LastEvaluatedKey": last} if last else {})

    def _place(self, write):
        return name_of(write.get("Item") or write["Key"], write["TableName"])

    def _may(self, write, table, place):
        condition = write.get("ConditionExpression")
        names = write.get("ExpressionAttributeNames", {})
        values = write.get("ExpressionAttributeValues", {})
        return not condition or holds(self.rows[table].get(place, {}), condition, names, values)

    def _write(self, verb, write, table, place):
        old = self.rows[table].get(place)
        if verb == "Delete":
            self.rows[table].pop(place, None)
        elif verb == "Put":
            self.rows[table][place] = write["Item"]
        else:
            self.rows[table][place] = updated(
                old or write["Key"],
                write["UpdateExpression"],
                write.get("ExpressionAttributeNames", {}),
                write["ExpressionAttributeValues"],
            )
        if table == TABLE:
            self._record(place, old, self.rows[table].get(place))

    def _record(self, place, old, new):
        if old == new:
            return
        change = {
            "Keys": dict(zip(KEYS[TABLE], ({"S": value} for value in place), strict=True)),
            "SequenceNumber": str(len(self.stream) + 1),
            "ApproximateCreationDateTime": NOW_S,
        }
        kind = "INSERT" if old is None else "MODIFY" if new else "REMOVE"
        self.stream.append(
            {"eventName": kind, "dynamodb": change | ({"NewImage": new} if new else {})}
        )


class Bucket:
    """The objects of one bucket, and every version written."""

    def __init__(self):
        self.versions = []
        self._objects = {}

    def put_object(self, Bucket, Key, Body, **given):  # noqa: N803
        """Write an object if the current one meets the condition."""
        current = self._etag(Key)
        if given.get("IfNoneMatch") == "*" and current:
            raise fault("PreconditionFailed")
        if "IfMatch" in given and given["IfMatch"] != current:
            raise fault("PreconditionFailed" if current else "NoSuchKey")
        self._objects[Key] = Body
        self.versions.append((Key, Body))
        return {"ETag": self._etag(Key)}

    def head_object(self, Bucket, Key):  # noqa: N803
        """Return an object's ETag."""
        if Key not in self._objects:
            raise fault("404")
        return {"ETag": self._etag(Key)}

    def get_object(self, Bucket, Key):  # noqa: N803
        """Return an object."""
        if Key not in self._objects:
            raise fault("NoSuchKey")
        return {"Body": io.BytesIO(self._objects[Key]), "ETag": self._etag(Key)}

    def _etag(self, key):
        content = self._objects.get(key)
        return "" if content is None else f'"{hashlib.md5(content).hexdigest()}"'


class Sts:
    """Accepts all tokens but the forged ones."""

    def __init__(self, *forged):
        self._forged = forged

    def assume_role_with_web_identity(self, WebIdentityToken, **_):  # noqa: N803
        """Answer as STS does."""
        if WebIdentityToken in self._forged:
            raise fault("InvalidIdentityToken")
        return {"Credentials": {}}


class Faulty:
    """A client whose calls fail as a list says, one entry per call; then they work.

    "undone": fails before it does anything. "done": works, but the answer is lost. "conflict":
    conflicts with another write. A function is called before the next HEAD or PUT, which then
    proceeds; later entries wait until then.
    """

    def __init__(self, client, left):
        self._client = client
        self._left = left

    def __getattr__(self, name):
        method = getattr(self._client, name)

        def call(**arguments):
            outcome = self._left[0] if self._left else "works"
            if self._left and (name in OVERTAKEN or not callable(outcome)):
                self._left.pop(0)
                if callable(outcome):
                    outcome()
            if outcome == "undone":
                raise fault("InternalServerError", ResponseMetadata={"HTTPStatusCode": 500})
            if outcome == "conflict" and name == "transact_write_items":
                reasons = [{"Code": "TransactionConflict"}]
                raise fault("TransactionCanceledException", CancellationReasons=reasons)
            if outcome == "conflict" and name == "put_object":
                raise fault("ConditionalRequestConflict")
            answer = method(**arguments)
            if outcome == "done":
                raise fault("InternalServerError", ResponseMetadata={"HTTPStatusCode": 500})
            return answer

        return call
