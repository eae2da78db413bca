"""The table of settings beside botocore's model: keys, checks, parameters, and back."""

import pytest
import yaml

from kappa.config.read import read_config
from kappa.config.settings import FUNCTION
from kappa.config.show import plain
from kappa.errors import Conflict
from kappa.function.plan import plan_function
from kappa.package.zip import Archive
from tests.support.builders import OWNER, assert_valid, owned
from tests.support.kappa.configs import error_of

ARCHIVE = Archive(b"zip", "sha", ("greeter.py",), 3)
ROLE_ARN = "arn:aws:iam::123456789012:role/greeter-role"
HAS = {
    "FunctionName": "greeter",
    "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:greeter",
    "Runtime": "python3.13",
    "Role": ROLE_ARN,
    "Handler": "greeter.handler",
    "CodeSha256": "sha",
}
EFS = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-01"
PROVIDER = "arn:aws:lambda:us-east-1:123456789012:capacity-provider:big"


def planned(write, more, has=None):
    """The settings that a deploy would send; None: AWS has no function."""
    config = read_config(write(more=f"  {more}\n" if more else ""))
    plan = plan_function(config, ARCHIVE, ROLE_ARN, owned(has), OWNER)
    assert_valid(plan)
    return {key: value for key, value in getattr(plan[0], "params", {}).items() if key not in HAS}


@pytest.mark.parametrize(
    ("more", "sent"),
    [
        (
            f"file_system_configs: [{{arn: '{EFS}', local_mount_path: /mnt/tea, "
            "s3_files_config: {direct_s3_read: AUTO}}]",
            {
                "FileSystemConfigs": [
                    {
                        "Arn": EFS,
                        "LocalMountPath": "/mnt/tea",
                        "S3FilesConfig": {"DirectS3Read": "AUTO"},
                    }
                ]
            },
        ),
        (
            "durable_config: {execution_timeout: 3600, retention_period_in_days: 7}",
            {"DurableConfig": {"ExecutionTimeout": 3600, "RetentionPeriodInDays": 7}},
        ),
        (
            "tenancy_config: {tenant_isolation_mode: PER_TENANT}",
            {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}},
        ),
        (
            "capacity_provider_config: {lambda_managed_instances_capacity_provider_config: "
            f"{{capacity_provider_arn: '{PROVIDER}', "
            "execution_environment_memory_gi_b_per_v_cpu: 2.5}}",
            {
                "CapacityProviderConfig": {
                    "LambdaManagedInstancesCapacityProviderConfig": {
                        "CapacityProviderArn": PROVIDER,
                        "ExecutionEnvironmentMemoryGiBPerVCpu": 2.5,
                    }
                }
            },
        ),
    ],
)
def test_a_setting_without_a_row_is_a_key_under_awss_own_name(write, more, sent):
    key = more.partition(":")[0]
    made = planned(write, more)
    assert {name: made[name] for name in sent} == sent
    assert planned(write, more, {**HAS, **sent}) == {}
    assert FUNCTION.section({**HAS, **sent})[key] == yaml.safe_load(more)[key]
    assert plain(read_config(write(more=f"  {more}\n")).function)[key] == yaml.safe_load(more)[key]


@pytest.mark.parametrize(
    ("more", "has", "sent"),
    [
        (
            "durable_config: {execution_timeout: 60}",
            {"DurableConfig": {"ExecutionTimeout": 3600, "RetentionPeriodInDays": 7}},
            {"DurableConfig": {"ExecutionTimeout": 60, "RetentionPeriodInDays": 7}},
        ),
        (
            "durable_config: {}",
            {"DurableConfig": {"ExecutionTimeout": 3600}},
            {"DurableConfig": {}},
        ),
        (
            "file_system_configs: []",
            {"FileSystemConfigs": [{"Arn": EFS, "LocalMountPath": "/mnt/tea"}]},
            {"FileSystemConfigs": []},
        ),
        ("durable_config: {}", {}, {}),
        ("file_system_configs: []", {}, {}),
        ("", {"DurableConfig": {"ExecutionTimeout": 3600}}, {}),
    ],
)
def test_a_structure_is_merged_into_awss_own_and_an_empty_value_removes_it(write, more, has, sent):
    assert planned(write, more, {**HAS, **has}) == sent


def test_what_only_a_new_function_takes_is_a_conflict_that_names_the_key(write):
    more = "tenancy_config: {tenant_isolation_mode: PER_TENANT}"
    with pytest.raises(Conflict, match=r"config\.yml:9: AWS sets lambda\.tenancy_config when it"):
        planned(write, more, HAS)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("durable_config: {execution_timeout: 0}", "is '0'.\n  Allowed: 1 to 31622400."),
        (
            "durable_config: {execution_timout: 9}",
            "9: unknown key lambda.durable_config.execution_timout.\n"
            "  Did you mean `execution_timeout`?",
        ),
        (
            "durable_confg: {}",
            "9: unknown key lambda.durable_confg.\n  Did you mean `durable_config`?",
        ),
        (
            "file_system_configs: [{arn: x}]",
            "9: lambda.file_system_configs[0].local_mount_path is missing.\n"
            "  Allowed: a text of at most 160 characters.",
        ),
        (
            "file_system_configs: [{arn: x, local_mount_path: /x, s3_files_config: "
            "{direct_s3_read: ENABLE}}]",
            "direct_s3_read is 'ENABLE'.\n  Did you mean `ENABLED`?",
        ),
        (
            "file_system_configs: [{arn: x, local_mount_path: /x}, {arn: y, local_mount_path: /y}]",
            "9: lambda.file_system_configs is of the wrong kind.\n  Allowed: a list of at most 1;",
        ),
        (
            "tenancy_config: {tenant_isolation_mode: ALL}",
            "9: lambda.tenancy_config.tenant_isolation_mode is 'ALL'.\n  Allowed: PER_TENANT.",
        ),
        ("tenancy_config: []", "9: lambda.tenancy_config is of the wrong kind.\n  Allowed: a map"),
        ("logging: {format: Json}", "9: lambda.logging.format is 'Json'.\n  Did you mean `JSON`?"),
    ],
)
def test_the_model_checks_a_setting_with_line_and_path(write, more, message):
    assert message in error_of(write(more=f"  {more}\n"))
