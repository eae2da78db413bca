"""What a config has no key for is named."""

from kappa.commands.init_from.left_out import read_without_key, unknown_settings
from kappa.errors import Denied
from tests.support.kappa.existing import SETTINGS, Answers


def test_settings_without_a_key_are_named():
    function = {
        "Configuration": SETTINGS,
        "Code": {"Location": "https://x", "RepositoryType": "S3", "SourceKMSKeyArn": "arn:kms"},
        "Tags": {"team": "tea", "aws:cloudformation:stack-name": "x"},
        "ResponseMetadata": {"a": 1},
    }
    assert unknown_settings(function) == [
        "key of the zip: arn:kms",
        'AWS\'s own tags: {"aws:cloudformation:stack-name": "x"}',
    ]


def test_tags_that_may_not_be_read_are_named():
    function = {"Configuration": SETTINGS, "TagsError": {"Message": "not authorized"}}
    assert unknown_settings(function) == ["tags: not authorized (it takes lambda:ListTags)"]


def test_what_hangs_on_a_function_is_named():
    arn = SETTINGS["FunctionArn"]
    account = Answers(
        list_aliases={"Aliases": [{"Name": "live", "FunctionVersion": "3"}]},
        list_provisioned_concurrency_configs={
            "ProvisionedConcurrencyConfigs": [
                {"FunctionArn": f"{arn}:live", "RequestedProvisionedConcurrentExecutions": 2}
            ]
        },
        get_function_code_signing_config={"CodeSigningConfigArn": "arn:csc"},
        get_function_recursion_config={"RecursiveLoop": "Allow"},
        get_runtime_management_config={"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": "arn:r"},
    )
    assert read_without_key(account, "greeter") == (
        "alias live of version 3, and what is bound to it",
        "provisioned concurrency: 2 of live",
        "code signing: arn:csc",
        "recursion setting: Allow",
        "runtime pin: Manual arn:r",
    )


def test_what_hangs_on_a_function_as_on_any_other_is_not_named():
    account = Answers(
        get_function_recursion_config={"RecursiveLoop": "Terminate"},
        get_runtime_management_config={"UpdateRuntimeOn": "Auto"},
        get_function_code_signing_config={"CodeSigningConfigArn": ""},
    )
    assert read_without_key(account, "greeter") == ()


def test_what_may_not_be_read_is_named():
    account = Answers(get_function_recursion_config=Denied("AWS refused reading it"))
    assert read_without_key(account, "greeter") == (
        "recursion setting, if there is any: AWS refused reading it",
    )


def test_what_invokes_a_version_by_its_number_is_named():
    arn = SETTINGS["FunctionArn"]
    account = Answers(
        list_versions_by_function={"Versions": [{"Version": "$LATEST"}, {"Version": "1"}]},
        list_event_source_mappings={
            "EventSourceMappings": [
                {
                    "UUID": "u",
                    "FunctionArn": f"{arn}:1",
                    "EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:q",
                }
            ]
        },
    )
    (rest,) = read_without_key(account, "greeter")
    assert rest.startswith("version 1: event source ")
