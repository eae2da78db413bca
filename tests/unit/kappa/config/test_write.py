"""A config as it is written: it reads as the same config."""

from pathlib import Path

import pytest

from kappa.config.read import read_config
from kappa.config.show import shown_config
from kappa.config.write import as_yaml, plain

SAMPLES = sorted(Path(__file__).parents[3].glob("data/kappa/*/*.yml"))


def test_texts_that_look_like_numbers_stay_texts():
    assert as_yaml(plain({"a": "007", "b": "on", "c": ("x", 1)})) == (
        "a: '007'\nb: 'on'\nc:\n- x\n- 1\n"
    )


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.parent.name)
def test_what_validate_prints_reads_as_the_same_config(tmp_path, file):
    config = read_config(file)
    (tmp_path / "again.yml").write_text(as_yaml(shown_config(config, show_values=True)))
    again = read_config(tmp_path / "again.yml")
    for part in ("function", "role", "policy", "profile", "region"):
        assert plain(getattr(again, part)) == plain(getattr(config, part))
