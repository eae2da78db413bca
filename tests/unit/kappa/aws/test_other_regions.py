"""One client calls many regions: each call has the address and the signature of its own."""

import re
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from botocore.awsrequest import AWSResponse

from kappa.aws import Aws
from kappa.errors import AwsError
from tests.support.kappa.projects import FEW_REGIONS

AT_HOME = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
OTHERS = {
    "aws": ("eu-west-1", "ap-south-1", "us-west-2", "sa-east-1", "ca-central-1", "me-south-1"),
    "aws-cn": ("cn-northwest-1",),
    "aws-us-gov": ("us-gov-east-1",),
}
EMPTY = b'{"Functions": []}'
PAGE = b"<html>Sign in first</html>"
pytestmark = pytest.mark.usefixtures("keys")


class Body(BytesIO):
    """A body as urllib3 gives it."""

    def stream(self, **_):
        yield self.read()


class Network:
    """What every client reaches: `sent` are the addresses, with the regions signed for."""

    def __init__(self, body=EMPTY):
        self.body, self.sent, self.clients = body, set(), {}

    def attach(self, aws):
        client = aws.client("lambda")
        if client not in self.clients.values():
            client.meta.events.register("before-send", self.answer)
            self.clients[id(client)] = client
        return aws

    def answer(self, request, **_):
        signature = request.headers["Authorization"].decode()
        self.sent.add((request.url, re.search(r"=a/\d+/([^/]+)/lambda/", signature)[1]))
        return AWSResponse(request.url, 200, {"Content-Type": "application/json"}, Body(self.body))


def listed(aws):
    return aws.pages("lambda", "list_functions", "listing the functions", "Functions")


def called_by_one(partition, network):
    """Call all regions at once, as the regions that one caller sees from home."""
    home = Aws(AT_HOME[partition])
    others = [network.attach(home.in_region(region)) for region in OTHERS[partition]]
    with ThreadPoolExecutor(len(others)) as pool:
        assert list(pool.map(listed, others)) == [[] for _ in others]
    return network


def called_by_its_own(partition, network):
    """Call each region with a client that is made for it."""
    for region in OTHERS[partition]:
        listed(network.attach(Aws(region)))
    return network


@pytest.mark.parametrize("partition", AT_HOME)
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
        {"AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:1"},
        {"AWS_DATA_PATH": str(FEW_REGIONS)},
    ],
    ids=lambda variables: " ".join(variables) or "none",
)
def test_each_region_is_called_as_by_a_client_of_its_own(monkeypatch, partition, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    network = called_by_one(partition, Network())
    assert network.sent == called_by_its_own(partition, Network()).sent
    assert {region for _, region in network.sent} == set(OTHERS[partition])


def test_one_client_serves_all_other_regions():
    assert len(called_by_one("aws", Network()).clients) == 1


def test_a_users_own_addresses_need_a_client_for_each_region(monkeypatch):
    monkeypatch.setenv("AWS_DATA_PATH", str(FEW_REGIONS))
    assert len(called_by_one("aws", Network()).clients) == len(OTHERS["aws"])


def test_calls_at_home_are_not_led_away():
    network, home = Network(), Aws("us-east-1")
    listed(network.attach(home.in_region("eu-west-1")))
    listed(network.attach(home))
    assert {region for _, region in network.sent} == {"us-east-1", "eu-west-1"}
    assert len(network.clients) == 2


def test_what_is_not_aws_is_named_with_the_address_of_its_region():
    network, home = Network(PAGE), Aws("us-east-1")
    for region in ("eu-west-1", "sa-east-1"):
        with pytest.raises(AwsError, match=rf"^https://lambda\.{region}\.amazonaws\.com did not"):
            listed(network.attach(home.in_region(region)))


def test_a_call_that_the_sdk_does_not_lead_to_its_region_is_stopped():
    network, home = Network(), Aws("us-east-1")
    other = network.attach(home.in_region("eu-west-1"))
    other.client("lambda")._ruleset_resolver = None
    with pytest.raises(AwsError, match="cannot call eu-west-1"):
        listed(other)
    assert network.sent == set()
