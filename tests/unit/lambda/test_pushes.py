"""What a push has of a transcript, for each kind of batch."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.testkit.events import stream_record
from pushes import MAX_BYTES, payload
from stream_batch import BatchRows, read_rows
from tests.support.builders import NOW_S, moment, row
from transcripts import read_changes, read_entry, transcript, window

HISTORY = 3
TOPIC = "Tea/channel/default"
NOTICE = {"channel": "default", "changed": moment(0)}
ABOUT = {"channel": "default", "generated_at": moment(0)}


def message(minute, **attributes):
    """The row of a message; those of other minutes do not make the channel lively."""
    return row(moment(60 * minute - 3_600), f"m{minute}", **attributes)


def change_of(target, kind="edit", number=1):
    """The row that announces a change of the row `target`."""
    announced = row(moment(-number), f"c{number}", kind=kind, message="", target=id_of(target))
    return announced | {"id": {"S": f"~{moment(-number)}#c{number}"}}


def id_of(stored):
    return stored["id"]["S"]


def record(kind, stored):
    """The record of a change of a row, as the table's stream delivers it."""
    delivered = stream_record(kind=kind)
    delivered["dynamodb"]["Keys"] = {key: stored[key] for key in ("channel", "id")}
    if kind != "REMOVE":
        delivered["dynamodb"]["NewImage"] = stored
    return delivered


def written(rows, changes=()):
    """The transcript of a channel's rows, as publish_transcript writes it."""
    newest_first = sorted(rows, key=id_of, reverse=True)
    read, all_read = newest_first[: HISTORY + 1], len(newest_first) <= HISTORY + 1
    since = moment(-86_400)
    listed = read_changes(sorted(changes, key=id_of, reverse=True), True, since, NOW_S)
    return transcript("default", window(read, HISTORY, NOW_S), listed, all_read, NOW_S)


def pushed(content, *records):
    """What is pushed for a batch; None for nothing."""
    sent = payload(content, read_rows(records)["default"], TOPIC)
    assert len(TOPIC) + len(sent) <= MAX_BYTES
    return json.loads(sent) if sent else None


def shown(content, *minutes):
    """Messages in the transcript's own shape."""
    wanted = [f"m{minute}" for minute in minutes]
    return [one for one in json.loads(content)["messages"] if one["client_id"] in wanted]


def test_a_new_message_is_pushed_as_the_transcript_shows_it_with_the_id_before_it():
    rows = [message(minute) for minute in range(5)]
    content = written(rows)
    assert pushed(content, record("INSERT", rows[4])) == ABOUT | {
        "after": id_of(rows[3]),
        "messages": shown(content, 4),
    }


def test_the_first_message_of_a_channel_comes_after_nothing():
    first = message(0)
    content = written([first])
    found = pushed(content, record("INSERT", first))
    assert found == ABOUT | {"after": "", "messages": shown(content, 0)}


def test_several_new_messages_are_pushed_oldest_first():
    rows = [message(minute) for minute in range(5)]
    content = written(rows)
    found = pushed(content, *(record("INSERT", one) for one in (rows[4], rows[3])))
    assert found == ABOUT | {"after": id_of(rows[2]), "messages": shown(content, 3, 4)}


def test_a_row_that_came_late_is_pushed_with_all_that_stand_behind_it():
    rows = [message(minute) for minute in range(5)]
    content = written(rows)
    found = pushed(content, record("INSERT", rows[3]))
    assert found == ABOUT | {"after": id_of(rows[2]), "messages": shown(content, 3, 4)}


def test_a_batch_that_is_pushed_again_has_the_messages_that_came_since():
    rows = [message(minute) for minute in range(3)]
    first = pushed(written(rows[:2]), record("INSERT", rows[1]))
    again = pushed(written(rows), record("INSERT", rows[1]))
    assert again["after"] == first["after"]
    assert again["messages"][:1] == first["messages"]


def test_new_messages_from_the_first_of_an_incomplete_transcript_on_make_a_notice():
    rows = [message(minute) for minute in range(5)]
    assert pushed(written(rows), *(record("INSERT", one) for one in rows[2:])) == NOTICE


@pytest.mark.parametrize(
    "absent",
    [
        message(0),
        message(9, expires_at=int(NOW_S) - 1),
        row(moment(-1), "m4") | {"id": {"S": f"{moment(-1)}#m4"}},
        message(9) | {"kind": {"N": "5"}},
    ],
    ids=["older", "expired", "repeated", "malformed"],
)
def test_a_new_message_that_the_transcript_does_not_show_makes_a_notice(absent):
    rows = [message(minute) for minute in range(1, 5)]
    content = written([*rows, absent])
    assert id_of(absent) not in [one["id"] for one in json.loads(content)["messages"]]
    assert pushed(content, record("INSERT", rows[3]), record("INSERT", absent)) == NOTICE


def test_an_edit_of_a_shown_message_is_pushed_without_the_change():
    rows = [message(minute) for minute in range(5)]
    rows[3] |= {"message": {"S": "new"}, "edited_at": {"S": moment(-1)}}
    change = change_of(rows[3])
    content = written(rows, [change])
    (edited,) = shown(content, 3)
    found = pushed(content, record("INSERT", change), record("MODIFY", rows[3]))
    assert found == ABOUT | {"edited": [edited]}
    assert edited["message"] == "new"


def test_an_edit_of_a_message_that_is_pushed_is_in_it():
    rows = [message(minute) for minute in range(4)]
    rows[3] |= {"message": {"S": "new"}, "edited_at": {"S": moment(-1)}}
    change = change_of(rows[3])
    content = written(rows, [change])
    records = [record("INSERT", rows[3]), record("INSERT", change), record("MODIFY", rows[3])]
    assert pushed(content, *records) == ABOUT | {
        "after": id_of(rows[2]),
        "messages": shown(content, 3),
    }


def test_a_change_of_an_older_message_is_pushed_as_the_transcript_lists_it():
    rows = [message(minute) for minute in range(5)]
    change, earlier = change_of(rows[0], "delete"), change_of(rows[1], number=2)
    content = written(rows, [change, earlier])
    assert len(json.loads(content)["changes"]) == 2
    found = pushed(content, record("INSERT", change), record("MODIFY", rows[0]))
    listed = {"id": id_of(change), "target": id_of(rows[0]), "kind": "delete"}
    assert found == ABOUT | {"changes": [listed]}


def test_messages_edits_and_changes_of_one_batch_are_pushed_together():
    rows = [message(minute) for minute in range(5)]
    rows[3] |= {"message": {"S": "new"}, "edited_at": {"S": moment(-1)}}
    changes = [change_of(rows[0], "delete", 1), change_of(rows[3], number=2)]
    content = written(rows, changes)
    records = [
        record("MODIFY", rows[3]), record("INSERT", changes[1]), record("INSERT", rows[4]),
        record("INSERT", changes[0]), record("MODIFY", rows[0]),
    ]  # fmt: skip
    assert pushed(content, *records) == ABOUT | {
        "after": id_of(rows[3]),
        "messages": shown(content, 4),
        "edited": shown(content, 3),
        "changes": [{"id": id_of(changes[0]), "target": id_of(rows[0]), "kind": "delete"}],
    }


def test_a_change_and_its_message_may_come_in_two_batches_with_new_messages_between():
    rows = [message(minute) for minute in range(7)]
    change = change_of(rows[3])
    early, late = written(rows[:5], [change]), written(rows, [change])
    edited = ABOUT | {"edited": shown(early, 3)}
    listed = {"id": id_of(change), "target": id_of(rows[3]), "kind": "edit"}
    announced, modified = record("INSERT", change), record("MODIFY", rows[3])
    assert pushed(early, announced) == pushed(early, modified) == edited
    assert pushed(late, announced) == ABOUT | {"changes": [listed]}
    assert pushed(late, modified) is None


def test_a_change_that_the_transcript_does_not_list_makes_a_notice():
    rows = [message(minute) for minute in range(5)]
    assert pushed(written(rows), record("INSERT", change_of(rows[0]))) == NOTICE


def test_an_edit_of_an_older_message_alone_is_not_pushed():
    rows = [message(minute) for minute in range(5)]
    assert pushed(written(rows), record("MODIFY", rows[0])) is None


def test_an_edit_of_a_message_that_is_not_shown_among_newer_ones_makes_a_notice():
    rows = [message(minute) for minute in range(5)]
    expired = message(9, expires_at=int(NOW_S) - 1)
    assert pushed(written([*rows, expired]), record("MODIFY", expired)) == NOTICE


@pytest.mark.parametrize("count", [2, 5])
def test_a_removed_row_makes_a_notice(count):
    rows = [message(minute) for minute in range(count)]
    kept = [*rows[:-2], rows[-1]]
    assert pushed(written(kept), record("REMOVE", rows[-2])) == NOTICE
    assert pushed(written(rows), record("INSERT", rows[-1]), record("REMOVE", rows[-2])) == NOTICE


def test_the_last_row_of_a_channel_makes_a_notice_when_it_is_removed():
    assert pushed(written([]), record("REMOVE", message(0))) == NOTICE


def test_what_expires_behind_the_transcript_is_not_pushed():
    rows = [message(minute) for minute in range(1, 6)]
    gone = [record("REMOVE", message(0)), record("REMOVE", change_of(message(0)))]
    content = written(rows)
    assert pushed(content, *gone) is None
    assert pushed(content, *gone, record("INSERT", rows[4]))["messages"] == shown(content, 5)


@pytest.mark.parametrize(
    "broken",
    [
        {"eventName": "MODIFY", "dynamodb": {"Keys": {"channel": {"S": "default"}}}},
        {"eventName": "INSERT", "dynamodb": {"Keys": {"channel": {"S": "default"}, "id": 5}}},
        stream_record(kind="TRUNCATE"),
        stream_record() | {"eventName": ["INSERT"]},
    ],
)
def test_a_record_without_a_row_or_of_an_unknown_kind_makes_a_notice(broken):
    """As those of republish.py, whose transcripts differ from what pages know in unknown ways."""
    assert pushed(written([message(0)]), broken) == NOTICE


def long_texts(size):
    """Two messages, the push of the second of which has `size` bytes with its topic."""
    rows = [message(0), message(1, message="\U0001f600")]
    batch = read_rows([record("INSERT", rows[1])])["default"]
    spare = size - len(TOPIC) - len(payload(written(rows), batch, TOPIC))
    emojis, letters = divmod(spare, 4)
    return [rows[0], message(1, message="\U0001f600" * (1 + emojis) + "x" * letters)]


def test_a_push_and_its_topic_have_5_120_bytes_of_utf_8_at_most():
    for size in (MAX_BYTES, MAX_BYTES - 1):
        rows = long_texts(size)
        content = written(rows)
        rows_of_batch = read_rows([record("INSERT", rows[1])])["default"]
        assert len(TOPIC) + len(payload(content, rows_of_batch, TOPIC)) == size
        assert pushed(content, record("INSERT", rows[1]))["messages"] == shown(content, 1)
    rows = long_texts(MAX_BYTES + 1)
    assert pushed(written(rows), record("INSERT", rows[1])) == NOTICE


def test_a_longer_topic_leaves_less_room():
    rows = long_texts(MAX_BYTES)
    batch = read_rows([record("INSERT", rows[1])])["default"]
    assert json.loads(payload(written(rows), batch, f"{TOPIC}s")) == NOTICE


def test_a_push_is_compact_and_keeps_every_character():
    text = 'שלום ‮\U0001f469‍\U0001f680 "}]} \n '
    stored = message(0, message=text)
    sent = payload(written([stored]), read_rows([record("INSERT", stored)])["default"], TOPIC)
    assert json.loads(sent)["messages"][0]["message"] == text
    assert "\U0001f680".encode() in sent
    assert b'","generated_at":"' in sent


KINDS = st.sampled_from(["INSERT", "MODIFY", "REMOVE"])


@settings(deadline=None)
@given(st.lists(st.tuples(KINDS, st.integers(0, 7)), min_size=1, max_size=6), st.integers(1, 8))
def test_a_page_that_knows_the_row_before_ends_with_the_end_of_the_transcript(batch, count):
    rows = [message(minute) for minute in range(count)]
    content = written(rows)
    found = pushed(content, *(record(kind, message(minute)) for kind, minute in batch))
    if found and "messages" in found:
        listed = json.loads(content)["messages"]
        ids = [one["id"] for one in listed]
        first = ids.index(found["after"]) + 1 if found["after"] else 0
        assert listed[first:] == found["messages"]
        inserted = {id_of(message(minute)) for kind, minute in batch if kind == "INSERT"}
        assert inserted <= {one["id"] for one in found["messages"]}


def test_rows_of_a_batch_are_sorted_by_channel_and_kind():
    target = message(0)
    change, new, elsewhere = change_of(target), message(1), message(2, channel="tea")
    batch = [record("INSERT", new), record("MODIFY", target), record("INSERT", change)]
    assert read_rows([*batch, None, record("REMOVE", elsewhere)]) == {
        "default": BatchRows(
            inserted=frozenset({id_of(new)}),
            modified=frozenset({id_of(target)}),
            changes=frozenset({(id_of(change), id_of(target))}),
        ),
        "tea": BatchRows(removed=frozenset({id_of(elsewhere)})),
    }


class Channel:
    """A channel's rows after each operation, and the records that its stream delivers."""

    def __init__(self):
        self.states = [{}]
        self.stream = []  # each record with the number of its operation

    def apply(self, kind, number):
        """Apply an operation; `number` chooses the message that it changes."""
        rows, before = dict(self.states[-1]), self.states[-1]
        at, name = len(self.states), sorted(one for one in before if not one.startswith("~"))
        if kind in ("new", "late") or not name:
            stored = message(at - (1.5 if kind == "late" else 0), user=f"{at:016x}")
            rows[id_of(stored)] = stored
        elif kind == "remove":
            del rows[name[number % len(name)]]
        else:
            target = before[name[number % len(name)]]
            text = {"message": {"S": f"text {at}"}, "edited_at": {"S": moment(at)}}
            rows[id_of(target)] = target | (text if kind == "edit" else {"deleted_at": {"S": "x"}})
            earlier = [one for one in before.values() if one.get("target") == {"S": id_of(target)}]
            for one in earlier:
                del rows[id_of(one)]
            announced = change_of(target, kind, 1_000 - at)
            rows[id_of(announced)] = announced
        for row_id in sorted(before.keys() | rows.keys(), reverse=bool(number % 2)):
            if before.get(row_id) != rows.get(row_id):
                kind = "MODIFY" if row_id in before and row_id in rows else "INSERT"
                kind = kind if row_id in rows else "REMOVE"
                self.stream.append((at, record(kind, rows.get(row_id) or before[row_id])))
        self.states.append(rows)

    def transcript(self, state):
        rows = self.states[state].values()
        changes = [one for one in rows if id_of(one).startswith("~")]
        return written([one for one in rows if not id_of(one).startswith("~")], changes)

    def messages(self, state):
        """All messages, as a page shows them after it has read the transcript and the table."""
        rows = self.states[state].values()
        entries = [read_entry(one, NOW_S) for one in rows if not id_of(one).startswith("~")]
        return {entry.shown["id"]: entry.shown for entry in entries}


OPERATIONS = st.sampled_from(["new", "new", "new", "late", "edit", "delete", "remove"])


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.tuples(OPERATIONS, st.integers(0, 9)), min_size=1, max_size=20),
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 3)), min_size=20, max_size=20),
)
def test_a_page_that_only_follows_pushes_ends_with_the_transcript(operations, batches):
    """However records are cut into batches, and however much newer the rows are than the batch."""
    channel = Channel()
    for kind, number in operations:
        channel.apply(kind, number)
    known, state, last = {}, 0, len(operations)
    cuts = iter(batches * 5)
    while channel.stream:
        size, ahead = next(cuts)
        batch, channel.stream = channel.stream[:size], channel.stream[size:]
        state = min(last, max(state, batch[-1][0] + ahead))
        found = pushed(channel.transcript(state), *(one for _, one in batch))
        if found is None:
            continue
        after = found.get("after")
        if "changed" in found or (after and after not in known):
            known = channel.messages(state)
            continue
        if after == "":
            known = {}
        rows = channel.messages(state)
        changed = [one["target"] for one in found.get("changes", [])]
        known |= {row_id: rows[row_id] for row_id in changed if row_id in rows and row_id in known}
        known |= {one["id"]: one for one in found.get("edited", []) if one["id"] in known}
        known |= {one["id"]: one for one in found.get("messages", [])}
    final, all_messages = json.loads(channel.transcript(last)), channel.messages(last)
    oldest = final["messages"][0]["id"] if final["messages"] else ""
    assert [known[row_id] for row_id in sorted(known) if row_id >= oldest] == final["messages"]
    assert known == known | all_messages
    if final["complete"]:
        assert known == all_messages
