"""Runtimes that AWS has deprecated: each is known, and noted with its line."""

import botocore.session
import pytest

from kappa.config.deprecated_runtimes import DEPRECATED, NEWER, deprecated
from kappa.config.read import read_config
from tests.support.builders import MINIMAL

MODEL = botocore.session.get_session().get_service_model("lambda")


def test_the_deprecated_runtimes_and_what_to_use_are_lambdas_own_words():
    known = set(MODEL.shape_for("Runtime").enum)
    assert known >= DEPRECATED
    assert known >= set(NEWER.values())
    assert not DEPRECATED & set(NEWER.values())
    assert all(deprecated(one) for one in DEPRECATED)


@pytest.mark.parametrize(
    ("runtime", "newer"),
    [("python2.7", "python3.13"), ("nodejs", "nodejs22.x"), ("java8", "java21")],
)
def test_a_runtime_that_aws_has_deprecated_is_noted_with_its_line(write, runtime, newer):
    (note,) = read_config(write(MINIMAL.replace("python3.13", runtime))).notes
    assert f"config.yml:8: AWS has deprecated the runtime {runtime}" in note
    assert f"Use {newer}" in note
    assert read_config(write()).notes == ()
