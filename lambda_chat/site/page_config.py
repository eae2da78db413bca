"""A deployment's values for the page: its config, the URLs it may call, its own URL.

It must not read or write files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from urllib.parse import urlsplit

from kappa.errors import ConfigError
from lambda_chat.config import ChatConfig

SERVICES = ("sts", "sns", "dynamodb", "s3")


def endpoints(region: str, endpoint_url: str) -> dict[str, str]:
    """Return the URL of each service that the page calls; `endpoint_url` is "" on AWS."""
    return {
        service: endpoint_url or f"https://{service}.{region}.{_suffix(region)}"
        for service in SERVICES
    }


@cache
def _suffix(region: str) -> str:
    """Return the domain of AWS's servers in a region, from the SDK's data."""
    from botocore.loaders import create_loader

    partitions = create_loader().load_data("partitions")["partitions"]
    for partition in partitions:
        if region in partition["regions"] or re.fullmatch(partition["regionRegex"], region):
            return str(partition["outputs"]["dnsSuffix"])
    return "amazonaws.com"


def push_url(config: ChatConfig, endpoint_url: str) -> str:
    """Return the URL of the broker that pushes to the page, "" without push.

    `endpoint_url` is "" on AWS; an emulator's decides between ws: and wss:.
    """
    scheme = "ws" if endpoint_url.startswith("http:") else "wss"
    return f"{scheme}://{config.push_endpoint}/mqtt" if config.push else ""


def page_config(
    config: ChatConfig, region: str, addresses: Mapping[str, str], broker: str = ""
) -> dict[str, object]:
    """Return the page's config, which js/main.js reads from index.html.

    `broker` is the result of push_url().
    """
    return {
        "bucket": config.s3_bucket,
        "dataPrefix": config.data_prefix,
        "endpoints": dict(addresses),
        "googleClientId": config.google_oauth_client_id,
        "history": config.history,
        "push": _push(config, broker) if broker else None,
        "rateLimit": _rate_limit(config.rate_limit),
        "region": region,
        "roleArn": config.website_iam_role_arn,
        "table": config.dynamodb_table,
        "topicArn": config.sns_topic_arn,
    }


def _push(config: ChatConfig, url: str) -> dict[str, str]:
    """Return the broker's URL, and the beginnings of the topics and of the pages' client ids."""
    stack = config.push_topics.partition("/")[0]
    return {"url": url, "topics": config.push_topics.removesuffix("*"), "clients": f"{stack}-"}


def _rate_limit(text: str) -> dict[str, int]:
    """Return how many messages a person may send in how many seconds; "0" means no limit."""
    messages, _, seconds = text.removesuffix("s").partition("/")
    return {"messages": max(1, int(messages)), "seconds": int(seconds or 0)}


def page_url(bucket: str, region: str, endpoint_url: str) -> str:
    """Return the page's URL. Google requires HTTPS, which only S3's REST endpoint offers."""
    if endpoint_url:
        return f"{endpoint_url}/{bucket}/index.html"
    return f"https://{bucket}.s3.{region}.{_suffix(region)}/index.html"


def placeholders(addresses: Iterable[str], identity_url: str, broker: str = "") -> dict[str, str]:
    """Return the values of the page's placeholders; `broker` is the result of push_url().

    Raises: ConfigError, for a URL that could break out of the page's policy.
    """
    connect = dict.fromkeys(_origin(address) for address in addresses)
    if broker:
        connect[_origin(broker, "ws")] = None
    return {"connect_src": " ".join(connect), "identity_origin": _origin(identity_url)}


def _origin(url: str, scheme: str = "http") -> str:
    """Return the origin of a URL whose scheme is this one, or this one with TLS."""
    try:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
    except ValueError:  # such as an unclosed bracket
        origin = ""
    if not re.fullmatch(scheme + r"s?://[A-Za-z0-9.:\[\]-]+", origin):
        article = "an" if scheme == "http" else "a"
        raise ConfigError(f"{url!r} is not {article} {scheme} or {scheme}s address.")
    return origin
