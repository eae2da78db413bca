import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import NOW_S, moment, row
from transcripts import MAX_ROWS, Page, Window, next_page, transcript, window

HISTORY = 20


def rows_at(*offsets_s):
    """Rows sent at these offsets, newest first as a Query answers."""
    numbered = [row(moment(offset), f"{n:04}") for n, offset in enumerate(sorted(offsets_s))]
    return numbered[::-1]


def spaced(count, gap_s):
    return rows_at(*(-gap_s * n for n in range(count)))


def ids(shown):
    return [entry.shown["client_id"] for entry in shown.messages]


def read_all(rows, history=HISTORY, now_s=NOW_S):
    """Read as publish_transcript does, from a list in place of the table."""
    read, pages = [], []
    page = Page(history, "")
    while page:
        pages.append(page)
        rest = [one for one in rows[len(read) :] if one["id"]["S"] >= page.since]
        read += rest[: page.limit]
        page = next_page(read, history, now_s) if len(rest) > page.limit else None
    return read, pages


def test_a_quiet_channel_shows_the_newest_by_one_read():
    rows = spaced(1000, 1)
    read, pages = read_all(rows)
    assert pages == [Page(20, "")]
    assert ids(window(read, HISTORY, NOW_S)) == [f"{n:04}" for n in range(999, 979, -1)]


@pytest.mark.parametrize(
    ("span_s", "reads"),
    [(0, 2), (4.999, 2), (5.0, 1), (5.001, 1)],
)
def test_more_is_read_only_when_the_newest_span_less_than_5_s(span_s, reads):
    offsets = [0] * 19 + [-span_s] + [-span_s - 60] * 50
    assert len(read_all(rows_at(*offsets))[1]) == reads


def test_a_lively_channel_shows_everything_of_the_last_5_s():
    rows = spaced(1000, 0.1)
    read, pages = read_all(rows)
    assert pages == [Page(20, ""), Page(180, moment(-4.999))]
    assert len(read) == 50
    assert len(window(read, HISTORY, NOW_S).messages) == 50


@pytest.mark.parametrize(("age_s", "shown"), [(4.999, 21), (5.0, 20), (5.001, 20)])
def test_the_last_5_s_end_where_5_s_are_full(age_s, shown):
    read, _ = read_all(rows_at(*[0] * 20, -age_s, -60))
    assert len(window(read, HISTORY, NOW_S).messages) == shown


def test_the_5_s_count_from_the_newest_message_not_from_now():
    rows = rows_at(*[-3600 - n * 0.1 for n in range(100)])
    read, _ = read_all(rows)
    assert len(window(read, HISTORY, NOW_S).messages) == 50


def test_a_transcript_holds_200_at_most():
    read, pages = read_all(spaced(5000, 0.001))
    assert len(window(read, HISTORY, NOW_S).messages) == len(read) == 200
    assert len(pages) == 2


def test_of_two_copies_of_a_sending_the_first_is_shown():
    rows = [row(moment(9), "a"), row(moment(8), "b"), row(moment(7), "a")]
    shown = window(rows, HISTORY, NOW_S)
    assert [entry.shown["id"] for entry in shown.messages] == [f"{moment(8)}#b", f"{moment(7)}#a"]


def test_equal_ids_or_texts_of_two_people_are_two_messages():
    rows = [row(moment(9), "a", message="yes"), row(moment(8), "a", message="yes", user="f" * 16)]
    assert len(window(rows, HISTORY, NOW_S).messages) == 2


def test_one_person_may_repeat_a_text():
    rows = [row(moment(9), "b", message="yes"), row(moment(8), "a", message="yes")]
    assert len(window(rows, HISTORY, NOW_S).messages) == 2


def test_copies_do_not_make_a_transcript_shorter():
    rows = [row(moment(60 - n), "same") for n in range(15)] + spaced(100, 10)
    read, pages = read_all(rows)
    assert len(window(read, HISTORY, NOW_S).messages) == 20
    assert pages == [Page(20, ""), Page(20, "")]


def test_a_flood_of_copies_is_read_to_a_bound():
    rows = [row(moment(-n), "same") for n in range(1000)]
    read, _ = read_all(rows)
    assert len(read) == MAX_ROWS
    assert len(window(read, HISTORY, NOW_S).messages) == 1


def test_what_has_expired_is_left_out_before_dynamodb_deletes_it():
    rows = [row(moment(-n), str(n), expires_at=int(NOW_S) - n) for n in (-1, 0, 1)]
    assert ids(window(rows, HISTORY, NOW_S)) == ["-1"]


@pytest.mark.parametrize(
    "changes",
    [
        {"message": {}},
        {"name": {"N": "1"}},
        {"user": None},
        {"id": {"S": "no time#1"}},
        {"id": {"S": ""}},
        {"expires_at": {"N": "soon"}},
        {"expires_at": {"S": "1"}},
    ],
)
def test_a_row_that_another_wrote_wrongly_is_left_out(changes):
    broken = {key: value for key, value in (row() | changes).items() if value is not None}
    assert ids(window([row(moment(1), "good"), broken], HISTORY, NOW_S)) == ["good"]


def test_a_transcript_has_the_contract_s_form():
    rows = [
        row(moment(2), "2", picture="https://example.com/ada", kind="operator"),
        row(moment(1), client_id=None, id=f"{moment(1)}#95df01b4", message="</script>\u2028é"),
    ]
    content = transcript("tea-room", window(rows, HISTORY, NOW_S), NOW_S)
    assert json.loads(content) == {
        "channel": "tea-room",
        "generated_at": "2026-01-01T12:00:00.000Z",
        "messages": [
            {
                "id": f"{moment(1)}#95df01b4",
                "name": "Ada Lovelace",
                "message": "</script>\u2028é",
                "user": "0123456789abcdef",
                "sent_at": moment(1),
                "kind": "user",
            },
            {
                "id": f"{moment(2)}#2",
                "name": "Ada Lovelace",
                "message": "text 2",
                "user": "0123456789abcdef",
                "sent_at": moment(2),
                "kind": "operator",
                "picture": "https://example.com/ada",
                "client_id": "2",
            },
        ],
        "changes": [],
    }
    assert b'":"' in content
    assert "é".encode() in content


def test_an_empty_channel_has_an_empty_transcript():
    assert json.loads(transcript("default", Window([], []), NOW_S))["messages"] == []


def test_an_edited_message_tells_when():
    (entry,) = window([row(edited_at=moment(5), message="new")], HISTORY, NOW_S).messages
    assert (entry.shown["message"], entry.shown["edited_at"]) == ("new", moment(5))


@pytest.mark.parametrize("message", [None, "a text that stayed", ""])
def test_a_deleted_message_keeps_its_place_and_no_text(message):
    gone = row(moment(1), "2", message=message, deleted_at=moment(5))
    (entry, _) = window([gone, row()], HISTORY, NOW_S).messages
    assert (entry.shown["message"], entry.shown["deleted_at"]) == ("", moment(5))
    assert entry.shown["name"] == "Ada Lovelace"


def edit(sent_at, client_id, **changes):
    """A row that tells of an edit of another row."""
    default = {"kind": "edit", "target": f"{moment(0)}#1", "message": f"edit {client_id}"}
    return row(sent_at, client_id, **(default | changes))


def test_changes_are_listed_beside_the_messages_oldest_first():
    rows = [
        edit(moment(3), "d", kind="delete", message=None),
        row(moment(2), "2"),
        edit(moment(1), "e", name=None),
        row(moment(0), "1"),
    ]
    content = json.loads(transcript("default", window(rows, HISTORY, NOW_S), NOW_S))
    assert [one["client_id"] for one in content["messages"]] == ["1", "2"]
    assert content["changes"] == [
        {
            "id": f"{moment(1)}#e",
            "target": f"{moment(0)}#1",
            "kind": "edit",
            "message": "edit e",
            "sent_at": moment(1),
        },
        {
            "id": f"{moment(3)}#d",
            "target": f"{moment(0)}#1",
            "kind": "delete",
            "sent_at": moment(3),
        },
    ]


@pytest.mark.parametrize("changes", [{"target": None}, {"message": None}, {"user": None}])
def test_a_broken_change_is_neither_a_change_nor_a_message(changes):
    assert window([edit(moment(1), "e", **changes)], HISTORY, NOW_S) == Window([], [])


def test_of_two_copies_of_a_change_the_first_is_listed():
    rows = [edit(moment(2), "e"), edit(moment(1), "e"), row()]
    assert [one.shown["sent_at"] for one in window(rows, HISTORY, NOW_S).changes] == [moment(1)]


def test_changes_before_the_oldest_message_shown_are_left_out():
    rows = [row(moment(9), "2"), edit(moment(8), "new"), row(moment(7), "1"), edit(moment(6), "o")]
    changes = window(rows, 2, NOW_S).changes
    assert [one.shown["message"] for one in changes] == ["edit new"]


def test_changes_without_a_message_are_all_listed():
    assert len(window([edit(moment(2), "b"), edit(moment(1), "a")], HISTORY, NOW_S).changes) == 2


@pytest.mark.parametrize(("changes", "shown"), [(30, 20), (180, 20), (190, 10), (500, 0)])
def test_changes_do_not_eat_the_window(changes, shown):
    edits = [edit(moment(-n), f"e{n}") for n in range(changes)]
    read, pages = read_all(edits + spaced(100, 600)[10:])
    assert len(window(read, HISTORY, NOW_S).messages) == shown
    assert len(read) <= MAX_ROWS
    assert len(pages) <= 5


GAPS_MS = st.integers(0, 2_000) | st.just(0) | st.just(5_000)


@settings(deadline=None)
@given(
    gaps_ms=st.lists(st.tuples(GAPS_MS, st.booleans()), max_size=300),
    history=st.integers(1, 40),
)
def test_changes_among_the_rows_are_read_as_if_all_were_read(gaps_ms, history):
    offset_ms, rows = 0, []
    for number, (gap_ms, changes) in enumerate(gaps_ms):
        offset_ms -= gap_ms
        make = edit if changes else row
        rows.append(make(moment(offset_ms / 1000), f"{1000 - number:04}"))
    read, _ = read_all(rows, history)
    assert window(read, history, NOW_S) == window(rows[:MAX_ROWS], history, NOW_S)
    assert len(read) <= MAX_ROWS


@settings(deadline=None)
@given(
    gaps_ms=st.lists(st.integers(0, 2_000) | st.just(0) | st.just(5_000), max_size=300),
    history=st.integers(1, 40),
)
def test_reading_in_pages_shows_what_reading_all_would(gaps_ms, history):
    offset_ms, rows = 0, []
    for number, gap_ms in enumerate(gaps_ms):
        offset_ms -= gap_ms
        rows.append(row(moment(offset_ms / 1000), f"{1000 - number:04}"))
    read, pages = read_all(rows, history)
    assert window(read, history, NOW_S) == window(rows, history, NOW_S)
    assert len(read) <= MAX_ROWS
    assert len(pages) <= 2
