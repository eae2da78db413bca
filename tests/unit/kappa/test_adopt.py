"""An existing function, written down as a config."""

import io
import os
import zipfile

import pytest
import yaml

from kappa.adopt import adopted
from kappa.adoptfound import Found
from kappa.adoptsources import mapping_source
from kappa.config import read_config, read_policy_document
from kappa.errors import ArchiveError, ConfigError
from kappa.permissions import Statement
from kappa.resolved import plain_config
from kappa.starter import NewFiles, starter, write_files
from tests.projects import TRUST

ROLE = {
    "RoleName": "greeter-role",
    "Path": "/service-role/",
    "Arn": "arn:aws:iam::123456789012:role/service-role/greeter-role",
    "AssumeRolePolicyDocument": TRUST,
}
POLICY = {
    "PolicyName": "greeter-policy",
    "Path": "/",
    "Arn": "arn:aws:iam::123456789012:policy/greeter-policy",
    "Document": {"Version": "2012-10-17", "Statement": []},
}
SETTINGS = {
    "FunctionName": "greeter",
    "FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:greeter",
    "Runtime": "python3.13",
    "Handler": "greeter.handler",
    "Role": ROLE["Arn"],
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "Architectures": ["arm64"],
    "EphemeralStorage": {"Size": 512},
    "TracingConfig": {"Mode": "PassThrough"},
    "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/greeter"},
    "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
}


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in ({"greeter.py": "def handler(event, context): ...\n"} | files).items():
            archive.writestr(name, text)
    return buffer.getvalue()


def found(settings=None, function=None, **changes):
    default = {
        "function": {"Configuration": SETTINGS | (settings or {}), **(function or {})},
        "statements": (),
        "sources": [],
        "role": ROLE,
        "policy": POLICY,
        "asynchronous": None,
        "url": None,
        "log_days": None,
        "zipped": zipped(),
    }
    return Found(**default | changes)


@pytest.fixture
def imported(tmp_path):
    """Write what was found into a folder, and read it as a config."""

    def write(what):
        write_files(tmp_path, adopted(what, "config.yml"))
        return read_config(tmp_path / "config.yml")

    return write


def test_a_plain_function_says_no_more_than_it_has(imported):
    config = imported(found())
    assert plain_config(config) == {
        "region": "eu-west-1",
        "iam": {
            "policy": {"name": "greeter-policy", "path": "/", "document": "policy.json"},
            "role": {"name": "greeter-role", "path": "/service-role/"},
        },
        "lambda": {
            "name": "greeter",
            "path": "code",
            "handler": "greeter.handler",
            "runtime": "python3.13",
            "architectures": ["arm64"],
            "memory_size": 128,
            "timeout": 3,
        },
    }
    assert read_policy_document(config) == POLICY["Document"]


def test_what_a_function_has_is_said(imported):
    settings = {
        "Description": "Greets",
        "Environment": {"Variables": {"AGENT": "007"}},
        "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"], "VpcId": "vpc-1"},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "mine", "SystemLogLevel": "WARN"},
        "SnapStart": {"ApplyOn": "PublishedVersions"},
    }
    function = {
        "Tags": {"team": "tea", "aws:cloudformation:stack-name": "x"},
        "Concurrency": {"ReservedConcurrentExecutions": 0},
    }
    statements = (
        Statement("any", "123456789012", "lambda:InvokeFunction"),
        Statement("url", "*", "lambda:InvokeFunctionUrl", url_auth="NONE"),
        Statement("url2", "*", "lambda:InvokeFunction", via_url=True),
    )
    url = {"AuthType": "NONE", "InvokeMode": "BUFFERED", "Cors": {"AllowOrigins": ["*"]}}
    config = imported(
        found(settings, function, statements=statements, url=url, log_days=7)
    ).function
    assert config.environment == {"AGENT": "007"}
    assert (config.ephemeral_storage_mb, config.log_retention_days) == (None, 7)
    assert config.vpc.subnet_ids == ("subnet-1",)
    assert (config.logging.format, config.logging.group) == ("JSON", "mine")
    assert config.snap_start is True
    assert (config.tags, config.reserved_concurrency) == ({"team": "tea"}, 0)
    assert [one.statement_id for one in config.permissions] == ["any"]
    assert config.url.cors.allow_origins == ("*",)


def test_a_role_with_several_policies_is_used_as_it_is(imported):
    config = imported(found(policy=None))
    assert (config.role.arn, config.policy) == (ROLE["Arn"], None)
    assert "uses it as it is" in adopted(found(policy=None), "config.yml").remarks[0]


def test_a_policy_of_aws_is_named_by_its_arn(imported):
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    config = imported(found(policy={"PolicyName": "x", "Arn": arn}))
    assert (config.policy.arn, config.policy.document) == (arn, "")


def test_packages_that_are_in_the_zip_are_not_installed_again(imported):
    config = imported(found(zipped=zipped(**{"requirements.txt": "tea==1.0"})))
    assert config.function.requirements == ()


def test_a_container_image_has_no_code(tmp_path):
    uri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/greeter:1"
    settings = {"PackageType": "Image", "Runtime": None, "Handler": None}
    new = adopted(found(settings, {"Code": {"ImageUri": uri}}, zipped=None), "config.yml")
    assert yaml.safe_load(new.files["config.yml"])["lambda"]["image"] == {"uri": uri}
    assert not any(name.startswith("code/") for name in new.files)


def test_a_program_in_the_zip_stays_one(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("bootstrap")
        info.external_attr = 0o100755 << 16
        archive.writestr(info, "#!/bin/sh\n")
    write_files(tmp_path, adopted(found(zipped=buffer.getvalue()), "config.yml"))
    assert (tmp_path / "code" / "bootstrap").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["../evil.py", "a/../../../evil.py", "..\\evil.py"])
def test_a_zip_that_leads_outside_writes_nothing(tmp_path, name):
    folder = tmp_path / "project"
    new = adopted(found(zipped=zipped(**{name: "x"})), "config.yml")
    with pytest.raises(ConfigError, match="leads outside"):
        write_files(folder, new)
    assert list(tmp_path.iterdir()) == []


def test_an_absolute_name_in_a_zip_stays_inside(tmp_path):
    folder = tmp_path / "project"
    write_files(folder, adopted(found(zipped=zipped(**{"/evil.py": "x"})), "config.yml"))
    assert (folder / "code" / "evil.py").read_text() == "x"


def test_a_symbolic_link_in_a_zip_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ArchiveError, match="symbolic link"):
        adopted(found(zipped=buffer.getvalue()), "config.yml")


def test_what_is_no_zip_is_an_error():
    with pytest.raises(ArchiveError, match="cannot be read"):
        adopted(found(zipped=b"no zip"), "config.yml")


def test_a_mapping_says_only_what_lambda_would_not_say_itself():
    arn = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
    plain = {
        "EventSourceArn": arn,
        "State": "Enabled",
        "BatchSize": 100,
        "MaximumRetryAttempts": -1,
        "BisectBatchOnFunctionError": False,
        "StartingPosition": "LATEST",
        "DestinationConfig": {"OnFailure": {}},
        "FunctionResponseTypes": [],
    }
    assert mapping_source(plain) == {
        "arn": arn,
        "batch_size": 100,
        "starting_position": "LATEST",
    }
    more = {
        "State": "Disabled",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 5},
        "FilterCriteria": {"Filters": [{"Pattern": '{"a": [1]}'}]},
    }
    assert mapping_source(plain | more) == {
        "arn": arn,
        "batch_size": 100,
        "starting_position": "LATEST",
        "enabled": False,
        "report_batch_item_failures": True,
        "maximum_concurrency": 5,
        "filter_criteria": ['{"a": [1]}'],
    }


def test_the_starter_is_named_by_its_folder(tmp_path):
    folder = tmp_path / "my function!"
    write_files(folder, starter(folder / "config.yml"))
    config = read_config(folder / "config.yml")
    assert (config.function.name, config.function.handler) == (
        "my-function",
        "my_function.handler",
    )


@pytest.mark.parametrize("name", ["with space", "x" * 65])
def test_a_name_that_lambda_refuses_is_no_starter(tmp_path, name):
    with pytest.raises(ConfigError, match="no name of a function"):
        starter(tmp_path / "config.yml", name)


def test_a_file_that_exists_is_never_overwritten(tmp_path):
    (tmp_path / "b").write_text("mine")
    with pytest.raises(ConfigError, match="b exists already"):
        write_files(tmp_path, NewFiles({"a": b"new", "b": b"new"}))
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_dangling_link_is_not_written_through(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="exists already"):
        write_files(tmp_path, NewFiles({"a": b"new"}))


def test_files_are_written_all_or_none(tmp_path):
    folder = tmp_path / "new" / "project"
    clashing = NewFiles({"config.yml": b"x", "code/a": b"x", "code/a/b": b"x"})
    with pytest.raises(ConfigError):
        write_files(folder, clashing)
    assert list(tmp_path.iterdir()) == []


def test_files_that_were_there_stay_when_writing_fails(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "mine").write_text("mine")
    with pytest.raises(ConfigError):
        write_files(tmp_path, NewFiles({"code/a": b"x", "code/mine/b": b"x"}))
    assert [path.name for path in tmp_path.rglob("*")] == ["code", "mine"]


@pytest.mark.parametrize(
    ("mask", "mode", "program"), [(0o077, 0o600, 0o700), (0o022, 0o644, 0o755)]
)
def test_the_umask_decides_who_may_read_what_init_writes(tmp_path, mask, mode, program):
    old = os.umask(mask)
    try:
        write_files(tmp_path / "x", NewFiles({"a": b"", "b": b""}, frozenset({"b"})))
    finally:
        os.umask(old)
    modes = [(tmp_path / "x" / name).stat().st_mode & 0o777 for name in ("a", "b")]
    assert modes == [mode, program]
