"""What the growth curves stand on: the table in memory, and the sums."""

from itertools import pairwise

import pytest

from bench.growth_memory import Counted, Rows
from bench.growth_zip import grown


def query(world, limit, since="", start=None):
    values = {":channel": {"S": "default"}} | ({":since": {"S": since}} if since else {})
    more = {"ExclusiveStartKey": start} if start else {}
    return world.query(ExpressionAttributeValues=values, Limit=limit, **more)


def ids(answer):
    return [item["id"]["S"] for item in answer["Items"]]


@pytest.mark.parametrize("apart_ms", [0, 60_000])
def test_the_rows_of_a_channel_are_in_order(apart_ms):
    rows = list(Rows(1_200, apart_ms))
    assert len(rows) == 1_200
    assert all(one < other for one, other in pairwise(rows))


def test_a_query_answers_page_by_page_from_the_newest():
    world, found, start = Counted(Rows(25, 60_000)), [], None
    for count in (10, 10, 5):
        answer = query(world, 10, start=start)
        assert len(answer["Items"]) == count
        found += ids(answer)
        start = answer.get("LastEvaluatedKey")
    assert start is None
    assert found == list(world.rows)[::-1]
    assert world.taken()[1] == 25


def test_a_query_answers_nothing_older_than_it_asks_for():
    world = Counted(Rows(25, 60_000))
    answer = query(world, 10, since=world.rows[22])
    assert ids(answer) == [world.rows[24], world.rows[23], world.rows[22]]
    assert "LastEvaluatedKey" not in answer


def test_growth_is_told_from_the_smallest_size_on():
    lines = [(1, 2.0, 30.0, 13.0), (11, 1.5, 45.0, 13.0)]
    assert grown(lines) == [(*lines[0], "-"), (*lines[1], 1.5)]
