"""The config file: what reads, and what is said of what does not."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kappa.config.policy_document import read_policy_document
from kappa.config.read import read_config
from kappa.errors import ConfigError
from lambda_chat.config import SAVED
from tests.support.builders import MINIMAL
from tests.support.kappa.configs import error_of

DATA = Path(__file__).parents[3] / "data" / "kappa"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026-01-01T00:00:00.000"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"


@pytest.mark.parametrize("sample", ["sns", "kinesis", "s3", "chat-sns", "chat-dynamodb"])
def test_the_configs_of_kappa_0_3_read_unchanged(sample):
    config = read_config(DATA / sample / "config.yml")
    assert config.function.runtime == "nodejs"
    assert len(config.function.event_sources) == 1


def test_the_configs_of_this_repository_read(write, monkeypatch, tmp_path):
    outputs = tmp_path / "chat.yml"
    names = (*SAVED, "s3_bucket", "region", "google_oauth_client_id")
    values = {"dynamodb_stream_arn": TABLE, "region": "us-east-1"}
    outputs.write_text("".join(f"{name}: {values.get(name, TOPIC)}\n" for name in names))
    monkeypatch.setenv("LAMBDA_CHAT_CONFIG", str(outputs))
    root = Path(__file__).parents[4] / "lambda"
    for file in root.glob("*/config.yml"):
        config = read_config(file)
        assert read_policy_document(config)["Statement"]


def test_what_is_not_said_stays_unsaid(write):
    function = read_config(write()).function
    assert (function.memory_size, function.timeout, function.environment) == (None, None, None)


def test_a_config_without_iam_names_no_role(write):
    config = read_config(write("lambda:" + MINIMAL.split("lambda:")[1]))
    assert (config.role.name, config.role.arn, config.policy) == ("", "", None)


def test_paths_are_relative_to_the_config_file(write):
    config = read_config(write())
    assert config.beside(config.function.path) == config.file.parent / "code"


def test_an_account_keeps_its_leading_zero(write):
    more = (
        "  permissions:\n    - {statement_id: s3, principal: s3.amazonaws.com, "
        "source_account: 012345670123}\n"
    )
    assert read_config(write(more=more)).function.permissions[0].source_account == "012345670123"


def test_a_key_without_a_value_is_as_if_absent(write):
    assert read_config(write(more="  event_sources:\n")).function.event_sources == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: the file must hold `key: value` lines."),
        ("just words", "1: the file must hold"),
        ("- a\n- b\n", "1: the file must hold"),
        ("a: [1\nb: 2\n", "2: not valid YAML"),
        ("a: 'open\n", "not valid YAML"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
        ("\tlambda: 1\n", "1: not valid YAML"),
        ("lambda: !!python/object/apply:os.system [ls]\n", "1: "),
        ("lambda: !!binary aGk=\n", "1: a tag, which begins with !, is not allowed here."),
        ("lambda: &a {b: *a}\n", "an alias repeats too much"),
        ("? [a, b]\n: c\n", "1: a key must be a plain word."),
        ("lambda: {}\n", "is missing"),
        ("resources: r.json\nlambda: 3\niam: 4\n", "is '"),
        (
            "iam: {role: {}}\nlambda: {name: a, path: b, handler: c, runtime: d}\n",
            "1: iam.role needs",
        ),
    ],
)
def test_a_broken_file_is_one_clear_error(write, text, said):
    assert said in error_of(write(text))


def test_aliases_that_explode_are_refused(write):
    lines = ["a: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "an alias repeats too much" in error_of(write("\n".join(lines)))


def test_deep_nesting_is_refused(write):
    assert "nested too deeply" in error_of(write("a: " + "[" * 900 + "]" * 900))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "config.yml").write_bytes(b"lambda: \xff\xfe\x00")
    with pytest.raises(ConfigError, match="not valid YAML"):
        read_config(tmp_path / "config.yml")


def test_a_missing_file_is_one_clear_error(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        read_config(tmp_path / "nowhere.yml")


@settings(deadline=None)  # a busy machine is no failure
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["iam", "lambda", "role", "name", "event_sources", "arn", "path"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_yaml_reads_or_is_a_config_error(tmp_path_factory, data):
    file = tmp_path_factory.mktemp("any") / "config.yml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    message = ""
    try:
        read_config(file)
    except ConfigError as error:
        message = error.message
    assert message == "" or re.match(rf"{file}(:\d+)?: ", message)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("region: <your region here>", "is '<your region here>'.\n  Allowed: an AWS region"),
        ("region: us-east1", "is 'us-east1'.\n  Allowed: an AWS region, such as us-east-1."),
        ("region: nowhere-1", "is 'nowhere-1'.\n  Allowed: an AWS region"),
        ("region: us-esat-1", "is 'us-esat-1', which is not an AWS region.\n  Did you mean `us-e"),
        ("profile: <your profile here>", "is '<your profile here>'.\n  Allowed: the name of a pro"),
    ],
)
def test_a_placeholder_or_a_mistyped_region_is_named_with_its_line(write, line, said):
    key = line.split(":")[0]
    assert error_of(write(MINIMAL, f"{line}\n")).startswith(f"9: {key} {said}")


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "nz-north-1", "us-east-9"])
def test_a_region_that_may_well_exist_is_taken(write, region):
    assert read_config(write(MINIMAL, f"region: {region}\n")).region == region
