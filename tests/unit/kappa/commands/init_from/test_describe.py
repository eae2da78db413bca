"""An existing function in the words of a config; access is never widened."""

import pytest
from msgspec.structs import replace

from kappa.commands.init_from.files import adopted_files
from kappa.config.advised_commands import aws_command
from kappa.config.function_rules import check_regions
from kappa.config.policy_document import read_policy_document
from kappa.config.show import plain, shown_config
from kappa.function.log_group import LogGroup
from kappa.function.permissions import Statement, as_statement, plan_grant, read_statement
from tests.support.kappa.existing import POLICY, ROLE, existing, raw, whole, zipped


def test_a_plain_function_says_no_more_than_it_has(imported):
    config = imported(existing())
    assert shown_config(config, show_values=True) == {
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
        existing(settings, function, statements=statements, url=url, log_group=LogGroup(7))
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
    config = imported(existing(policy=None))
    assert (config.role.arn, config.policy) == (ROLE["Arn"], None)
    assert "uses it as it is" in adopted_files(existing(policy=None), "config.yml").remarks[0]


def test_a_policy_of_aws_is_named_by_its_arn(imported):
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    config = imported(existing(policy={"PolicyName": "x", "Arn": arn}))
    assert (config.policy.arn, config.policy.document) == (arn, "")


def test_packages_that_are_in_the_zip_are_not_installed_again(imported):
    config = imported(existing(zipped=zipped(**{"requirements.txt": "tea==1.0"})))
    assert config.function.requirements == ()


PUBLIC_URL = (
    raw(
        Sid="FunctionURLAllowPublicAccess",
        Action="lambda:InvokeFunctionUrl",
        Condition={"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
    ),
    raw(
        Sid="FunctionURLAllowInvokeAction",
        Condition={"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
    ),
)
EXPRESSED = {
    "an organization": raw(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}),
    "a skill": raw(
        Principal={"Service": "alexa-appkit.amazon.com"},
        Condition={"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill.x"}},
    ),
    "an account through the URL": raw(
        Principal={"AWS": "arn:aws:iam::210987654321:root"},
        Condition={"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
    ),
    "everybody": raw(),
    "a topic": raw(
        Condition={"ArnLike": {"AWS:SourceArn": "arn:aws:sns:eu-west-1:210987654321:x"}}
    ),
    "any source of an account": raw(
        Condition={"StringEquals": {"AWS:SourceAccount": "210987654321"}}
    ),
    "anybody with a token": raw(
        Condition={"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill.x"}}
    ),
    "everybody with keys on the URL": raw(
        Action="lambda:InvokeFunctionUrl",
        Condition={"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
    ),
    "an account's topics": raw(
        Principal={"Service": "sns.amazonaws.com"},
        Condition={
            "StringEquals": {"AWS:SourceAccount": "210987654321"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:sns:eu-west-1:210987654321:*"},
        },
    ),
}


@pytest.mark.parametrize("statement", EXPRESSED.values(), ids=EXPRESSED)
@pytest.mark.parametrize("url", [None, {"AuthType": "AWS_IAM"}])
def test_a_condition_is_written_down_and_deploy_has_nothing_to_change(imported, statement, url):
    has = (read_statement(statement, "greeter"),)
    function = imported(existing(statements=has, url=url)).function
    (one,) = function.permissions
    assert [item.mark for item in plan_grant("greeter", one, has, "", aws_command)] == ["exists"]
    (step,) = plan_grant("greeter", one, (), "", aws_command)
    assert as_statement(one) == replace(has[0], principal=one.principal)
    assert step.params["Principal"] == has[0].principal


@pytest.mark.parametrize(
    "statement",
    [
        raw(Effect="Deny"),
        raw(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        raw(Condition={"StringLike": {"aws:PrincipalOrgID": "o-*"}}),
        raw(Principal={"AWS": ["111111111111", "222222222222"]}),
        raw(Sid="with space"),
        raw(Condition={"StringEquals": {"lambda:EventSourceToken": "${x:-y}"}}),
    ],
)
def test_what_a_permission_cannot_express_is_named_whole_and_not_written(statement):
    config, said = whole(statements=(read_statement(statement, "greeter"),))
    assert "permissions" not in config["lambda"]
    assert statement["Sid"] in said
    for condition in statement.get("Condition", {}).values():
        assert [key in said for key in condition.values()] == [True]


def test_the_permissions_of_a_public_url_are_the_urls():
    statements = tuple(read_statement(one, "greeter") for one in PUBLIC_URL)
    config, said = whole(statements=statements, url={"AuthType": "NONE"})
    assert "permissions" not in config["lambda"]
    assert (config["lambda"]["url"], said) == ({"auth": "NONE"}, "")


@pytest.mark.parametrize(
    "statements",
    [
        (),
        PUBLIC_URL[:1],
        PUBLIC_URL[1:],
        (PUBLIC_URL[0] | {"Principal": {"AWS": "210987654321"}}, PUBLIC_URL[1]),
    ],
)
def test_a_url_that_not_everybody_may_call_is_not_opened(statements):
    statements = tuple(read_statement(one, "greeter") for one in statements)
    url = {"AuthType": "NONE", "FunctionUrl": "https://x.on.aws/"}
    config, said = whole(statements=statements, url=url)
    assert "url" not in config["lambda"]
    assert "URL https://x.on.aws/ (auth NONE)" in said
    assert len(config["lambda"].get("permissions", ())) == len(statements)


@pytest.mark.parametrize("auth", ["NONE", "AWS_IAM"])
def test_a_permission_by_a_name_of_kappas_own_beside_a_url_is_named(auth):
    raws = (*PUBLIC_URL, raw(Sid="kappa-url-x", Principal={"AWS": "210987654321"}))
    statements = tuple(read_statement(one, "greeter") for one in raws)
    config, said = whole(statements=statements, url={"AuthType": auth})
    assert "kappa-url-x" not in str(config)
    assert "permission kappa-url-x: beside url, this name is reserved for kappa" in said


def test_what_deploy_takes_away_from_a_closed_url_is_named():
    kept = read_statement(raw(Sid="kappa-url-invoke"), "greeter")
    config, said = whole(statements=(kept,), url={"AuthType": "AWS_IAM"})
    assert "permissions" not in config["lambda"]
    assert "permission kappa-url-invoke: `deploy` takes it away" in said


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"role": ROLE | {"Tags": []}}, "The role was not made by kappa"),
        (
            {"role": ROLE | {"Tags": [{"Key": "kappa:region", "Value": "us-east-1"}]}},
            "The role was not made by kappa in this region",
        ),
        ({"policy": POLICY | {"Tags": []}}, "The role has a policy that was not made by kappa"),
    ],
)
def test_a_role_that_kappa_does_not_own_is_used_as_it_is(changed, why):
    config, remarks = whole(**changed)
    assert config["iam"] == {"role": {"arn": ROLE["Arn"]}}
    assert why in remarks


@pytest.mark.parametrize("resource", ["b/${aws:username}/${*}", "b/${region:-x}/${NOPE}", "$${x"])
def test_a_policy_is_written_so_that_it_reads_as_it_is(imported, resource):
    document = {"Statement": [{"Resource": f"arn:aws:s3:::{resource}"}]}
    config = imported(existing(policy=POLICY | {"Document": document}))
    assert read_policy_document(config) == document


def test_what_a_role_has_besides_is_named():
    tags = [*ROLE["Tags"], {"Key": "team", "Value": "tea"}]
    _, said = whole(role=ROLE | {"Tags": tags, "MaxSessionDuration": 7200})
    assert "of the role greeter-role: tags, session duration" in said


def test_kappas_own_tags_of_a_role_are_not_named():
    _, said = whole()
    assert "of the role" not in said


def test_the_settings_of_an_image_and_ipv6_are_kept(imported):
    image = {"Command": ["a.b"], "EntryPoint": ["/x"], "WorkingDirectory": "/w"}
    uri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/greeter:1"
    settings = {
        "PackageType": "Image",
        "Runtime": None,
        "Handler": None,
        "ImageConfigResponse": {"ImageConfig": image},
        "VpcConfig": {
            "SubnetIds": ["subnet-1"],
            "SecurityGroupIds": ["sg-1"],
            "Ipv6AllowedForDualStack": True,
        },
    }
    function = imported(existing(settings, {"Code": {"ImageUri": uri}}, zipped=None)).function
    assert plain(function.image) == {
        "uri": uri,
        "command": ["a.b"],
        "entry_point": ["/x"],
        "working_directory": "/w",
    }
    assert function.vpc.ipv6 is True


def test_a_setting_without_a_row_has_awss_own_name(imported):
    provider = {"CapacityProviderArn": "arn:cp", "ExecutionEnvironmentMemoryGiBPerVCpu": 2.5}
    settings = {
        "FileSystemConfigs": [{"Arn": "arn:efs", "LocalMountPath": "/mnt/tea"}],
        "DurableConfig": {"ExecutionTimeout": 60, "RetentionPeriodInDays": 3},
        "TenancyConfig": {"TenantIsolationMode": "PER_TENANT"},
        "CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": provider},
    }
    function = plain(imported(existing(settings)).function)
    assert function["file_system_configs"] == [{"arn": "arn:efs", "local_mount_path": "/mnt/tea"}]
    assert function["durable_config"] == {"execution_timeout": 60, "retention_period_in_days": 3}
    assert function["tenancy_config"] == {"tenant_isolation_mode": "PER_TENANT"}
    assert function["capacity_provider_config"] == {
        "lambda_managed_instances_capacity_provider_config": {
            "capacity_provider_arn": "arn:cp",
            "execution_environment_memory_gi_b_per_v_cpu": 2.5,
        }
    }


def test_a_layer_of_awss_own_is_written_and_read(imported):
    layers = [{"Arn": f"arn:aws:lambda:::awslayer:{name}"} for name in ("One", "Two")]
    config = imported(existing({"Layers": layers}))
    assert config.function.layers == tuple(one["Arn"] for one in layers)
    check_regions(config, "eu-west-1")
