"""config.yml: what is read, what is refused and how, what `output --save` writes."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import publish_settings
import store_settings
from kappa.config.read import read_config as read_kappa_config
from kappa.errors import ConfigError
from lambda_chat import config as chatconfig
from lambda_chat.config import (
    BEGIN,
    END,
    SAVED,
    SAVED_FOR_PUSH,
    ChatConfig,
    build_folder,
    config_notes,
    outdated,
    parse_config,
    read_config,
    save_outputs,
)
from tests.support.builders import MINIMAL

ROOT = Path(__file__).resolve().parents[3]
CLIENT = "1234-abcd.apps.googleusercontent.com"
GOOD = f"s3_bucket: my-chat\ngoogle_oauth_client_id: {CLIENT}\n"
OUTPUTS = {key: f"value-of-{key}" for key in SAVED}
PUSH = {
    "push_endpoint": "a1b2c3-ats.iot.eu-west-1.amazonaws.com",
    "push_topics": "Lambda-Chat/channel/*",
}


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.yml"
    path.write_text(GOOD)
    return path


def refusal(text):
    with pytest.raises(ConfigError) as caught:
        parse_config(text, Path("config.yml"))
    return str(caught.value)


@pytest.mark.parametrize("name", ["s3alias-chat", "chat-xn--a", "my-s3alias-chat", "sthree"])
def test_a_bucket_may_have_a_reserved_word_where_it_is_not_reserved(name):
    assert parse_config(GOOD.replace("my-chat", name), Path("c")).s3_bucket == name


def test_two_values_are_enough_and_the_rest_has_defaults():
    assert parse_config(GOOD, Path("config.yml")) == ChatConfig(
        s3_bucket="my-chat",
        google_oauth_client_id=CLIENT,
        stack_name="Lambda-Chat",
        data_prefix="data/",
        history=20,
    )


def test_every_value_of_the_design_can_be_given():
    text = (
        GOOD
        + ("region: eu-west-1\nprofile: me\nstack_name: Two\ndata_prefix: chat/t/\nhistory: 50\n")
        + "".join(f"{key}: {value}\n" for key, value in OUTPUTS.items())
    )
    got = parse_config(text, Path("config.yml"))
    assert (got.region, got.profile, got.stack_name) == ("eu-west-1", "me", "Two")
    assert (got.data_prefix, got.history) == ("chat/t/", 50)
    assert {key: getattr(got, key) for key in SAVED} == OUTPUTS


def test_the_saved_keys_are_those_of_the_design():
    assert SAVED == (
        "sns_topic_arn",
        "website_iam_role_arn",
        "identity_iam_role_arn",
        "failures_topic_arn",
        "dynamodb_table",
        "dynamodb_table_arn",
        "dynamodb_stream_arn",
        "rate_table",
        "rate_table_arn",
    )
    assert tuple(PUSH) == SAVED_FOR_PUSH


@pytest.mark.parametrize(("value", "read"), [("true", True), ("false", False), ("TODO", False)])
def test_push_is_on_or_off(value, read):
    assert parse_config(f"{GOOD}push: {value}\n", Path("c")).push is read
    assert parse_config(GOOD, Path("c")).push is False


@pytest.mark.parametrize("endpoint", [PUSH["push_endpoint"], "a-ats.iot.us-east-1.localhost:4566"])
def test_the_values_for_push_are_read_as_they_are_saved(config, endpoint):
    values = OUTPUTS | PUSH | {"push_endpoint": endpoint}
    assert save_outputs(values, config) is True
    assert read_config(config).push_endpoint == endpoint
    assert read_config(config).push_topics == "Lambda-Chat/channel/*"


def test_saving_without_push_removes_its_values(config):
    save_outputs(OUTPUTS | PUSH, config)
    assert save_outputs(OUTPUTS, config) is True
    assert "push" not in config.read_text()


def test_the_example_asks_for_its_two_todo_values_by_name_and_line():
    example = (ROOT / "config.example.yml").read_text()
    said = refusal(example)
    for key in ("s3_bucket", "google_oauth_client_id"):
        line = example[: example.index(f"\n{key}:")].count("\n") + 2
        assert f"{key} (line {line})" in said
    assert "not filled in" in said


def test_the_example_filled_in_is_a_config():
    example = (ROOT / "config.example.yml").read_text()
    filled = example.replace("s3_bucket: TODO", "s3_bucket: my-chat")
    filled = filled.replace("client_id: TODO", f"client_id: {CLIENT}")
    assert parse_config(filled, Path("config.yml")).region == "us-east-1"


def test_the_commented_defaults_of_the_example_are_the_real_ones():
    example = (ROOT / "config.example.yml").read_text()
    for key in ("stack_name", "data_prefix", "history", "retention_days", "rate_limit"):
        default = getattr(parse_config(GOOD, Path("c")), key)
        assert f"# {key}: {default}\n" in example


@pytest.mark.parametrize(("value", "read"), [("0", "0"), ("'0'", "0"), ("5/60s", "5/60s")])
def test_a_rate_is_messages_in_seconds_or_none(value, read):
    assert parse_config(f"{GOOD}rate_limit: {value}\n", Path("c")).rate_limit == read


@pytest.mark.parametrize(
    "value", ["example.com", "example.com, ada@example.org", "a.example  b.example"]
)
def test_who_may_write_is_one_line(value):
    assert parse_config(f"{GOOD}allowed_domains: {value}\n", Path("c")).allowed_domains == value


def test_who_may_write_may_be_a_list():
    config = parse_config(f"{GOOD}allowed_domains: [a.org, ada@b.org]\n", Path("c"))
    assert config.allowed_domains == "a.org, ada@b.org"


@pytest.mark.parametrize("value", ["", "TODO", "' '", "null", "~"])
def test_an_empty_or_todo_value_counts_as_missing(value):
    assert "s3_bucket (line 2)" in refusal(f"google_oauth_client_id: {CLIENT}\ns3_bucket: {value}")
    assert parse_config(f"{GOOD}region: {value}\n", Path("c")).region == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("s3_bucket: My-Chat", "s3_bucket (line 1): 'My-Chat' is not 3 to 63 lower-case"),
        ("s3_bucket: my.chat", "without dots"),
        ("s3_bucket: ab", "3 to 63"),
        ("s3_bucket: xn--chat", "a name that AWS reserves"),
        ("s3_bucket: amzn-s3-demo-chat", "a name that AWS reserves"),
        ("s3_bucket: chat-s3alias", "a name that AWS reserves"),
        ("s3_bucket: chat--x-s3", "a name that AWS reserves"),
        (f"s3_bucket: {'a' * 64}", "3 to 63"),
        ("s3_bucket: 1234", "1234 is not text"),
        ("s3_bucket: [a]", "['a'] is not text"),
        ("google_oauth_client_id: 12-AB.apps.googleusercontent.com", "an OAuth client id"),
        ("google_oauth_client_id: 12-ab.apps.googleusercontent.com.evil", "an OAuth client id"),
        ("region: Frankfurt", "an AWS region, such as us-east-1"),
        ("stack_name: 9chat", "a letter, then at most 44"),
        (f"stack_name: {'a' * 46}", "a letter, then at most 44"),
        ("data_prefix: data", "end in a slash"),
        ("data_prefix: js/", "outside css/, js/ and vendor/"),
        ("data_prefix: js/data/", "outside css/, js/ and vendor/"),
        ("data_prefix: /", "end in a slash"),
        ("data_prefix: ../x/", "end in a slash"),
        ("history: 0", "whole number from 1 to 200"),
        ("history: 201", "whole number from 1 to 200"),
        ("history: '20'", "whole number from 1 to 200"),
        ("history: true", "whole number from 1 to 200"),
        ("history: 500", "whole number from 1 to 200"),
        ("history: 0x14", "'0x14' is not a whole number from 1 to 200"),
        ("retention_days: 30d", "'30d' is not a whole number from 0 to 99999"),
        ("retention_days: abc", "whole number from 0 to 99999"),
        ("retention_days: -3", "-3 is not a whole number from 0 to 99999"),
        ("retention_days: 100000", "whole number from 0 to 99999"),
        ("retention_days: 1.5", "whole number from 0 to 99999"),
        ("retention_days: yes", "whole number from 0 to 99999"),
        ("retention_days: ' '", "whole number from 0 to 99999"),
        ("retention_day: 3", "unknown; did you mean retention_days?"),
        ("retention_days: 1_0", "'1_0' is not a whole number from 0 to 99999"),
        ("rate_limit: 00", "such as 10/10s"),
        ("rate_limit: 10", "messages/seconds of one sender, such as 10/10s, or 0"),
        ("rate_limit: 10/10", "such as 10/10s"),
        ("rate_limit: 0/10s", "such as 10/10s"),
        ("rate_limit: -1", "such as 10/10s"),
        ("rate_limit: off", "False is not text"),
        ("allowed_domains: example", "addresses, such as example.com, ada@example.org"),
        ("allowed_domains: example.com; example.org", "e-mail domains and addresses"),
        ("allowed_domains: [example.com, 7]", "is not text"),
        ("allowed_domains: [example]", "e-mail domains and addresses"),
        ("sns_topic_arn: 5", "5 is not text"),
        ("push: 'true'", "'true' is not true or false"),
        ("push: 1", "1 is not true or false"),
        ("push: [true]", "[True] is not true or false"),
        ("pushs: true", "unknown; did you mean push?"),
        ("push_endpoint: https://a-ats.iot.eu-west-1.amazonaws.com", "the host of an AWS IoT Core"),
        ("push_endpoint: a.example/mqtt", "the host of an AWS IoT Core endpoint"),
        ("push_endpoint: a.example; script-src *", "the host of an AWS IoT Core endpoint"),
        ("push_endpoint: localhost", "the host of an AWS IoT Core endpoint"),
        ("push_topics: Lambda-Chat/#", "STACK/channel/*, the topics"),
        ("push_topics: '*'", "STACK/channel/*, the topics"),
        ('profile: "a\\nb"', "text on one line"),
        ("regoin: us-east-1", "regoin (line 1): unknown; did you mean region?"),
        ("profle: x", "did you mean profile?"),
    ],
)
def test_a_wrong_value_is_refused_with_file_line_and_key(line, said):
    key = line.split(":")[0]
    rest = "".join(kept + "\n" for kept in GOOD.splitlines() if not kept.startswith(key))
    message = refusal(f"{line}\n{rest}")
    assert message.startswith("config.yml: ")
    assert f"{key} (line 1)" in message
    assert said in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "not valid YAML"),
        ("- a\n- b\n", "must hold `key: value` lines"),
        ("just text", "must hold `key: value` lines"),
        (GOOD + "s3_bucket: other\n", "line 3: s3_bucket is given twice"),
        ("? [a, b]\n: c\n", "1: a key must be a plain word"),
        ("a: !!python/object:os.system {}\n", "not valid YAML"),
        ("", "s3_bucket, google_oauth_client_id: not filled in"),
    ],
)
def test_a_file_that_is_no_config_gets_one_clear_line(text, said):
    message = refusal(text)
    assert said in message
    assert len(message.splitlines()) <= 2


SENDER = {
    "TABLE_NAME": "messages",
    "RATE_TABLE": "rates",
    "IDENTITY_ROLE_ARN": "arn:aws:iam::111122223333:role/identity",
    "GOOGLE_CLIENT_ID": CLIENT,
}
PUBLISHER = {"TABLE_NAME": "messages", "BUCKET": "my-chat"}
TYPED = st.one_of(
    st.from_regex(r"\A[0-9]{0,4}[/s.,@a ]{0,2}[0-9]{0,4}[sd.m]{0,2}\Z"),
    st.integers(-3, 100_100).map(str),
    st.sampled_from(
        ["10/10s", "example.com", "TODO", "~", "0", "00", "30d", "-0", "1_0", "0x1", "a.b,"]
    ),
)


@settings(deadline=None)
@given(st.sampled_from(["retention_days", "rate_limit", "allowed_domains", "history"]), TYPED)
def test_no_value_that_is_accepted_takes_a_function_down(key, text):
    config_text = f"{GOOD}{key}: {text}\n"
    with contextlib.suppress(ConfigError):
        config = parse_config(config_text, Path("c"))
        sent = deployed(config_text, key)
        if key == "history":
            got = publish_settings.read_settings({**PUBLISHER, "HISTORY": sent or "20"})
            assert got.history == config.history
        else:
            got = store_settings.read_settings({**SENDER, key.upper(): sent})
            assert key != "retention_days" or got.retention_days == config.retention_days


def deployed(config_text, key):
    """Return what kappa makes of `${key:-}`, where `include` names a file with that text."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "chat.yml").write_text(config_text)
        where = Path(folder) / "config.yml"
        where.write_text(f"include: chat.yml\n{MINIMAL}  environment: {{VALUE: '${{{key}:-}}'}}\n")
        return read_kappa_config(where).function.environment["VALUE"]


def test_keys_for_kappa_alone_are_left_to_kappa():
    assert parse_config(GOOD + "my_own_queue: q\n", Path("c"))


def test_a_misspelled_key_beside_the_right_one_is_the_users_own():
    assert parse_config(GOOD + "region: us-east-1\nregions: [a]\n", Path("c"))


@settings(deadline=None)
@given(st.text())
def test_no_text_gives_anything_but_a_config_or_a_config_error(text):
    with contextlib.suppress(ConfigError):
        parse_config(text, Path("config.yml"))


def test_a_path_wins_over_the_environment_which_wins_over_the_checkout(config, monkeypatch):
    assert chatconfig.config_path() == ROOT / "config.yml"
    monkeypatch.setenv("LAMBDA_CHAT_CONFIG", str(config))
    assert read_config().s3_bucket == "my-chat"
    assert chatconfig.config_path(Path("other.yml")) == Path("other.yml")


def test_a_relative_config_is_found_from_every_folder_of_the_checkout(
    tmp_path, monkeypatch, config
):
    monkeypatch.setattr(chatconfig, "ROOT", tmp_path)
    monkeypatch.setenv("LAMBDA_CHAT_CONFIG", "config.yml")
    below = tmp_path / "lambda" / "sns"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert read_config().s3_bucket == "my-chat"
    (below / "config.yml").write_text(GOOD.replace("my-chat", "nearer"))
    assert read_config().s3_bucket == "nearer"
    monkeypatch.setenv("LAMBDA_CHAT_CONFIG", "none.yml")
    assert chatconfig.config_path() == Path("none.yml")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone")
def test_git_ignores_every_config_but_the_example():
    names = ["config.yml", "config.prod.yml", ".config.yml.x1y2", "config.example.yml"]
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == names[:-1]


def test_a_missing_file_says_to_copy_the_example(tmp_path):
    with pytest.raises(ConfigError, match="does not exist") as caught:
        read_config(tmp_path / "none.yml")
    assert "config.example.yml" in caught.value.hint


def test_a_folder_or_binary_file_is_refused_without_a_traceback(tmp_path):
    (tmp_path / "bad.yml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path, tmp_path / "bad.yml"):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_config(path)


def test_require_names_each_missing_value_and_the_command_that_saves_it(config):
    with pytest.raises(ConfigError, match="sns_topic_arn, dynamodb_table: missing") as caught:
        chatconfig.require(read_config(config), ("sns_topic_arn", "dynamodb_table"), config)
    assert "./resources.py output --save" in caught.value.hint


def test_saving_keeps_every_byte_of_the_users_file(tmp_path):
    text = f"# mine\ts\r\ns3_bucket: 'my-chat'   # why\r\n\r\ngoogle_oauth_client_id: {CLIENT}"
    path = tmp_path / "config.yml"
    path.write_bytes(text.encode())
    assert save_outputs(OUTPUTS, path) is True
    saved = path.read_bytes().decode()
    lines = [BEGIN, *(f"{key}: {value}" for key, value in OUTPUTS.items()), END]
    assert saved == text + "\r\n" + "\r\n".join(lines) + "\r\n"
    assert read_config(path).dynamodb_table == "value-of-dynamodb_table"


def test_saving_again_changes_nothing(config):
    save_outputs(OUTPUTS, config)
    before = config.stat()
    assert save_outputs(OUTPUTS, config) is False
    assert config.stat().st_ino == before.st_ino


def test_saving_other_values_replaces_the_block_where_it_stands(config):
    save_outputs(OUTPUTS, config)
    with config.open("a") as file:
        file.write("history: 9\n")
    other = {key: f"other-{key}" for key in SAVED}
    assert save_outputs(other, config) is True
    text = config.read_text()
    assert text.startswith(GOOD + BEGIN)
    assert text.endswith(END + "\nhistory: 9\n")
    assert text.count(BEGIN) == 1
    assert "value-of" not in text


def test_saving_refuses_a_key_outside_the_block(config):
    config.write_text(GOOD + "sns_topic_arn: TODO\n")
    with pytest.raises(ConfigError, match=r"sns_topic_arn \(line 3\): stands outside"):
        save_outputs(OUTPUTS, config)
    assert config.read_text() == GOOD + "sns_topic_arn: TODO\n"


@pytest.mark.parametrize("text", [f"{BEGIN}\n", f"{END}\n", f"{END}\n{BEGIN}\n", f"{BEGIN}\n" * 2])
def test_saving_refuses_broken_markers(config, text):
    config.write_text(GOOD + text)
    with pytest.raises(ConfigError, match="markers of the saved block are broken"):
        save_outputs(OUTPUTS, config)
    assert config.read_text() == GOOD + text


@pytest.mark.parametrize(
    "text",
    [
        f"{{s3_bucket: my-chat, google_oauth_client_id: {CLIENT}}}\n",
        f"{GOOD}profile: |\n  x\n...\n",
    ],
)
def test_saving_never_leaves_a_file_that_cannot_be_read(config, text):
    config.write_text(text)
    with pytest.raises(ConfigError):
        save_outputs(OUTPUTS, config)
    assert config.read_text() == text


def test_saving_keeps_the_mode_and_a_symbolic_link_and_leaves_no_other_file(tmp_path, config):
    config.chmod(0o640)
    link = tmp_path / "link.yml"
    link.symlink_to(config)
    save_outputs(OUTPUTS, link)
    assert link.is_symlink()
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yml", "link.yml"]


@pytest.mark.parametrize("at", ["os.rename", "os.chmod", "tempfile.mkstemp"])
def test_a_save_that_is_killed_leaves_the_old_file_whole_and_the_next_one_ends_it(config, at):
    config.write_text(f"# mine\n{GOOD}")
    config.chmod(0o640)
    before = config.read_bytes()
    code = f"""
import os, signal, sys
from pathlib import Path
from lambda_chat import config
sys.addaudithook(lambda event, _: event == {at!r} and os.kill(os.getpid(), signal.SIGKILL))
config.save_outputs({OUTPUTS!r}, Path({str(config)!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert config.read_bytes() == before
    assert save_outputs(OUTPUTS, config) is True
    assert config.read_text().startswith(f"# mine\n{GOOD}")
    assert stat.S_IMODE(config.stat().st_mode) == 0o640


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["# note", "", "history: 7", "mine: x"]), unique=True),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
)
def test_saving_any_plain_file_keeps_its_lines_and_adds_the_values(lines, last, newline):
    text = GOOD.replace("\n", newline) + newline.join(lines) + newline * last
    new = chatconfig.with_outputs(text, OUTPUTS, Path("c"))
    assert new.startswith(text)
    assert yaml.safe_load(new) == yaml.safe_load(text) | OUTPUTS
    assert chatconfig.with_outputs(new, OUTPUTS, Path("c")) == new


def test_each_config_is_built_in_a_folder_of_its_own(tmp_path, monkeypatch):
    folders = {
        build_folder(path)
        for path in (ROOT / "config.yml", tmp_path / "config.yml", tmp_path / "other.yml")
    }
    assert len(folders) == 3
    assert build_folder(ROOT / "config.yml") == ROOT / "build" / "site"
    monkeypatch.chdir(ROOT)
    assert build_folder(Path("config.yml")) == ROOT / "build" / "site"


def test_keys_of_2015_are_named_with_what_became_of_them(config):
    config.write_text(f"{GOOD}data_key: data.json\ntags:\n  Name: Our Chat\n")
    assert read_config(config).data_prefix == "data/"
    first, second = config_notes(config)
    assert f"{config}:3: data_key is no longer used" in first
    assert "`data_prefix`" in first
    assert f"{config}:4: tags is no longer used" in second


def test_a_config_of_today_has_no_notes(config):
    assert config_notes(config) == []


def test_saved_values_of_a_stack_that_is_gone_are_outdated():
    saved = ChatConfig(s3_bucket="b", google_oauth_client_id="c", **OUTPUTS)
    assert outdated(saved, OUTPUTS) == []
    assert outdated(saved, {**OUTPUTS, "rate_table": "new"}) == ["rate_table"]
    assert outdated(saved, {}) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("x: " + "[" * 5000 + "]" * 5000, "nested too deeply"),
        ("x: " + "[" * 300 + "]" * 300, "nested too deeply"),
        (
            "\n".join(
                ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 40))]
            ),
            "an alias repeats too much",
        ),
        ("a: &a [x]\nhistory: *a", "is not a whole number"),
        (f"history: '{'x' * 100_000}'", "is not a whole number"),
        ('x: "\\UFFFFFFFF"', "not valid YAML"),
    ],
)
def test_a_config_that_would_never_end_is_one_short_error(more, said):
    text = refusal(f"{GOOD}{more}\n")
    assert said in text
    assert len(text) < 600


def test_a_config_that_is_a_fifo_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "config.yml")
    with pytest.raises(ConfigError, match="Not a regular file"):
        read_config(tmp_path / "config.yml")
