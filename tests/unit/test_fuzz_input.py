"""Whatever a file or an argument holds: one clear message, no traceback, and AWS is not asked.

How many inputs were refused stands at the end of the run. They are the same at each run.
"""

import contextlib
import io
import json
import random
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import resources
from kappa.aws import Aws
from kappa.config.error_list import MAX_SHOWN
from kappa.config.read import read_config
from kappa.errors import KappaError
from lambda_chat.config import build_folder
from lambda_chat.site import publish
from tests.support.builders import run_kappa

ROOT = Path(__file__).resolve().parents[2]
REPEATABLE = settings(
    max_examples=150,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
CHAT = {
    "s3_bucket": "my-chat",
    "google_oauth_client_id": "1-a.apps.googleusercontent.com",
    "region": "us-east-1",
    "stack_name": "Lambda-Chat",
    "data_prefix": "data/",
    "history": 20,
}
SAVED = CHAT | {
    "sns_topic_arn": "arn:aws:sns:us-east-1:123456789012:Messages",
    "website_iam_role_arn": "arn:aws:iam::123456789012:role/Website",
    "dynamodb_table": "Messages",
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}],
}
STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026-01-01T00:00:00.000"
KAPPA = {
    "region": "us-east-1",
    "iam": {"role": {"name": "r"}, "policy": {"name": "p", "document": "policy.json"}},
    "lambda": {
        "name": "f",
        "path": "code",
        "handler": "f.handler",
        "runtime": "python3.13",
        "memory_size": 256,
        "timeout": 60,
        "environment": {"GREETING": "hello"},
        "tags": {"a": "b"},
        "layers": ["arn:aws:lambda:us-east-1:123456789012:layer:l:1"],
        "async": {"maximum_retry_attempts": 1, "maximum_event_age_s": 60},
        "permissions": [{"statement_id": "s", "principal": "sns.amazonaws.com"}],
        "event_sources": [
            {"arn": STREAM, "starting_position": "LATEST", "batch_size": 100},
            {"arn": "arn:aws:sns:us-east-1:123456789012:t"},
            {"schedule": "rate(1 hour)", "name": "hourly"},
        ],
        "publish": True,
        "alias": "live",
        "test_data": "input.json",
    },
}
ODD = [
    None, True, False, 0, -1, 2**70, 1.5, float("nan"), float("inf"), b"\xff",
    "", " ", "TODO", "\0", "\ud7ff", "\U0001f600", "a" * 5000, "a\nb", "-", "~", "*",
    "../../etc/passwd", "${x}", "${x:-", "${}", "$", "2026-01-01", "0x10", "1e3",
    [], {}, [[]], [None], [{}], {"": None}, {1: 2}, {None: None},
]  # fmt: skip
trees = st.recursive(
    st.sampled_from(ODD)
    | st.integers()
    | st.text(max_size=8)
    | st.dates()
    | st.datetimes()
    | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["lambda", "iam", "name", "path", *CHAT]) | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


class Reached(BaseException):
    """The command would ask AWS: its input was accepted."""


def paths(node, at=()):
    """Every place in a tree."""
    yield at
    pairs = enumerate(node) if isinstance(node, list) else ()
    for key, value in node.items() if isinstance(node, dict) else pairs:
        yield from paths(value, (*at, key))


def mutated(valid, seed, odd):
    """A valid tree with one thing replaced, removed or added."""
    dice = random.Random(seed)
    tree = json.loads(json.dumps(valid))
    place = dice.choice([path for path in paths(tree) if path])
    parent = tree
    for key in place[:-1]:
        parent = parent[key]
    kind = dice.randrange(4)
    if kind == 0:
        del parent[place[-1]]
    elif kind == 1 and isinstance(parent, dict):
        parent[dice.choice(["nmae", "x", "arn", "Name", "path "])] = odd
    else:
        parent[place[-1]] = odd
    return tree


def scratched(text, seed):
    """A text with a few characters lost, doubled or replaced."""
    dice = random.Random(seed)
    letters = list(text)
    for _ in range(dice.randint(1, 4)):
        letters[dice.randrange(len(letters))] = dice.choice(
            ["", "", ":", "\t", "- ", '"', "[", "&", "\n"]
        )
    return "".join(letters)


def dumped(tree):
    return yaml.dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass")


def files(valid):
    """Config files: odd trees, one odd thing in a valid tree, damaged text, any bytes."""
    text = yaml.safe_dump(valid)
    seeds = st.integers(0, 2**32)
    return (
        trees.map(dumped)
        | st.builds(mutated, st.just(valid), seeds, trees).map(dumped)
        | st.builds(mutated, st.just(valid), seeds, st.sampled_from(ODD)).map(dumped)
        | st.builds(scratched, st.just(text), seeds).map(str.encode)
        | st.binary(max_size=60)
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A function that is whole, in a place where asking AWS ends the command."""

    def reach(*_args, **_keywords):
        raise Reached

    for name in ("session", "region", "account", "partition"):
        monkeypatch.setattr(Aws, name, property(reach))
    for name in ("client", "call", "pages"):
        monkeypatch.setattr(Aws, name, reach)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "f.py").write_text("def handler(event, context): pass\n")
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))
    (tmp_path / "input.json").write_text("{}")
    (tmp_path / "config.yml").write_text(yaml.safe_dump(KAPPA))
    whole = Tally()
    for command in ("validate", "deploy", "invoke"):
        assert whole.kappa(tmp_path, command), whole.said
    return tmp_path


def readable(folder):
    try:
        read_config(folder / "config.yml")
    except KappaError:
        return False
    return True


class Tally:
    """What became of the inputs of one test."""

    def __init__(self):
        self.refused = self.accepted = 0
        self.said = ""

    def kappa(self, folder, *words):
        """Run kappa; check how it ends. Returns whether the input was accepted."""
        try:
            done = run_kappa([folder / "config.yml", *words], {"PATH": "/bin", "HOME": str(folder)})
        except Reached:
            self.accepted += 1
            return True
        return self.judge(done.returncode, done.stderr, "Error: ")

    def chat(self, main, path, *words):
        """Run resources.py or update.sh in the same way."""
        said = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said):
            patch.setenv("LAMBDA_CHAT_CONFIG", str(path))
            try:
                code = main(list(words))
            except Reached:
                self.accepted += 1
                return True
        return self.judge(code, said.getvalue(), str(path))

    def judge(self, code, stderr, begins):
        if code == 0:
            self.accepted += 1
            return True
        self.said = stderr
        assert code in (1, 2), stderr
        assert stderr.startswith(("Error: ", "Usage: ", begins)), stderr
        assert "Traceback" not in stderr
        assert "object at 0x" not in stderr
        # A mistake has a line and a hint, and those of one config are said together.
        assert len(stderr.strip().splitlines()) <= 2 * MAX_SHOWN + 1, stderr
        self.refused += 1
        return False

    def report(self, figure, what, at_least):
        tried = self.refused + self.accepted
        figure(f"bad input, {what}: {tried} tried, {self.refused} refused, 0 tracebacks")
        assert self.refused >= at_least


def test_kappa_refuses_a_bad_config_before_it_asks_aws(folder, figure):
    tally = Tally()

    @REPEATABLE
    @given(files(KAPPA))
    def check(content):
        (folder / "config.yml").write_bytes(content)
        valid = tally.kappa(folder, "validate")
        assert valid or not tally.kappa(folder, "deploy"), "deploys what validate refuses"
        # what is deleted needs a config that reads, but no code and no policy document
        assert readable(folder) or not tally.kappa(folder, "delete"), "deletes by a bad config"

    check()
    tally.report(figure, "configs of kappa (validate, deploy, delete)", at_least=200)


def test_kappa_refuses_a_bad_policy_before_it_asks_aws(folder, figure):
    tally = Tally()

    @REPEATABLE
    @given(
        st.builds(mutated, st.just(POLICY), st.integers(0, 2**32), trees)
        .map(lambda tree: json.dumps(tree, default=str))
        .map(lambda text: text.encode("utf-8", "surrogatepass"))
        | trees.map(lambda tree: json.dumps(tree, default=str, skipkeys=True).encode())
        | st.builds(scratched, st.just(json.dumps(POLICY)), st.integers(0, 2**32)).map(str.encode)
        | st.binary(max_size=40)
    )
    def check(content):
        (folder / "policy.json").write_bytes(content)
        tally.kappa(folder, "deploy")

    check()
    tally.report(figure, "policy documents", at_least=60)


def test_kappa_refuses_bad_data_before_it_asks_aws(folder, figure):
    tally = Tally()

    @REPEATABLE
    @given(
        st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40)
        | trees.map(lambda tree: json.dumps(tree, default=str, skipkeys=True))
        | st.sampled_from(["", "-", "{", "[1,", "NaN", "/", ".", "..", "/dev/null", "nowhere.json"])
    )
    def check(text):
        tally.kappa(folder, "invoke", f"--data={text}")

    check()
    tally.report(figure, "invoke --data", at_least=30)


COMMANDS = (("launch",), ("update",), ("output", "--save"), ("status",), ("delete", "--yes"))


def test_resources_refuses_a_bad_config_before_it_asks_aws_and_leaves_the_file(folder, figure):
    tally = Tally()

    @REPEATABLE
    @given(files(CHAT))
    def check(content):
        path = folder / "chat.yml"
        path.write_bytes(content)
        for words in COMMANDS:
            tally.chat(resources.main, path, *words)
        assert path.read_bytes() == content, "writes into a config file without an answer of AWS"

    check()
    tally.report(figure, "config.yml of resources.py", at_least=400)


def test_update_sh_refuses_a_bad_config_before_it_builds_or_asks_aws(folder, figure):
    tally = Tally()
    path = folder / "chat.yml"
    path.write_text(yaml.safe_dump(SAVED))
    assert tally.chat(publish.main, path), tally.said

    @REPEATABLE
    @given(files(SAVED))
    def check(content):
        path.write_bytes(content)
        tally.chat(publish.main, path)
        assert path.read_bytes() == content
        assert not build_folder(path).exists(), "builds a site by a bad config"

    check()
    tally.report(figure, "config.yml of update.sh", at_least=80)
