"""The function's numbers: what is asked, what is shown."""

from datetime import UTC, datetime

import pytest

from kappa.commands import cloudwatch as metrics
from kappa.plan.step import Step
from tests.support.builders import NOW_S, assert_valid

HOUR = metrics.window(NOW_S - 3600, NOW_S)
DAY_S = 86_400


def test_an_hour_has_thirty_bars_of_two_minutes():
    assert (HOUR.period_s, len(HOUR.starts)) == (120, 30)


@pytest.mark.parametrize(
    ("age_s", "period_s"),
    [
        (0, 60),
        (30, 60),
        (600, 60),
        (6 * 3600, 720),
        (14 * DAY_S, 40_320),
        (20 * DAY_S, 57_600),
        (90 * DAY_S, 259_200),
    ],
)
def test_a_time_is_cut_into_what_cloudwatch_keeps(age_s, period_s):
    over = metrics.window(NOW_S + 7 - age_s, NOW_S + 7)
    assert over.period_s == period_s
    assert over.start_s % period_s == over.end_s % period_s == 0
    assert over.start_s <= NOW_S + 7 - age_s
    assert over.end_s >= NOW_S + 7
    assert 1 <= len(over.starts) <= 32


def test_one_valid_query_asks_for_all():
    params = metrics.query("greeter", HOUR)
    assert_valid([Step("cloudwatch", "get_metric_data", params, "", "")])
    ids = [one["Id"] for one in params["MetricDataQueries"]]
    assert len(ids) == len(set(ids)) == 10
    assert [name for name in ids if name.endswith("whole")] == [
        "duration_p50_whole",
        "duration_p95_whole",
    ]


class FakeAws:
    """Answers with pages of results that were joined, as Aws.pages does."""

    def __init__(self, *results):
        self.results = results

    def pages(self, *_):
        return list(self.results)


def result(query_id, *numbers):
    times = [datetime.fromtimestamp(HOUR.start_s + at, UTC) for at, _ in numbers]
    return {"Id": query_id, "Timestamps": times, "Values": [number for _, number in numbers]}


def data_of(*results):
    numbers = metrics.read_metrics(FakeAws(*results), "greeter", HOUR)
    return metrics.metrics_data("greeter", HOUR, numbers)


def test_counts_are_added_up_over_all_pages():
    data = data_of(result("invocations", (0, 3), (120, 4)), result("invocations", (240, 5)))
    found = data["metrics"]["invocations"]
    assert found["value"] == 12
    assert found["points"][:4] == [3, 4, 5, None]
    assert len(found["points"]) == 30


def test_a_percentile_is_that_of_the_whole_time_not_of_a_bar():
    data = data_of(
        result("duration_p95", (0, 900), (120, 10)), result("duration_p95_whole", (0, 20))
    )
    assert data["metrics"]["duration_p95_ms"]["value"] == 20


def test_a_time_cut_in_two_has_the_worse_percentile():
    data = data_of(result("duration_p50_whole", (0, 20), (1800, 30)))
    assert data["metrics"]["duration_p50_ms"]["value"] == 30


def test_the_time_is_said_in_utc():
    data = data_of()
    assert (data["since"], data["until"]) == ("2026-01-01T11:00:00Z", "2026-01-01T12:00:00Z")


def test_rows_have_words_and_bars_and_a_dash_for_nothing():
    data = data_of(
        result("invocations", (0, 1234)),
        result("duration_max", (0, 2410)),
        result("errors", (0, 0)),
    )
    rows = {label: (number, bars) for label, number, bars in metrics.metrics_table(data, "utf-8")}
    assert rows["invocations"] == ("1,234", "█" + "·" * 29)
    assert rows["duration max"][0] == "2.41 s"
    assert rows["errors"][0] == "0"
    assert rows["throttles"] == ("-", "")
