"""package, init and large uploads against the emulator; boto3 reads the results."""

import base64
import hashlib
import io
import json
import os
import subprocess
import uuid
import zipfile

import pytest
import uv
import yaml

from kappa.aws import Aws
from kappa.config.read import read_config
from kappa.errors import ArchiveError
from kappa.package import upload
from kappa.package.pack import read_archive
from kappa.package.zip import Limits
from kappa.plan.apply import apply
from tests.support.builders import assert_valid, run_kappa
from tests.support.kappa.projects import role_in
from tests.support.kappa.wheels import wheel

ACCOUNT = "463000000001"
LIMITS = Limits(direct_bytes=2000, unzipped_bytes=20_000)


@pytest.fixture
def kappa(tmp_path, emulator):
    """The kappa command in the test's own folder."""

    def run(*args, **env):
        whole = emulator.env(ACCOUNT) | {"XDG_CACHE_HOME": str(tmp_path / "cache")} | env
        return run_kappa(args, whole, folder=tmp_path)

    return run


@pytest.fixture
def done(kappa):
    """Run kappa; it must succeed."""

    def run(*args, **env):
        ended = kappa(*args, **env)
        assert ended.returncode == 0, ended.stderr
        return ended

    return run


@pytest.fixture
def name():
    return f"greeter-{uuid.uuid4().hex[:8]}"


def test_a_function_begun_by_init_is_deployed_and_answers(done, tmp_path, emulator, name):
    done("new/config.yml", "init", name)
    assert json.loads(done("new/config.yml", "validate", "--json").stdout)["lambda"]["name"] == name
    done("new/config.yml", "deploy")
    packed = json.loads(done("new/config.yml", "package", "--json").stdout)
    found = emulator.client("lambda", ACCOUNT).get_function_configuration(FunctionName=name)
    assert found["CodeSha256"] == packed["sha256"]
    assert json.loads(done("new/config.yml", "invoke").stdout) == {"greeting": "good day, Ada"}
    done("new/config.yml", "delete")


def test_init_overwrites_nothing(kappa, tmp_path):
    (tmp_path / "policy.json").write_text("mine")
    ended = kappa("config.yml", "init", "greeter")
    assert ended.returncode == 2
    assert "policy.json already exists" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["policy.json"]


def test_the_package_holds_what_is_required(done, tmp_path, name):
    done("new/config.yml", "init", name)
    (tmp_path / "new" / "code" / "requirements.txt").write_text("tea==1.0\n")
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    with zipfile.ZipFile(shelf / "tea-1.0-py3-none-any.whl", "w") as packed:
        packed.writestr("tea.py", "GREEN = 1\n")
        packed.writestr(
            "tea-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tea\nVersion: 1.0\n"
        )
        packed.writestr("tea-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        packed.writestr("tea-1.0.dist-info/RECORD", "tea.py,,\n")
    offline = {"UV_OFFLINE": "1", "UV_FIND_LINKS": str(shelf)}
    said = done("new/config.yml", "package", "--output", "out.zip", "--list", **offline).stdout
    with zipfile.ZipFile(tmp_path / "out.zip") as packed:
        assert "tea.py" in packed.namelist()
    digest = hashlib.sha256((tmp_path / "out.zip").read_bytes()).digest()
    assert base64.b64encode(digest).decode() in said
    assert "10 B  tea.py" in said


PROJECT = """
[project]
name = "greeter"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["milk"]
[dependency-groups]
dev = ["taster"]
[tool.uv]
no-index = true
find-links = ["shelf"]
[tool.uv.sources]
milk = { path = "milk" }
"""
BACKEND = """
import pathlib, zipfile
def build_wheel(where, *_, **__):
    info = "milk-1.0.dist-info/"
    texts = {
        "milk.py": pathlib.Path("milk.py").read_text(),
        info + "METADATA": "Metadata-Version: 2.1\\nName: milk\\nVersion: 1.0\\n",
        info + "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        info + "RECORD": "milk.py,,\\n",
    }
    with zipfile.ZipFile(pathlib.Path(where, "milk-1.0-py3-none-any.whl"), "w") as wheel:
        for name, text in texts.items():
            wheel.writestr(name, text)
    return "milk-1.0-py3-none-any.whl"
"""


def test_a_project_of_uv_is_deployed_with_its_locked_packages_and_answers(
    done, kappa, tmp_path, name
):
    done("config.yml", "init", name)
    wheel(tmp_path / "shelf", version="1.0", **{"tea/leaf.py": "KIND = 'green'"})
    folder = tmp_path / "milk"
    folder.mkdir()
    (folder / "milk.py").write_text("from tea.leaf import KIND\n")
    (folder / "backend.py").write_text(BACKEND)
    (folder / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        "[project]\nname = 'milk'\nversion = '1.0'\n"
        "dependencies = ['tea; platform_machine == \"aarch64\"']\n"
    )
    wheel(tmp_path / "shelf", "taster")
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    subprocess.run([uv.find_uv_bin(), "lock", "--quiet"], cwd=tmp_path, check=True)
    wheel(tmp_path / "shelf", version="2.0")
    (code,) = (tmp_path / "code").glob("*.py")
    code.write_text("from milk import KIND\n\ndef handler(event, context):\n    return KIND\n")
    config = (tmp_path / "config.yml").read_text() + "  requirements: uv.lock\n"
    (tmp_path / "config.yml").write_text(config)
    refused = kappa("config.yml", "deploy")
    assert refused.returncode == 1
    assert "milk" in refused.stderr
    assert "lambda.build_packages" in refused.stderr
    (tmp_path / "config.yml").write_text(f"{config}  build_packages: [milk]\n")
    done("config.yml", "deploy")
    assert json.loads(done("config.yml", "invoke").stdout) == "green"
    done("config.yml", "delete")


def test_packages_are_not_installed_for_another_machine_than_the_functions(
    done, kappa, tmp_path, name
):
    done("config.yml", "init", name)
    done("config.yml", "deploy")
    file = tmp_path / "config.yml"
    file.write_text(file.read_text().replace("  architectures: [arm64]\n", ""))
    assert "No changes" in done("config.yml", "deploy").stderr
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    with zipfile.ZipFile(shelf / "tea-1.0-py3-none-any.whl", "w") as packed:
        packed.writestr("tea.py", "")
        about = "Metadata-Version: 2.1\nName: tea\nVersion: 1.0\n"
        packed.writestr("tea-1.0.dist-info/METADATA", about)
        packed.writestr("tea-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        packed.writestr("tea-1.0.dist-info/RECORD", "tea.py,,\n")
    (tmp_path / "code" / "requirements.txt").write_text(f"{shelf}/tea-1.0-py3-none-any.whl\n")
    for command in ("deploy", "diff", "update_code"):
        ended = kappa("config.yml", command)
        assert ended.returncode == 2
        assert "lambda.architectures is missing" in ended.stderr
        assert "Add `architectures: [arm64]`" in ended.stderr
    done("config.yml", "delete")


def test_validate_prints_a_config_that_reads_as_the_same(done, kappa, tmp_path, name):
    done("new/config.yml", "init", name)
    written = done("new/config.yml", "validate").stdout
    (tmp_path / "new" / "again.yml").write_text(written)
    assert done("new/again.yml", "validate").stdout == written
    (tmp_path / "new" / "again.yml").write_text(written.replace("timeout: 5", "timeout: 6000"))
    ended = kappa("new/again.yml", "validate")
    assert (ended.returncode, ended.stdout) == (2, "")


@pytest.fixture
def large(done, tmp_path, emulator, name, monkeypatch):
    """A config whose zip is larger than the lowered limit, and a bucket for it."""
    done("config.yml", "init", name)
    (tmp_path / "code" / "noise").write_bytes(os.urandom(5000))
    emulator.client("s3", ACCOUNT).create_bucket(Bucket=f"{name}-builds")
    file = tmp_path / "config.yml"
    file.write_text(file.read_text() + f"  s3_bucket: {name}-builds\n  s3_prefix: zips\n")
    for key, value in emulator.env(ACCOUNT).items():
        monkeypatch.setenv(key, value)
    return read_config(file)


def test_a_large_zip_is_uploaded_over_what_is_there_and_a_function_is_made_of_it(
    large, emulator, name
):
    aws = Aws("us-east-1")
    archive = read_archive(large, LIMITS)
    plan = upload.plan(large, archive, LIMITS.direct_bytes)
    assert_valid(plan)
    (step,) = plan
    place = {"Bucket": step.params["Bucket"], "Key": step.params["Key"]}
    emulator.client("s3", ACCOUNT).put_object(**place, Body=b"of somebody else")
    reports = []
    apply(plan, aws.call, reports.append)
    assert [report.mark for report in reports] == ["created"]
    made = emulator.client("lambda", ACCOUNT).create_function(
        FunctionName=name,
        Role=role_in(emulator, ACCOUNT, f"{name}-role"),
        Runtime="python3.13",
        Handler="x.handler",
        Code=upload.code(large, archive, LIMITS.direct_bytes),
    )
    assert made["CodeSha256"] == archive.sha256


def test_a_source_too_large_unzipped_stops_before_any_upload(large, emulator, name):
    with pytest.raises(ArchiveError, match="unzipped"):
        read_archive(large, Limits(direct_bytes=2000, unzipped_bytes=4000))
    listed = emulator.client("s3", ACCOUNT).list_objects_v2(Bucket=f"{name}-builds")
    assert listed["KeyCount"] == 0


RICH = """\
  ephemeral_storage_mb: 1024
  tracing: Active
  tags: {{team: tea}}
  async: {{maximum_retry_attempts: 1}}
  permissions:
    - statement_id: anybody
      principal: "123456789012"
  event_sources:
    - arn: {topic}
      filter_policy: {{kind: [green]}}
    - arn: {stream}
      batch_size: 7
      starting_position: LATEST
      bisect_on_error: true
    - name: {name}-often
      schedule: rate(5 minutes)
  url: {{auth: AWS_IAM}}
"""


def test_an_imported_function_is_described_as_it_is(done, kappa, tmp_path, emulator, name):
    topic = emulator.client("sns", ACCOUNT).create_topic(Name=name)["TopicArn"]
    stream = emulator.client("dynamodb", ACCOUNT).create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]["LatestStreamArn"]
    done("old/config.yml", "init", name)
    file = tmp_path / "old" / "config.yml"
    more = RICH.format(topic=topic, stream=stream, name=name)
    policy = tmp_path / "old" / "policy.json"
    document = json.loads(policy.read_text())
    document["Statement"].append(
        {
            "Effect": "Allow",
            "Resource": "*",
            "Action": [
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:DescribeStream",
                "dynamodb:ListStreams",
            ],
        }
    )
    policy.write_text(json.dumps(document))
    file.write_text(file.read_text().split("# What differs elsewhere")[0] + more)
    done("old/config.yml", "deploy")

    done("new/config.yml", "init", "--from", name, "--region", "us-east-1")

    again = kappa("new/config.yml", "diff")
    assert again.returncode == 0, again.stdout
    written = yaml.safe_load((tmp_path / "new" / "config.yml").read_text())
    assert written["lambda"]["tags"] == {"team": "tea"}
    assert len(written["lambda"]["event_sources"]) == 3
    module = f"{name.replace('-', '_')}.py"
    assert (tmp_path / "new" / "code" / module).read_bytes() == (
        tmp_path / "old" / "code" / module
    ).read_bytes()
    done("new/config.yml", "delete")


CONDITIONS = (
    {"Principal": "*", "PrincipalOrgID": "o-1234567890"},
    {"Principal": "*"},
    {"Principal": "alexa-appkit.amazon.com", "EventSourceToken": "amzn1.ask.skill.x"},
    {"Principal": "210987654321", "InvokedViaFunctionUrl": True},
    {
        "Principal": "210987654321",
        "Action": "lambda:InvokeFunctionUrl",
        "FunctionUrlAuthType": "AWS_IAM",
    },
    {"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::b*", "SourceAccount": ACCOUNT},
)


def test_an_imported_function_keeps_each_condition_and_is_made_anew_with_them(
    kappa, emulator, name, done
):
    done("old/config.yml", "init", name)
    done("old/config.yml", "deploy")
    client = emulator.client("lambda", ACCOUNT)
    for number, condition in enumerate(CONDITIONS):
        statement = {"Action": "lambda:InvokeFunction", **condition}
        client.add_permission(FunctionName=name, StatementId=f"a{number}", **statement)

    def statements():
        return json.loads(client.get_policy(FunctionName=name)["Policy"])["Statement"]

    before = statements()
    assert len(before) == len(CONDITIONS)
    done("new/config.yml", "init", "--from", name, "--region", "us-east-1")
    again = kappa("new/config.yml", "diff")
    assert (again.returncode, again.stdout) == (0, "")
    done("new/config.yml", "delete")
    done("new/config.yml", "deploy")
    assert statements() == before
    done("new/config.yml", "delete")


def test_what_kappa_would_refuse_to_deploy_again_is_said(kappa, emulator, name, done):
    done("old/config.yml", "init", name)
    done("old/config.yml", "deploy")
    emulator.client("lambda", ACCOUNT).update_function_configuration(
        FunctionName=name, Handler="elsewhere.handler"
    )
    ended = kappa("new/config.yml", "init", "--from", name, "--region", "us-east-1")
    assert ended.returncode == 0
    assert "`validate` and `deploy` do not accept it yet: " in ended.stderr
    assert "elsewhere" in ended.stderr
    done("old/config.yml", "delete")


def test_an_imported_function_that_does_not_exist_is_named_and_nothing_written(kappa, tmp_path):
    ended = kappa("new/config.yml", "init", "--from", "nobody", "--region", "us-east-1")
    assert ended.returncode == 1
    assert "nobody" in ended.stderr
    assert not (tmp_path / "new").exists()


def test_a_zip_that_leads_outside_is_refused(kappa, tmp_path, emulator, name, done):
    done("old/config.yml", "init", name)
    done("old/config.yml", "deploy")
    evil = io.BytesIO()
    with zipfile.ZipFile(evil, "w") as packed:
        packed.writestr("../../evil.py", "x")
    emulator.client("lambda", ACCOUNT).update_function_code(
        FunctionName=name, ZipFile=evil.getvalue()
    )
    ended = kappa("new/config.yml", "init", "--from", name, "--region", "us-east-1")
    assert ended.returncode == 2
    assert "leads outside" in ended.stderr
    assert not list(tmp_path.rglob("evil.py"))
    assert not (tmp_path / "new" / "config.yml").exists()
    done("old/config.yml", "delete")


LATER = """\
name: {name}
environments:
  dev:
    region: us-east-1
    environment_variables:
      GREETING: hello
    policy:
      resources:
        - arn: arn:aws:logs:*:*:*
          actions: [CreateLogStream, PutLogEvents]
lambda:
  description: A very simple Kappa example
  handler: simple.handler
  runtime: python3.13
  memory_size: 128
  timeout: 3
  log_retention_policy: 7
"""
SIMPLE = """\
import json, os

def handler(event, context):
    with open("config.json") as file:
        return {"greeting": os.environ["GREETING"], **json.load(file)}
"""


def test_a_project_of_kappa_0_7_is_deployed_as_0_7_named_it(done, tmp_path, emulator, name):
    (tmp_path / "_src").mkdir()
    (tmp_path / "_src" / "simple.py").write_text(SIMPLE)
    (tmp_path / "_src" / "dev_config.json").write_text('{"stage": "dev"}')
    (tmp_path / "event.json").write_text("{}")
    (tmp_path / "kappa.yml").write_text(LATER.format(name=name))
    done("kappa.yml", "deploy", "--env", "dev")
    found = emulator.client("lambda", ACCOUNT).get_function(FunctionName=name)["Configuration"]
    assert found["Role"] == f"arn:aws:iam::{ACCOUNT}:role/kappa/{name}_dev"
    alias = emulator.client("lambda", ACCOUNT).get_alias(FunctionName=name, Name="dev")
    assert alias["FunctionVersion"] == "1"
    said = done("kappa.yml", "--env", "dev", "invoke", "--data", "event.json").stdout
    assert json.loads(said) == {"greeting": "hello", "stage": "dev"}
    assert "No changes" in done("kappa.yml", "deploy").stderr
    done("kappa.yml", "delete")
