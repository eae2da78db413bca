"""Runtimes that are deprecated or unknown are noted with their line."""

import botocore.session
import pytest

from kappa.config.read import read_config
from kappa.config.runtimes import DEPRECATED, NEWER, warning
from tests.support.builders import MINIMAL

MODEL = botocore.session.get_session().get_service_model("lambda")


def test_the_deprecated_runtimes_and_what_to_use_are_lambdas_own_words():
    known = set(MODEL.shape_for("Runtime").enum)
    assert known >= DEPRECATED
    assert known >= set(NEWER.values())
    assert not DEPRECATED & set(NEWER.values())
    assert all(map(warning, DEPRECATED))


@pytest.mark.parametrize(
    ("runtime", "newer"),
    [("python2.7", "python3.13"), ("nodejs", "nodejs22.x"), ("java8", "java21")],
)
def test_a_runtime_that_aws_has_deprecated_is_noted_with_its_line(write, runtime, newer):
    (note,) = read_config(write(MINIMAL.replace("python3.13", runtime))).notes
    assert f"config.yml:8: AWS has deprecated the runtime {runtime}" in note
    assert f"Use {newer}" in note
    assert read_config(write()).notes == ()


@pytest.mark.parametrize(
    ("runtime", "noted"),
    [
        ("python313", "Did you mean `python3.13`?"),
        ("cobol85", "Allowed: dotnet10, dotnet8, java11"),
    ],
)
def test_a_runtime_that_the_sdk_does_not_know_is_a_warning(write, runtime, noted):
    (note,) = read_config(write(MINIMAL.replace("python3.13", runtime))).notes
    assert f"config.yml:8: Lambda may not have the runtime {runtime}." in note
    assert noted.removeprefix("") in note
