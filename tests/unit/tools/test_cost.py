"""tools/cost: the bill of a load, the cross-over, the limits, and the tables of docs/cost.md."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from functools import reduce
from operator import or_
from pathlib import Path

import pytest

import stats
from tools.cost import __main__ as cost
from tools.cost.limits import Limit, push_limits, s3_limits, users_at, websocket_limits
from tools.cost.model import (
    ALARMS,
    METRICS,
    PRICES,
    STREAM_READS_S,
    Load,
    bill,
    crossovers,
    even_messages_s,
    million_refused,
    push_even_messages_s,
    push_usage,
    reader_cost,
    s3_usage,
    websocket_usage,
)

ROOT = Path(__file__).resolve().parents[3]
COST, OPERATIONS = ROOT / "docs" / "cost.md", ROOT / "docs" / "operations.md"
TEMPLATE = ROOT / "tests" / "data" / "stack" / "template.json"
# One channel, a message each two seconds, each a batch of its own.
QUIET = Load(users=100, messages_s=0.5, channels=1, poll_s=1)
MONTH_S = 2_592_000
ARGUMENTS = ["--users=100", "--messages-per-second=2", "--channels=4", "--poll-s=1"]


def rates(**changes):
    return replace(QUIET, **changes)


def totals(load):
    return [bill(of(load), load.month_s).total for of in (s3_usage, websocket_usage)]


def polls_cost(load):
    return cost_without_what_is_free(s3_usage(load))


def push_cost(load):
    return cost_without_what_is_free(push_usage(load))


def cost_without_what_is_free(usage):
    return sum(units * PRICES[name].dollars for name, units in usage.items())


def limit_named(start, limits):
    (found,) = [limit for limit in limits if limit.name.startswith(start)]
    return found


def test_a_quiet_channel_uses_what_the_handlers_say():
    usage = s3_usage(QUIET)
    assert usage["SNS publishes"] == 0.5
    assert usage["Lambda requests"] == 1.0  # one to store, one to publish
    assert usage["Lambda GB-s"] == pytest.approx(0.5 * (0.12 + 0.1 + 0.1) * 0.25)
    assert usage["DynamoDB write units"] == 4.0  # eight a message
    assert usage["DynamoDB read units"] == 1.0  # 20 rows of 0.4 kB, consistent: two a batch
    assert usage["S3 PUTs"] == 1.0  # the transcript and the stats
    # polls, the list each minute, and 12 polls instead of 3 in the 3 s after each message
    assert usage["S3 GETs"] == pytest.approx(100 + 100 / 60 + 0.5 * 9)
    # each reader gets each of the transcripts, 20 * 420 B; a header of 400 B with every answer
    assert usage["Data out, GB"] == pytest.approx((106.1666667 * 400 + 50 * 8_400) / 1e9)


def test_a_month_of_a_quiet_channel_costs_what_a_calculation_by_hand_says():
    lines = bill(s3_usage(QUIET), QUIET.month_s).lines
    assert lines["SNS publishes"] == pytest.approx((1.296 - 1) * 0.50)
    assert lines["Lambda requests"] == pytest.approx((2.592 - 1) * 0.20)
    assert lines["Lambda GB-s"] == 0  # 103,680 of 400,000 that are free
    assert lines["DynamoDB write units"] == pytest.approx(10.368 * 0.625)
    assert lines["DynamoDB read units"] == pytest.approx(2.592 * 0.125)
    assert lines["S3 PUTs"] == pytest.approx(2_592 * 0.005)
    assert lines["S3 GETs"] == pytest.approx(275_184 * 0.0004)
    assert lines["Data out, GB"] == pytest.approx((1_198.7136 - 100) * 0.09)
    assert lines["Logs, GB"] == 0  # 2.6 of 5


def test_a_websocket_api_sends_each_message_to_each_reader():
    usage = websocket_usage(QUIET)
    assert usage["WebSocket messages"] == pytest.approx(0.5 + 0.5 * 100 + 100 / 540)
    assert usage["WebSocket minutes"] == pytest.approx(100 / 60)
    assert usage["DynamoDB write units"] == pytest.approx(4.0 + 2 * 100 / 3_600)
    assert usage["Data out, GB"] == pytest.approx(50 * 420 / 1e9)


def test_a_push_is_a_message_and_so_is_each_delivery():
    usage = push_usage(QUIET)
    # half a push a second to 100 pages, which connect and subscribe each hour
    assert usage["IoT messages"] == pytest.approx(0.5 + 0.5 * 100 + 2 * 100 / 3_600)
    assert usage["IoT minutes"] == pytest.approx(100 / 60)
    # each page reads the statistics each 5 s, its channel each 120 s, the list each half hour
    gets = 100 * (1 / 5 + 1 / 120 + 1 / 1_800)
    assert usage["S3 GETs"] == pytest.approx(gets)
    # both have changed each time
    sent_b = gets * 400 + 100 * (650 / 5 + 8_400 / 120) + 50 * (420 + 150)
    assert usage["Data out, GB"] == pytest.approx(sent_b / 1e9)
    assert usage["Lambda GB-s"] == pytest.approx(0.5 * (0.12 + 0.1 + 0.1 + 0.02) * 0.25)


@pytest.mark.parametrize("users", cost.PAGES)
def test_the_statistics_are_about_as_long_as_what_the_publisher_writes(users):
    load, hours = cost.table_load(users, 1), 12
    messages = round(load.messages_s * 3_600 * hours)
    channels = {f"channel-{number}": messages // load.channels for number in range(load.channels)}
    busiest = dict(list(channels.items())[: stats.MAX_CHANNELS])
    per_minute = [round(load.messages_s * 60)] * stats.MINUTES
    noon_ms = hours * 3_600_000
    seen = reduce(or_, (1 << stats.bit_of(str(user), "1970-01-01") for user in range(users)))
    written = stats.write_stats(stats.Stats(noon_ms, per_minute, messages, busiest, seen))
    assert load.stats_b == pytest.approx(len(written), rel=0.15)


def test_push_writes_what_polls_need_too():
    polled, pushed = s3_usage(QUIET), push_usage(QUIET)
    same = ["SNS publishes", "Lambda requests", "DynamoDB write units", "S3 PUTs", "Logs, GB"]
    assert [pushed[name] for name in same] == [polled[name] for name in same]


def test_a_page_gets_the_pushes_of_its_open_channel():
    usage = push_usage(rates(channels=4, messages_s=2))
    assert usage["IoT messages"] == pytest.approx(2 + 0.5 * 100 + 2 * 100 / 3_600)
    # each 15 seconds also one of the other channels, which has changed and is unread already
    gets = 100 * (1 / 5 + 1 / 120 + 1 / 15 + 1 / 1_800)
    assert usage["S3 GETs"] == pytest.approx(gets)
    read_b = 100 * (710 / 5 + 8_400 / 120 + 8_400 / 15)
    assert usage["Data out, GB"] == pytest.approx((gets * 400 + read_b + 50 * (420 + 150)) / 1e9)


def test_a_page_with_push_reads_often_while_it_is_used_and_others_as_they_change():
    quiet = [rates(channels=2, messages_s=0, poll_s=poll_s) for poll_s in (1, 3, 10, 15, 60)]
    assert [(load.live_stats_s, load.live_poll_s) for load in quiet] == [
        *((5, 120), (120, 300), (120, 300), (300, 300), (300, 300)),
    ]
    each_s = [load.live_gets_s / load.users for load in quiet]
    # without news, every eighth of the probes each 15, 120 and 300 seconds
    used, idle = 1 / 5 + 2 / 120 + 1 / 1_800, 1 / 120 + 1 / 300 + 1 / 960 + 1 / 1_800
    hidden = 2 / 300 + 1 / 2_400 + 1 / 1_800
    assert each_s == pytest.approx([used, idle, idle, hidden, hidden])
    assert rates(channels=1).live_probe_s == math.inf


def test_an_hour_of_a_page_that_nobody_writes_to_costs_a_fifth_with_push_while_it_is_used():
    load = rates(channels=2, messages_s=0)
    assert 0.19 < reader_cost(push_usage, load) / reader_cost(s3_usage, load) < 0.2


def test_push_adds_a_metric_and_an_alarm_on_it():
    usage = push_usage(QUIET)
    assert usage["Custom metrics"] * MONTH_S == pytest.approx(METRICS + 1)
    assert usage["Alarms"] * MONTH_S == pytest.approx(ALARMS + 1)


@pytest.mark.parametrize(
    "load", [Load(10, 1, 1, 1), Load(1_000, 1, 1, 3), Load(100, 1, 4, 1), Load(100, 1, 20, 10)]
)
def test_polls_pay_from_where_they_cost_the_same_as_push(load):
    messages_s, *_ = push_even_messages_s(load)
    fewer, more = (
        replace(load, messages_s=messages_s * load.channels * part) for part in (0.999, 1.001)
    )
    assert push_cost(fewer) < polls_cost(fewer)
    assert push_cost(more) > polls_cost(more)


def test_polls_by_one_reader_never_cost_less_than_push():
    # after each message the page polls nine times more; a push of it is two messages
    assert push_even_messages_s(Load(1, 1, 1, 1)) == []


def test_polls_pay_from_about_one_message_a_second_to_many_readers():
    # a reader: 0.436 * (1 + 1/60) + 0.756, or 1.051 m and what is read all the same
    read = (0.436 + 0.156) / 5 + (0.436 + 0.756) / 120 + 0.436 / 1_800 + 0.08 / 60 + 2 / 3_600
    by_hand = (0.436 * (1 + 1 / 60) + 0.756 - read) / (1 + 0.09 * 0.57)
    assert push_even_messages_s(Load(1_000_000, 1, 1, 1))[0] == pytest.approx(by_hand, rel=0.01)


@pytest.mark.parametrize(
    ("load", "cheaper"),
    [
        (Load(1, 0.01, 1, 60), "polls cost less"),
        (Load(1, 1, 1, 60), "push costs less"),
        (Load(5, 1, 1, 1), "push costs less"),
        (Load(5, 3, 1, 1), "polls cost less"),
        (Load(5, 6, 1, 1), "push costs less"),
        (Load(1, 1, 1, 1), "push costs less"),
    ],
)
def test_the_command_names_the_cheaper_of_polls_and_push_at_this_load(load, cheaper):
    assert f"at this load, {cheaper}" in cost.push_text(load)
    polls_are_cheaper = polls_cost(load) < push_cost(load)
    assert polls_are_cheaper == (cheaper == "polls cost less")


def test_nothing_is_billed_where_nobody_talks_and_nobody_listens():
    load = rates(users=0, messages_s=0)
    assert totals(load) == [0, 0]
    assert bill(push_usage(load), load.month_s).total == 0


def test_the_alarms_of_the_stack_are_counted():
    """CloudWatch bills an alarm by the metrics that it looks at."""
    resources = json.loads(TEMPLATE.read_text())["Resources"].values()
    alarms = [one for one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]
    looked_at = {True: 0, False: 0}
    for alarm in alarms:
        metrics = alarm["Properties"].get("Metrics", [{"MetricStat": {}}])
        with_push = alarm.get("Condition") == "PushAlarmWanted"
        looked_at[with_push] += sum("MetricStat" in metric for metric in metrics)
    assert looked_at == {False: ALARMS, True: 1}


def test_metrics_and_alarms_are_billed_beyond_ten_of_each():
    load = rates(hours_a_day=8)
    watched = {name: load.watched[name] * load.month_s for name in load.watched}
    assert watched == pytest.approx({"Custom metrics": METRICS / 3, "Alarms": ALARMS})
    thrice = {name: 3 * units_s for name, units_s in QUIET.watched.items()}
    lines = bill(thrice, QUIET.month_s).lines
    assert lines["Custom metrics"] == pytest.approx((3 * METRICS - 10) * 0.30)
    assert lines["Alarms"] == pytest.approx((3 * ALARMS - 10) * 0.10)


@pytest.mark.parametrize(
    ("by_transaction", "dollars"), [(True, 0.5 + 0.2 + 0.4 + 0.5 + 5.0), (False, 1.6)]
)
def test_a_refusal_costs_what_operations_md_says(by_transaction, dollars):
    assert million_refused(by_transaction) == pytest.approx(dollars, rel=1e-3)
    assert f"| ${dollars:.2f}" in OPERATIONS.read_text()


def test_fewer_hours_a_day_are_a_shorter_month():
    assert rates(hours_a_day=8).month_s == MONTH_S / 3


def test_a_channel_is_published_at_most_as_often_as_its_shard_is_read():
    busy = rates(messages_s=10)
    assert (busy.batches_s, busy.publishes_s) == (4, 4)


def test_eight_channels_of_one_shard_are_published_side_by_side():
    load = rates(channels=128, messages_s=1_000)  # 32 channels a shard: 0.1 s and 4 times 0.1 s
    assert load.round_s == pytest.approx(0.5)
    assert load.batches_s == pytest.approx(4 / 0.5)
    assert load.publishes_s == pytest.approx(128 / 0.5)


@pytest.mark.parametrize(("messages_s", "rows"), [(1, 20), (4, 20), (10, 50), (100, 200)])
def test_a_lively_transcript_holds_five_seconds_up_to_200_rows(messages_s, rows):
    assert rates(messages_s=messages_s).rows == rows


def test_a_page_alone_in_its_channel_probes_no_other():
    assert rates(channels=1).probe_s == math.inf
    assert [rates(channels=2, poll_s=p).probe_s for p in (1, 3, 15)] == [10, 30, 60]


def test_a_page_gets_no_more_transcripts_than_it_asks_for():
    assert rates(messages_s=4, poll_s=10).bodies_s == pytest.approx(100 / 10)


@pytest.mark.parametrize(
    "load",
    [
        Load(1, 10, 2, 1),
        Load(1, 8, 2, 0.5),
        Load(1, 2, 1, 3),
        Load(1, 30, 4, 10, hours_a_day=8),
        Load(1, 2, 1, 1, hours_a_day=1),
    ],
)
def test_at_the_cross_over_both_cost_the_same(load):
    found = crossovers(load)
    assert found
    for users in found:
        s3, websocket = totals(replace(load, users=users))
        assert s3 == pytest.approx(websocket, rel=1e-9)
        fewer, more = (totals(replace(load, users=users * part)) for part in (0.999, 1.001))
        assert (fewer[0] < fewer[1]) != (more[0] < more[1])


def test_the_cross_over_by_hand_without_what_is_free():
    # Dollars a million seconds, long past what is free, in one channel, polled each second.
    # 4 messages a second: each a batch, to store 1.10 + 5.00 and to publish 11.41, or 1.03.
    here = 4 * (0.5 + 0.2 + 0.40 + 5.00 + 0.5 + 0.2 + 0.6667 + 0.25 + 10 + 0.5 + 9 * 0.436)
    there = 4 * (1 + 0.2 + 0.40 + 5.00 + 0.5 + 0.2 + 0.3333 + 0.5)
    # A reader: a GET with a transcript each second and the list, or four frames.
    reader_here = 0.436 * (1 + 1 / 60) + 0.756
    reader_there = 4 * (1 + 0.0378 + 0.0066667 + 0.0015625) + 1 / 540 + 0.25 / 60 + 0.000829
    by_hand = (here - there) / (reader_there - reader_here)
    # what is free is worth some dollars a month; the messages are priced at hundreds
    (users,) = crossovers(Load(1, 4, 1, 1))
    assert users == pytest.approx(by_hand, rel=0.1)
    load = Load(1, 4, 1, 1)
    assert reader_cost(s3_usage, load) * 1e6 == pytest.approx(reader_here, rel=1e-4)
    assert reader_cost(websocket_usage, load) * 1e6 == pytest.approx(reader_there, rel=1e-3)


def test_a_reader_costs_the_same_at_the_even_rate():
    found = even_messages_s(Load(1, 1, 1, 1))
    # 0.436 * (1 + 1/60) + 0.756 = 1.046 m + 0.0068, beyond one message a second
    assert found[0] == pytest.approx(1.139, abs=0.002)
    for messages_s in found:
        load = Load(1, messages_s, 1, 1)
        assert reader_cost(s3_usage, load) == pytest.approx(reader_cost(websocket_usage, load))


def test_pages_reach_the_limit_of_a_prefix_by_all_that_they_ask_for():
    limit = limit_named("S3 GETs", s3_limits(QUIET))
    # of each user: a poll a second, the list each minute, 9 quick polls for 0.005 messages a second
    assert users_at(limit, QUIET) == math.ceil(5_500 / (1 + 1 / 60 + 0.045))


def test_one_channel_takes_500_messages_a_second():
    limit = limit_named("DynamoDB writes to one channel", s3_limits(QUIET))
    assert users_at(limit, rates(users=1, messages_s=1)) == 500


def test_the_quota_of_sns_is_the_regions():
    quotas = {
        region: limit_named("SNS", s3_limits(rates(region=region))).quota
        for region in ("us-east-1", "eu-west-1", "eu-central-1", "eu-north-1")
    }
    assert list(quotas.values()) == [30_000, 9_000, 1_500, 300]


def test_a_limit_is_reached_by_no_fewer_users_than_told():
    grow = {"users": 8, "messages_s": 1}
    for limit in [*s3_limits(QUIET), *push_limits(), *websocket_limits()]:
        at = users_at(limit, rates(**grow))
        if at is not None:
            before, then = (rates(users=n, messages_s=n / 8) for n in (at - 1, at))
            assert limit.rate(before) < limit.quota <= limit.rate(then) * (1 + 1e-9), limit.name


def test_what_users_cannot_reach_is_never_reached():
    assert users_at(Limit("none", 2, lambda load: 1, ""), QUIET) is None


def test_a_channel_is_published_too_rarely_to_fill_a_page_s_connection():
    """IoT Core delivers 100 messages a second to a connection; a page hears its channel's."""
    assert replace(QUIET, users=1, messages_s=math.inf).deliveries_s == STREAM_READS_S < 100


def test_the_command_prints_the_bills_the_cross_overs_and_the_limits(capsys):
    assert cost.main(ARGUMENTS) == 0
    out = capsys.readouterr().out
    assert "| S3 GETs |" in out
    assert (
        "at this load, push costs less; with these users, they cost the same at 1.2 and 12 messages"
        in out
    )
    assert "the two never cost the same" in out
    assert "| SNS publishes in us-east-1 |" in out


@pytest.mark.parametrize(
    ("place", "argument", "told"),
    [
        (0, "--users=many", "--users=many: use a number from 1"),
        (0, "--users=0", "--users=0"),
        (0, "--users=nan", "--users=nan"),
        (1, "--messages-per-second=-1", "--messages-per-second=-1"),
        (2, "--channels=1.5", "--channels=1.5: use a whole number"),
        (2, "--channels=0", "--channels=0"),
        (3, "--poll-s=0", "--poll-s=0: use a number from 0.25"),
        (3, "--poll-s=inf", "--poll-s=inf"),
    ],
)
def test_a_bad_number_ends_with_2_and_names_the_option(place, argument, told, capsys):
    arguments = [*ARGUMENTS]
    arguments[place] = argument
    assert cost.main(arguments) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert not captured.out


@pytest.mark.parametrize(
    "arguments", [[], ["--users=1"], [*ARGUMENTS, "--nonsense"], [*ARGUMENTS, "--region=mars"]]
)
def test_a_bad_command_line_ends_with_2(arguments, capsys):
    assert cost.main(arguments) == 2
    assert capsys.readouterr().err


def test_the_docs_hold_the_tables_that_the_script_prints():
    _, after = COST.read_text().split("<!-- python -m tools.cost --table -->\n")
    assert after.split("<!-- end -->")[0].strip() == cost.tables()


def test_the_docs_say_how_far_push_stays_above_a_websocket_api_and_why():
    load = cost.table_load(1_000, 1)
    push, websocket = (bill(of(load), load.month_s) for of in (push_usage, websocket_usage))
    out = load.live_out_b / 1e9 * PRICES["Data out, GB"].dollars * load.month_s
    puts = [
        each * PRICES["S3 PUTs"].dollars * load.month_s
        for each in (load.batches_s, load.publishes_s)
    ]
    unread, transcripts = puts[0] + push.lines["S3 GETs"] + out, puts[1]
    more = push.total - websocket.total
    assert 0.9 * more < unread + transcripts < more
    sentence = f"push stays ${more:,.0f} above it: ${unread:,.0f} show what is unread in other "
    sentence += f"channels, which that API does not, and ${transcripts:,.0f} write transcripts."
    assert sentence in " ".join(COST.read_text().split())


def test_a_reader_that_goes_away_is_no_traceback():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "tools.cost", "--table"],
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "")
