import gc

import botocore.session
import pytest
from botocore import UNSIGNED

from aws_clients import NOT_SIGNED, ONE_TRY, SIGNED, make_clients

SERVICES = ["dynamodb", "s3", "sts"]


@pytest.fixture
def region(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    yield "eu-west-1"
    gc.unfreeze()


def test_clients_know_all_that_botocore_s_own_know(region):
    session = botocore.session.get_session()
    for service, ours in zip(SERVICES, make_clients(dict.fromkeys(SERVICES, SIGNED)), strict=True):
        theirs = session.create_client(service)
        assert ours.meta.endpoint_url == theirs.meta.endpoint_url
        assert ours.meta.method_to_api_mapping == theirs.meta.method_to_api_mapping
        assert ours.meta.service_model.operation_names == theirs.meta.service_model.operation_names
        for operation in theirs.meta.service_model.operation_names:
            own = ours.meta.service_model.operation_model(operation)
            assert own.metadata == theirs.meta.service_model.operation_model(operation).metadata


def test_calls_end_before_the_function_does_and_are_tried_three_times(region):
    (dynamodb,) = make_clients({"dynamodb": SIGNED})
    config = dynamodb.meta.config
    assert (config.connect_timeout, config.read_timeout) == (2, 5)
    assert config.retries["total_max_attempts"] == 3


def test_only_what_is_asked_for_is_unsigned(region):
    sts, dynamodb = make_clients({"sts": NOT_SIGNED, "dynamodb": SIGNED})
    assert sts.meta.config.signature_version is UNSIGNED
    assert dynamodb.meta.config.signature_version == "v4"
    assert sts.meta.endpoint_url == "https://sts.eu-west-1.amazonaws.com"


URL = "https://a1b2-ats.iot.eu-west-1.amazonaws.com"


def test_a_service_with_an_address_for_each_account_is_called_there(region):
    configs = {"dynamodb": SIGNED, "iot-data": ONE_TRY}
    dynamodb, iot = make_clients(configs, {"iot-data": URL})
    assert dynamodb.meta.endpoint_url == "https://dynamodb.eu-west-1.amazonaws.com"
    assert iot.meta.endpoint_url == URL


def test_one_address_for_all_services_replaces_that_of_an_account(region, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    (iot,) = make_clients({"iot-data": ONE_TRY}, {"iot-data": URL})
    assert iot.meta.endpoint_url == "http://127.0.0.1:4566"


def test_the_garbage_collector_works_again_and_leaves_the_models_alone(region):
    gc.unfreeze()
    make_clients({"sts": NOT_SIGNED})
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_the_garbage_collector_works_again_though_no_client_was_made(region):
    with pytest.raises(botocore.exceptions.UnknownServiceError):
        make_clients({"no-such-service": SIGNED})
    assert gc.isenabled()
