"""The function's settings beside botocore's model of Lambda: a newer botocore shows drift."""

from typing import get_args, get_type_hints

import botocore.session
import pytest
from msgspec import Meta, inspect

from kappa.config.model import Async, Cors, EventSource, Function, Image, Logging, Vpc
from kappa.function.params import desired
from tests.support.builders import kappa_config

MODEL = botocore.session.get_session().get_service_model("lambda")
# What kappa has no key for. Something new in the model belongs here, or gets a key.
NO_KEY = {
    "CapacityProviderConfig",
    "CodeSigningConfigArn",
    "DurableConfig",
    "FileSystemConfigs",
    "PublishTo",
    "RevisionId",
    "TenancyConfig",
}
# Set by other means: function/versions.py publishes; code.py and plan.py beside it say the rest.
ELSEWHERE = {"Architectures", "Code", "FunctionName", "PackageType", "Publish", "Tags"}


def hint(section, key):
    return get_type_hints(section, include_extras=True)[key]


def metas(hinted):
    """Every Meta of a type, those of its members and parts too."""
    for one in (*getattr(hinted, "__metadata__", ()), *get_args(hinted)):
        if isinstance(one, Meta):
            yield one
        else:
            yield from metas(one)


def limit(section, key, name):
    found = [getattr(one, name) for one in metas(hint(section, key))]
    return next((one for one in found if one is not None), None)


@pytest.mark.parametrize(
    ("section", "key", "shape"),
    [
        (Function, "timeout", "Timeout"),
        (Function, "memory_size", "MemorySize"),
        (Function, "ephemeral_storage_mb", "EphemeralStorageSize"),
        (Async, "maximum_retry_attempts", "MaximumRetryAttempts"),
        (Async, "maximum_event_age_s", "MaximumEventAgeInSeconds"),
        (EventSource, "batch_size", "BatchSize"),
        (EventSource, "batch_window_s", "MaximumBatchingWindowInSeconds"),
        (EventSource, "tumbling_window_s", "TumblingWindowInSeconds"),
        (EventSource, "parallelization_factor", "ParallelizationFactor"),
        (Cors, "max_age_s", "MaxAge"),
    ],
)
def test_a_number_has_the_range_of_the_model(section, key, shape):
    range_ = MODEL.shape_for(shape).metadata
    assert limit(section, key, "ge") == range_["min"]
    assert limit(section, key, "le") == range_["max"]


@pytest.mark.parametrize(
    ("section", "key", "shape"),
    [
        (Function, "description", "Description"),
        (Function, "handler", "Handler"),
        (Vpc, "subnet_ids", "SubnetIds"),
        (Vpc, "security_group_ids", "SecurityGroupIds"),
        (Image, "working_directory", "WorkingDirectory"),
    ],
)
def test_a_text_or_list_is_as_long_as_the_model_lets_it_be(section, key, shape):
    assert limit(section, key, "max_length") == MODEL.shape_for(shape).metadata["max"]


@pytest.mark.parametrize(
    ("section", "key", "shape"),
    [
        (Function, "architectures", "Architecture"),
        (Function, "tracing", "TracingMode"),
        (Logging, "format", "LogFormat"),
        (Logging, "application_level", "ApplicationLogLevel"),
        (Logging, "system_level", "SystemLogLevel"),
    ],
)
def test_a_word_is_one_of_the_models(section, key, shape):
    assert words(inspect.type_info(hint(section, key))) == set(MODEL.shape_for(shape).enum)


def words(info):
    if isinstance(info, inspect.LiteralType):
        return set(info.values)
    inner = getattr(info, "types", ()) or [getattr(info, "item_type", None)]
    inner = [getattr(info, "type", None)] if isinstance(info, inspect.Metadata) else inner
    return set().union(*(words(one) for one in inner if one is not None))


@pytest.mark.parametrize("operation", ["CreateFunction", "UpdateFunctionConfiguration"])
def test_every_setting_of_the_model_has_a_key_or_is_known_to_have_none(operation):
    said = {
        "description": "",
        "timeout": 1,
        "memory_size": 128,
        "environment": {},
        "ephemeral_storage_mb": 512,
        "layers": (),
        "vpc": Vpc(),
        "tracing": True,
        "kms_key": "",
        "dead_letter": "",
        "logging": Logging(),
        "snap_start": True,
        "image": Image(uri="", command=()),
    }
    sets = set(desired(kappa_config(said), "role", {}))
    members = set(MODEL.operation_model(operation).input_shape.members)
    assert members - sets - ELSEWHERE - NO_KEY == set()


def test_what_an_answer_may_leave_out_with_an_error_is_known():
    """health.py asks for each of these errors, or they stand beside what is not compared."""
    answer = MODEL.shape_for("GetFunctionResponse").members
    parts = {**answer, **answer["Configuration"].members}
    errors = {
        name
        for name, shape in parts.items()
        if shape.type_name == "structure" and "Error" in shape.members
    }
    compared = {"Code", "Environment", "ImageConfigResponse"}
    assert errors == {*compared, "RuntimeVersionConfig"}
    assert {name for name in parts if name.endswith("Error")} == {"TagsError"}


def test_every_state_of_the_model_is_known():
    """health.py: Failed and Deleting are refused, Inactive is mended, Pending is waited for."""
    known = {"Pending", "Active", "Inactive", "Failed", "Deleting"}
    # Those of a function of a capacity provider, which kappa cannot make.
    others = {"ActiveNonInvocable", "Deactivated", "Deactivating"}
    assert set(MODEL.shape_for("State").enum) == known | others
    assert set(MODEL.shape_for("LastUpdateStatus").enum) == {"Successful", "Failed", "InProgress"}
