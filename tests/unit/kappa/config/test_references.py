"""Values from where they are: which are read, what they may be, and what is wrong with them."""

import json
import subprocess
import sys

import pytest

from kappa.config.mask import secret_texts
from kappa.config.policy_document import read_policy_document
from kappa.config.read import read_config
from kappa.config.references import NoValue, Value
from kappa.config.uses import EVERYTHING, NAMES
from kappa.errors import AwsError, ConfigError, Denied, Unavailable
from tests.support.builders import MINIMAL
from tests.support.kappa.configs import source

TOPIC = "arn:aws:sns:us-east-1:123456789012:news"


class Aws:
    """Answers for references from a table, and keeps what was asked."""

    def __init__(self, **answers):
        self.answers, self.asked = {}, []
        for kind, texts in answers.items():
            for name, text in texts.items():
                answer = Value(text, kind == "secret") if isinstance(text, str) else text
                self.answers[f"{kind}:{name}"] = answer

    def __call__(self, names, region, profile):
        self.asked.append((sorted(names), region, profile))
        absent = NoValue("there is none.", "Create it.")
        return {name: self.answers.get(name, absent) for name in names}


def variables(config):
    return {name.removeprefix("V_"): text for name, text in config.function.environment.items()}


def environment(**texts):
    return "  environment:\n" + "".join(f"    V_{name}: '{text}'\n" for name, text in texts.items())


def read(file, aws=None, uses=EVERYTHING):
    return read_config(file, uses=uses, read=aws or Aws())


def error_of(file, aws=None):
    with pytest.raises(ConfigError) as caught:
        read(file, aws)
    return str(caught.value).replace(f"{file}:", "")


def test_each_kind_is_filled_in(write, tmp_path, monkeypatch):
    monkeypatch.setenv("STAGE", "prod")
    (tmp_path / "motto.txt").write_text("tea first\n")
    texts = {
        "ENV": "${env:STAGE}",
        "SSM": "${ssm:/chat/db}",
        "SECRET": "pg://${secret:db#user}:${secret:db#password}@h",
        "CF": "${cf:Chat.TopicArn}",
        "FILE": "${file:motto.txt}",
    }
    aws = Aws(
        ssm={"/chat/db": "d"},
        secret={"db#user": "ada", "db#password": "pw"},
        cf={"Chat.TopicArn": TOPIC},
    )
    config = read(
        write(more="region: eu-west-1\nprofile: me\n", text=MINIMAL + environment(**texts)), aws
    )
    assert variables(config) == {
        "ENV": "prod",
        "SSM": "d",
        "SECRET": "pg://ada:pw@h",
        "CF": TOPIC,
        "FILE": "tea first",
    }
    names = ["cf:Chat.TopicArn", "secret:db#password", "secret:db#user", "ssm:/chat/db"]
    assert aws.asked == [(names, "eu-west-1", "me")]
    assert config.secrets == {"secret:db#user", "secret:db#password"}


def test_a_config_without_references_asks_nothing(write):
    aws = Aws()
    read(write(more=environment(A="$5", B="${aws:username}", C="${TOKEN:-x}")), aws)
    assert aws.asked == []


def test_only_what_a_command_uses_is_read(write):
    text = environment(A="${ssm:/a}") + "  logging: {group: '${ssm:/group}'}\n"
    aws = Aws(ssm={"/group": "/logs"})
    config = read(write(more=text), aws, NAMES)
    assert [names for names, *_ in aws.asked] == [["ssm:/group"]]
    assert config.function.log_group == "/logs"
    assert variables(config) == {"A": "${ssm:/a}"}


def test_a_value_is_never_looked_at_again(write, monkeypatch):
    monkeypatch.setenv("ODD", "${env:HOME} {a: 1} *x")
    file = write(more=environment(A="${env:ODD}", B="${secret:odd}"))
    text = "${ssm:/x} ${dollar_sign:-$}{a} # no"
    config = read(file, Aws(secret={"odd": text}))
    assert variables(config) == {"A": "${env:HOME} {a: 1} *x", "B": text}
    assert config.unread_texts == {}


def test_a_value_in_json_stays_one_text_of_it(write):
    value = 'a"b\\c\n"}, "admin": {"x": "1'
    more = environment(A='{"password": "${secret:db}"}')
    config = read(write(more=more), Aws(secret={"db": value}))
    assert json.loads(variables(config)["A"]) == {"password": value}


def test_text_becomes_what_its_key_takes(write):
    more = "  timeout: ${ssm:/t}\n" + source("arn: ${cf:S.T}", "enabled: ${env:ON:-false}")
    function = read(write(more=more), Aws(ssm={"/t": "7"}, cf={"S.T": TOPIC})).function
    (topic,) = function.event_sources
    assert (function.timeout, topic.arn, topic.enabled) == (7, TOPIC, False)


def test_what_is_wrong_with_a_value_names_the_reference_and_not_the_value(write):
    said = error_of(write(more="  timeout: ${secret:db}\n"), Aws(secret={"db": "hunter2-s3cret"}))
    assert "9: lambda.timeout is '${secret:db}'." in said


def test_a_secret_in_a_description_is_refused(write):
    aws = Aws(secret={"db": "hunter2-s3cret"})
    said = error_of(write(more="  description: of ${secret:db}\n"), aws)
    assert "9: lambda.description has the secret ${secret:db}, and AWS shows descriptions." in said
    plain = read(write(more="  description: of ${ssm:/a}\n"), Aws(ssm={"/a": "tea"}))
    assert plain.function.description == "of tea"


def test_what_does_not_exist_is_an_error_at_its_line(write):
    said = error_of(write(more=environment(A="${ssm:/a}", B="x", C="${cf:S.O}")))
    assert "10: ${ssm:/a} has no value: there is none." in said
    assert "12: ${cf:S.O} has no value: there is none." in said
    assert "Create it. Or give a default: ${ssm:/a:-...}." in said


@pytest.mark.parametrize("value", [None, "", "x"])
def test_a_default_takes_the_place_of_what_is_missing_or_empty(write, monkeypatch, value):
    monkeypatch.delenv("STAGE", raising=False)
    if value is not None:
        monkeypatch.setenv("STAGE", value)
    texts = {
        "A": "${env:STAGE:-dev}",
        "B": "${env:STAGE:-}",
        "C": "${ssm:/a:-d:-e}",
        "D": "${file:no:-f}",
    }
    config = read(write(more=environment(**texts)))
    assert variables(config) == {"A": value or "dev", "B": value or "", "C": "d:-e", "D": "f"}


def test_an_empty_value_without_a_default_is_an_error(write, monkeypatch):
    monkeypatch.setenv("STAGE", "")
    assert "10: ${env:STAGE} is empty." in error_of(write(more=environment(A="${env:STAGE}")))
    monkeypatch.delenv("STAGE")
    said = error_of(write(more=environment(A="${env:STAGE}")))
    assert "the environment variable STAGE is not set.\n  Set it. Or give a default" in said


def test_a_refusal_is_never_a_default_and_keeps_its_kind(write):
    denied = Denied("AWS refused", "Ask for ssm:GetParameter.", "AccessDeniedException")
    file = write(more=environment(A="${ssm:/a:-x}", B="${ssm:/b}"))
    with pytest.raises(Denied) as caught:
        read(file, Aws(ssm={"/a": denied, "/b": denied}))
    assert caught.value.message.splitlines() == [
        f"{file}:10: ${{ssm:/a}} has no value: AWS refused",
        f"{file}:11: ${{ssm:/b}} has no value: AWS refused",
    ]
    assert (caught.value.hint, caught.value.exit_code) == ("Ask for ssm:GetParameter.", 1)


def test_without_a_network_it_is_said_once(write):
    lost = Unavailable("no network")
    with pytest.raises(AwsError) as caught:
        read(
            write(more=environment(A="${ssm:/a}", B="${ssm:/b}")),
            Aws(ssm={"/a": lost, "/b": lost}),
        )
    assert caught.value.message.count("no network") == 1


@pytest.mark.parametrize(
    "text",
    [
        "${env:a b}",
        "${ssm:/a b}",
        "${secret:db#}",
        "${secret:a#b#c}",
        "${cf:Output}",
        "${cf:A.B.C-}",
    ],
)
def test_what_is_no_reference_is_an_error_that_tells_how_to_keep_the_text(write, text):
    said = error_of(write(more=environment(A=text)))
    assert f"10: {text} is not a reference" in said
    assert f"write ${{dollar_sign:-$}}{text[1:]}." in said
    kept = environment(A=f"${{dollar_sign:-$}}{text[1:]}")
    assert variables(read(write(more=kept))) == {"A": text}


def test_a_mistyped_kind_stays_text_and_is_noted(write):
    config = read(
        write(more=environment(A="${cfn:S.O}", B="${secrets:x}", C="${java:x}", D="${sms:/x}"))
    )
    assert variables(config)["A"] == "${cfn:S.O}"
    assert [note.partition(": ")[2] for note in config.notes] == [
        "${cfn:...} is taken as plain text. Did you mean ${cf:...}?",
        "${secrets:...} is taken as plain text. Did you mean ${secret:...}?",
        "${sms:...} is taken as plain text. Did you mean ${ssm:...}?",
    ]


@pytest.mark.parametrize("text", ["${env:HOME", "${env:}", "${env:HO{ME}", "${env:A:-x"])
def test_a_reference_without_an_end_stays_text_and_is_noted(write, text):
    config = read(write(more=environment(A=f"a {text}", B="${file:config.yml}", C="${env:C:-c}")))
    assert variables(config)["A"] == f"a {text}"
    assert [note.partition(": ")[2] for note in config.notes] == [
        "${env: is taken as plain text: what follows is empty, or ends without }."
    ]


@pytest.mark.parametrize("key", ["region", "profile", "name"])
def test_what_decides_where_to_ask_cannot_come_from_there(write, key):
    text = MINIMAL.replace("name: greeter\n", "name: ${ssm:/x}\n")
    file = write(text if key == "name" else f"{key}: ${{ssm:/x}}\n{MINIMAL}")
    assert f"{key} cannot come from AWS: it decides where or what to ask." in error_of(file)


def test_what_decides_where_to_ask_may_come_from_the_environment(write, monkeypatch):
    monkeypatch.setenv("WHERE", "eu-west-3")
    aws = Aws(ssm={"/a": "x"})
    config = read(write(f"region: ${{env:WHERE}}\n{MINIMAL}", environment(A="${ssm:/a}")), aws)
    assert (config.region, aws.asked[0][1]) == ("eu-west-3", "eu-west-3")


@pytest.mark.parametrize(("name", "words"), [("code", "Is a directory"), ("bytes", "not a text")])
def test_a_file_that_is_no_text_is_an_error(write, tmp_path, name, words):
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert words in error_of(write(more=environment(A=f"${{file:{name}:-x}}")))


DOCUMENT = {
    "Statement": [
        {
            "Resource": "${cf:Chat.TableArn}",
            "Sid": "arn:${partition}:x:${account_id}",
            "Condition": {"StringEquals": {"a": ["${ssm:resourceTag/team}", "${aws:username}"]}},
        }
    ]
}


def document_config(write, tmp_path, inline):
    document = "{document}" if inline else "policy.json"
    (tmp_path / "policy.json").write_text(json.dumps(DOCUMENT))
    text = MINIMAL.replace("iam:\n", f"iam:\n  policy: {{name: p, document: {document}}}\n")
    return write(text.replace("{document}", json.dumps(DOCUMENT)))


@pytest.mark.parametrize("inline", [True, False])
def test_a_policy_document_takes_them_too_and_leaves_variables_of_iam(write, tmp_path, inline):
    aws = Aws(cf={"Chat.TableArn": "${account_id}"})
    config = read(document_config(write, tmp_path, inline), aws)
    (statement,) = read_policy_document(config, lambda names: aws(names, "", ""))["Statement"]
    assert statement["Resource"] == "${dollar_sign:-$}{account_id}"
    assert statement["Sid"] == "arn:${partition}:x:${account_id}"
    assert statement["Condition"] == DOCUMENT["Statement"][0]["Condition"]
    assert [names for names, *_ in aws.asked] == [["cf:Chat.TableArn"]]


def test_a_document_without_a_value_is_an_error_at_its_line(write, tmp_path):
    config = read(document_config(write, tmp_path, inline=False))
    with pytest.raises(ConfigError, match=r"policy\.json:1: \$\{cf:Chat\.TableArn\} has no value"):
        read_policy_document(config, lambda names: Aws()(names, "", ""))


def test_variables_of_a_document_are_read_without_asking_aws(write, tmp_path, monkeypatch):
    config = read(document_config(write, tmp_path, inline=False))
    (tmp_path / "policy.json").write_text(json.dumps(DOCUMENT).replace("partition", "env:PART"))
    with pytest.raises(ConfigError, match=r"policy\.json:1: \$\{env:PART\} has no value"):
        read_policy_document(config)
    monkeypatch.setenv("PART", "aws")
    (statement,) = read_policy_document(config)["Statement"]
    assert statement["Sid"] == "arn:aws:x:${account_id}"
    assert statement["Resource"] == "${cf:Chat.TableArn}"


def test_a_config_without_references_loads_nothing_for_them(write, tmp_path):
    (tmp_path / "values.yml").write_text("team: tea\n")
    file = write(f"include: values.yml\n{MINIMAL}", "  description: ${team:-x} ${who:-}\n")
    code = (
        "import sys; from pathlib import Path; from kappa.config.read import read_config\n"
        f"read_config(Path({str(file)!r}))\n"
        "new = {'kappa.config.references', 'kappa.config.dotenv', 'concurrent.futures'}\n"
        "sys.exit(str(new & set(sys.modules)) if new & set(sys.modules) else 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_reference_may_have_names_in_it(write, tmp_path):
    text = f"include: values.yml\n{MINIMAL}" + environment(
        A="${ssm:/${team}/${environment}/db:-x}", B="pg:${secret:${team}-db#password}"
    )
    (tmp_path / "values.yml").write_text("team: tea\n")
    aws = Aws(ssm={"/tea/prod/db": "d"}, secret={"tea-db#password": "hunter2"})
    file = write(text, "environments: {prod: {}}\n")
    config = read_config(file, "prod", uses=EVERYTHING, read=aws)
    assert variables(config) == {"A": "d", "B": "pg:hunter2"}
    assert secret_texts(config)["pg:hunter2"] == "pg:${secret:${team}-db#password}"
    offline = read_config(file, "prod")
    assert variables(offline)["A"] == "${ssm:/${team}/${environment}/db:-x}"


def test_a_name_in_a_reference_without_a_value_is_an_error(write):
    said = error_of(write(more=environment(A="${ssm:/${stage}/db:-x}")))
    assert "10: ${stage} in ${ssm:/${stage}/db} has no value." in said


def test_the_layout_of_07_takes_them_too(write):
    file = write(
        "name: simple\n"
        "environments:\n"
        "  dev:\n"
        "    region: ${env:NO:-eu-west-1}\n"
        "    policy: {resources: [{arn: '${cf:S.Arn}', actions: ['*']}]}\n"
        "    environment_variables: {TOKEN: '${secret:t}'}\n"
        "lambda: {handler: simple.handler, runtime: python3.13}\n"
    )
    aws = Aws(cf={"S.Arn": TOPIC}, secret={"t": "hunter2"})
    config = read(file, aws, NAMES)
    assert aws.asked == [(["cf:S.Arn", "secret:t"], "eu-west-1", "")]
    assert variables(config) == {"TOKEN": "hunter2"}
    assert TOPIC in str(config.policy.document)
    offline = read_config(file)
    assert sorted(offline.unread_texts.values()) == [
        "${cf:S.Arn}",
        "${secret:t}",
    ]
