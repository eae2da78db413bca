import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.builders import NOW_S, moment, row
from transcripts import (
    MAX_BYTES,
    MAX_ROWS,
    Changes,
    Page,
    Window,
    next_page,
    read_changes,
    transcript,
    window,
)

HISTORY = 20


def rows_at(*offsets_s):
    """Rows sent at these offsets, newest first as a Query answers."""
    numbered = [row(moment(offset), f"{n:04}") for n, offset in enumerate(sorted(offsets_s))]
    return numbered[::-1]


def spaced(count, gap_s):
    return rows_at(*(-gap_s * n for n in range(count)))


def ids(shown):
    return [entry.shown["client_id"] for entry in shown.messages]


NO_CHANGES = Changes((), moment(-86_400))


def written(rows, changes=NO_CHANGES, history=HISTORY, all_read=True):
    """What a transcript of these rows says."""
    content = transcript("default", window(rows, history, NOW_S), changes, all_read, NOW_S)
    assert len(content) <= MAX_BYTES
    return json.loads(content)


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
    assert len(window(read, HISTORY, NOW_S).messages) == len(read) == 200 < MAX_ROWS
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
    content = transcript("tea-room", window(rows, HISTORY, NOW_S), NO_CHANGES, True, NOW_S)
    assert json.loads(content) == {
        "channel": "tea-room",
        "generated_at": "2026-01-01T12:00:00.000Z",
        "changes_since": "2025-12-31T12:00:00.000Z",
        "complete": True,
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
    found = written([])
    assert (found["messages"], found["changes"], found["complete"]) == ([], [], True)


def test_an_edited_message_tells_when():
    (entry,) = window([row(edited_at=moment(5), message="new")], HISTORY, NOW_S).messages
    assert (entry.shown["message"], entry.shown["edited_at"]) == ("new", moment(5))


@pytest.mark.parametrize("message", [None, "a text that stayed", ""])
def test_a_deleted_message_keeps_its_place_and_no_text(message):
    gone = row(moment(1), "2", message=message, deleted_at=moment(5))
    (entry, _) = window([gone, row()], HISTORY, NOW_S).messages
    assert (entry.shown["message"], entry.shown["deleted_at"]) == ("", moment(5))
    assert entry.shown["name"] == "Ada Lovelace"


def test_a_changed_message_tells_by_what():
    changed = row(edited_at=moment(5), message="new", changed_by=f"~{moment(5)}#2")
    assert written([changed])["messages"][0]["changed_by"] == f"~{moment(5)}#2"


OLDER = f"{moment(-900)}#1"


def change(sent_at, client_id, target=OLDER, **changes):
    """A row that is a change of another row."""
    one = row(sent_at, client_id, **({"kind": "edit", "message": None, "target": target} | changes))
    return one | {"id": {"S": f"~{one['id']['S']}"}}


def old_change(sent_at, client_id, **changes):
    """The same as an earlier version wrote it: among the messages, with an edit's text."""
    default = {"kind": "edit", "target": f"{moment(0)}#1", "message": f"edit {client_id}"}
    return row(sent_at, client_id, **(default | changes))


def test_changes_of_older_messages_are_listed_without_a_text_oldest_first():
    rows = [change(moment(3), "d", kind="delete"), change(moment(1), "e", message="a text")]
    found = written([row(moment(0), "1")], read_changes(rows, True, "since", NOW_S))
    shown = {"target": OLDER}
    assert found["changes"] == [
        {"id": f"~{moment(1)}#e", **shown, "kind": "edit"},
        {"id": f"~{moment(3)}#d", **shown, "kind": "delete"},
    ]
    assert found["changes_since"] == "since"


def test_what_stands_in_the_transcript_shows_its_own_state_no_change_repeats_it():
    rows = [row(moment(2), "2"), row(moment(1), "1")]
    changes = [change(moment(9), "e", target=f"{moment(at)}#{at}") for at in (2, 1, -1)]
    found = written(rows, read_changes(changes, True, "", NOW_S))
    assert [one["target"] for one in found["changes"]] == [f"{moment(-1)}#-1"]


def test_the_newest_100_changes_are_listed_and_since_when_they_are_all():
    rows = [change(moment(-n), f"e{n}") for n in range(100)]
    changes = read_changes(rows, False, "long ago", NOW_S)
    found = written([], changes)
    assert len(found["changes"]) == 100
    assert found["changes_since"] == f"{moment(-99)}#e99"


@pytest.mark.parametrize(
    "broken",
    [{"target": None}, {"id": {}}, {"expires_at": {"N": "soon"}}, {"expires_at": {"N": "1"}}],
)
def test_a_broken_or_expired_change_is_none(broken):
    one = {key: value for key, value in (change(moment(1), "e") | broken).items() if value}
    assert read_changes([one], True, "", NOW_S).listed == ()


@pytest.mark.parametrize("rows", [205, 400, 2_000])
def test_deleted_lines_crowd_out_no_message(rows):
    spam = [row(moment(-n), f"s{n}", message=None, deleted_at=moment(5)) for n in range(rows)]
    honest = [row(moment(-9_000 - n * 60), f"h{n}") for n in range(30)]
    read, pages = read_all(spam + honest)
    texts = [one for one in window(read, HISTORY, NOW_S).messages if one.shown["message"]]
    assert len(texts) == (20 if rows < MAX_ROWS - 20 else 0)
    assert len(read) <= MAX_ROWS
    assert len(pages) <= 7


@pytest.mark.parametrize(
    ("changes", "shown"), [(30, 20), (190, 20), (470, 20), (490, 10), (900, 0)]
)
def test_changes_of_an_earlier_version_do_not_eat_the_window(changes, shown):
    edits = [old_change(moment(-n), f"e{n}") for n in range(changes)]
    read, pages = read_all(edits + spaced(100, 600)[10:])
    assert len(window(read, HISTORY, NOW_S).messages) == shown
    assert len(read) <= MAX_ROWS
    assert len(pages) <= 7


def test_changes_of_an_earlier_version_are_told_of_too_without_their_text():
    rows = [old_change(moment(9), "e", target=f"{moment(-9)}#0"), row(moment(7), "1")]
    shown = {"id": f"{moment(9)}#e", "target": f"{moment(-9)}#0", "kind": "edit"}
    assert written(rows)["changes"] == [shown]


@pytest.mark.parametrize("changes", [{"target": None}, {"user": None}])
def test_a_broken_change_of_an_earlier_version_is_nothing(changes):
    assert window([old_change(moment(1), "e", **changes)], HISTORY, NOW_S) == Window([], [], True)


@pytest.mark.parametrize(("size", "complete"), [(100, True), (2_000, False)])
def test_what_does_not_fit_256_kb_is_left_out_at_the_old_end(size, complete):
    rows = [row(moment(-n / 100), f"{999 - n}", message="\U0001f600" * size) for n in range(150)]
    changes = [change(moment(n), f"{n}" * 20) for n in range(99, -1, -1)]
    found = written(rows, read_changes(changes, True, "", NOW_S))
    assert [one["client_id"] for one in found["messages"]] == [
        f"{n}" for n in range(1_000 - len(found["messages"]), 1_000)
    ]
    assert found["complete"] is complete


@pytest.mark.parametrize(
    ("rows", "all_read", "complete"),
    [(20, True, True), (20, False, False), (21, True, False), (0, False, False)],
)
def test_a_transcript_tells_whether_anything_is_before_it(rows, all_read, complete):
    assert written(spaced(rows, 60), all_read=all_read)["complete"] is complete


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
        make = old_change if changes else row
        rows.append(make(moment(offset_ms / 1000), f"{1000 - number:04}"))
    read, _ = read_all(rows, history)
    of_all = window(rows[:MAX_ROWS], history, NOW_S)
    assert window(read, history, NOW_S).messages == of_all.messages
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
    assert window(read, history, NOW_S).messages == window(rows, history, NOW_S).messages
    assert len(read) <= MAX_ROWS
    assert len(pages) <= 2
