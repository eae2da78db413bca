"""The tables, the bucket and STS in memory, as far as both functions call them.

By the documented rules; what it does not know is an error, never a guess. One call costs
microseconds, so that properties can be tried with many examples; test_memory.py holds it against
moto.
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
    """Tell whether a condition is true of an item; AND binds closer than OR."""

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
    """Return an item as an UpdateExpression leaves it."""
    new = dict(item)
    assert "".join(" ".join(one) for one in CLAUSES.findall(expression)) == re.sub(
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
    """Both tables, and what the messages table's stream tells of them."""

    def __init__(self):
        self.rows = {TABLE: {}, RATE_TABLE: {}}
        self.stream = []

    def transact_write_items(self, TransactItems):  # noqa: N803
        """Make all writes or none, each on its condition."""
        writes = [next(iter(one.items())) for one in TransactItems]
        places = [(one["TableName"], self._place(one)) for _, one in writes]
        if len(set(places)) < len(places):  # two writes of one item
            raise fault("ValidationException")
        codes = [
            "None" if self._may(one, *place) else "ConditionalCheckFailed"
            for (_, one), place in zip(writes, places, strict=True)
        ]
        if set(codes) != {"None"}:
            reasons = [{"Code": code} for code in codes]
            raise fault("TransactionCanceledException", CancellationReasons=reasons)
        for (verb, one), (table, place) in zip(writes, places, strict=True):
            if verb != "ConditionCheck":
                self._write(verb, one, table, place)

    def update_item(self, **one):
        """Update one row, or make it."""
        self._write("Update", one, one["TableName"], self._place(one))

    def get_item(self, TableName, Key, ConsistentRead, **projection):  # noqa: N803
        """Read some attributes of one row."""
        assert ConsistentRead
        row = self.rows[TableName].get(name_of(Key, TableName))
        names = projection["ExpressionAttributeNames"]
        wanted = [names.get(one, one) for one in projection["ProjectionExpression"].split(", ")]
        return {} if row is None else {"Item": {key: row[key] for key in wanted if key in row}}

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

    def _place(self, one):
        return name_of(one.get("Item") or one["Key"], one["TableName"])

    def _may(self, one, table, place):
        condition = one.get("ConditionExpression")
        names, values = (one.get(f"ExpressionAttribute{kind}", {}) for kind in ("Names", "Values"))
        return not condition or holds(self.rows[table].get(place, {}), condition, names, values)

    def _write(self, verb, one, table, place):
        old = self.rows[table].get(place)
        if verb == "Delete":
            self.rows[table].pop(place, None)
        elif verb == "Put":
            self.rows[table][place] = one["Item"]
        else:
            names = one.get("ExpressionAttributeNames", {})
            self.rows[table][place] = updated(
                old or one["Key"], one["UpdateExpression"], names, one["ExpressionAttributeValues"]
            )
        if table == TABLE:
            self._tell(place, old, self.rows[table].get(place))

    def _tell(self, place, old, new):
        if old == new:
            return
        change = {
            "Keys": dict(zip(KEYS[TABLE], ({"S": one} for one in place), strict=True)),
            "SequenceNumber": str(len(self.stream) + 1),
            "ApproximateCreationDateTime": NOW_S,
        }
        kind = "INSERT" if old is None else "MODIFY" if new else "REMOVE"
        self.stream.append(
            {"eventName": kind, "dynamodb": change | ({"NewImage": new} if new else {})}
        )


class Bucket:
    """The objects of one bucket, and every version that was ever written."""

    def __init__(self):
        self.versions = []
        self._objects = {}

    def put_object(self, Bucket, Key, Body, **given):  # noqa: N803
        """Write an object if the one that is there is as the condition says."""
        now = self._etag(Key)
        if given.get("IfNoneMatch") == "*" and now:
            raise fault("PreconditionFailed")
        if "IfMatch" in given and given["IfMatch"] != now:
            raise fault("PreconditionFailed" if now else "NoSuchKey")
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
    """Accepts the tokens that are not among the forged ones."""

    def __init__(self, *forged):
        self._forged = forged

    def assume_role_with_web_identity(self, WebIdentityToken, **_):  # noqa: N803
        """Answer as STS does."""
        if WebIdentityToken in self._forged:
            raise fault("InvalidIdentityToken")
        return {"Credentials": {}}


class Faulty:
    """A client whose calls meet what a list says, one entry a call, then work.

    "undone": fails before it did anything. "done": works, but the answer is lost. "conflict":
    another write is in the way. A function is called before the next HEAD or PUT, which
    then goes on; what comes after it in the list waits until then.
    """

    def __init__(self, client, left):
        self._client = client
        self._left = left

    def __getattr__(self, name):
        method = getattr(self._client, name)

        def call(**arguments):
            met = self._left[0] if self._left else "works"
            if self._left and (name in OVERTAKEN or not callable(met)):
                self._left.pop(0)
                if callable(met):
                    met()
            if met == "undone":
                raise fault("InternalServerError", ResponseMetadata={"HTTPStatusCode": 500})
            if met == "conflict" and name == "transact_write_items":
                reasons = [{"Code": "TransactionConflict"}]
                raise fault("TransactionCanceledException", CancellationReasons=reasons)
            if met == "conflict" and name == "put_object":
                raise fault("ConditionalRequestConflict")
            answer = method(**arguments)
            if met == "done":
                raise fault("InternalServerError", ResponseMetadata={"HTTPStatusCode": 500})
            return answer

        return call
