"""Numbers as a person reads them."""

import pytest

from kappa.commands.numbers import age, duration, size, sparkline


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "0 ms"),
        (3.24, "3.2 ms"),
        (9, "9 ms"),
        (153.4, "153 ms"),
        (2410, "2.41 s"),
        (60_000, "60.0 s"),
        (120_000, "2 min"),
        (200_000, "3 min 20 s"),
    ],
)
def test_times(ms, words):
    assert duration(ms) == words


@pytest.mark.parametrize(
    ("size_bytes", "words"), [(0, "0 B"), (999, "999 B"), (1234, "1.2 kB"), (3_400_000, "3.4 MB")]
)
def test_sizes(size_bytes, words):
    assert size(size_bytes) == words


def test_the_highest_bar_is_full_and_zero_is_the_lowest():
    assert sparkline([0, 1, 50, 100, None]) == "▁▂▅█·"


def test_a_line_of_zeros_or_of_nothing_is_flat():
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([None]) == "·"
    assert sparkline([]) == ""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "no-such-encoding"])
def test_an_output_without_bars_gets_ascii(encoding):
    assert sparkline([0, 50, 100, None], encoding) == "_+@ "


@pytest.mark.parametrize(
    ("ms", "words"),
    [(40_000, "40 s"), (720_000, "12 min"), (5 * 3_600_000, "5 h"), (3 * 86_400_000, "3 days")],
)
def test_an_age_is_rough(ms, words):
    assert age(ms) == words
