"""Read all that invokes a function, whatever its version or alias. It changes nothing.

Owns which calls that takes, and that a refused one does not keep a function from being deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kappa import arn as arns
from kappa.arn import Place, invokes, qualifier
from kappa.aws.client import Aws
from kappa.aws.translate import DENIED
from kappa.config.model import Config, EventSource, rule_names
from kappa.errors import Denied, NotFound
from kappa.function import version_owner as versionowner
from kappa.function.permissions import Statement, read_statements
from kappa.sources.mapping import POLLED
from kappa.sources.state import Rule, SourcesState, Topic

T = TypeVar("T")

_BUCKET_HINT = (
    "Ask for this permission; or the bucket is another account's: only an account's own buckets "
    "can invoke its functions through kappa."
)


def read(
    aws: Aws,
    config: Config,
    place: Place,
    *,
    extra: bool = True,
    grants: bool = True,
    tolerant: bool = False,
    ending: bool = False,
    deleting: bool = False,
) -> SourcesState:
    """Read mappings, subscriptions, notifications, rules, URLs and permissions, side by side.

    Mappings that the config does not name are read too, if those `extra` ones matter; permissions
    if those `grants` do; what a subscription loses, if it is `ending`; for `deleting`, mappings of
    versions and of aliases that are gone too. A `tolerant` reader goes on where AWS refuses to show
    a source, and says so of it.
    Raises: Denied, unless tolerant.
    """
    name, alias = config.function.name, config.function.alias
    invoked = place.function_arn(name, alias)
    if not (config.function.has_sources or extra):
        return SourcesState(invoked=invoked)
    with ThreadPoolExecutor(8) as pool:
        reader = _Reader(aws, config, place.function(name), pool, tolerant, ending, deleting)
        return reader.read(invoked, extra=extra, grants=grants)


@dataclass(frozen=True)
class _Reader:
    """One reading of one function's sources. `unread` gathers what AWS refuses to show."""

    aws: Aws
    config: Config
    function_arn: str
    pool: ThreadPoolExecutor
    tolerant: bool
    ending: bool
    deleting: bool
    unread: dict[str, str] = field(default_factory=dict)

    def read(self, invoked: str, *, extra: bool, grants: bool) -> SourcesState:
        """Ask everything at once; only what is by qualifier waits for the list of aliases."""
        listed = self._ask(["aliases"], lambda _: self._aliases())
        mappings = self._of(self._mapped, *POLLED)
        asked = self._of(self._topic, "sns")
        buckets, rules = self._of(self._bucket, "s3"), self._of(self._rule, "events")
        owners = self._answers(listed).get("aliases", {})
        aliases = tuple(owners)
        qualifiers = ("", *aliases)
        lists = ("all",) if self.deleting else qualifiers if extra else ()
        more = self._ask(lists, self._all_mapped if self.deleting else self._mapped_to)
        policies = self._ask(qualifiers if grants else (), self._statements)
        urls = self._ask(qualifiers if self.config.function.url else (), self._url)
        topics = self._answers(asked)
        gone = [key for key in asked if key not in topics and key not in self.unread]
        orphans = self._ask(gone, self._own_subscriptions)
        found = (*self._answers(mappings).values(), *self._answers(more).values())
        return SourcesState(
            mappings=tuple({one["UUID"]: one for some in found for one in some}.values()),
            topics=topics,
            orphans=self._answers(orphans),
            buckets=self._answers(buckets),
            rules=self._answers(rules),
            urls=self._answers(urls),
            aliases=aliases,
            owners=owners,
            statements=self._answers(policies),
            unread=self.unread,
            invoked=invoked,
        )

    def _of(
        self, read_one: Callable[[EventSource], T | None], *services: str
    ) -> dict[str, Future[T | None]]:
        sources = {one.key: one for one in self.config.function.event_sources}
        keys = [key for key, one in sources.items() if one.service in services]
        return self._ask(keys, lambda key: read_one(sources[key]))

    def _ask(
        self, keys: Iterable[str], read_one: Callable[[str], T | None]
    ) -> dict[str, Future[T | None]]:
        return {key: self.pool.submit(read_one, key) for key in keys}

    def _answers(self, asked: Mapping[str, Future[T | None]]) -> dict[str, T]:
        answers = {key: self._answer(key, one) for key, one in asked.items()}
        return {key: found for key, found in answers.items() if found is not None}

    def _answer(self, key: str, asked: Future[T | None]) -> T | None:
        try:
            return asked.result()
        except Denied as error:
            if not self.tolerant:
                raise
            self.unread[key] = error.message
            return None

    def _aliases(self) -> dict[str, str]:
        """Name the aliases, each with the config that it is of."""
        name = self.config.function.name
        doing, params = f"reading the aliases of {name}", {"FunctionName": name}
        try:
            found = self.aws.pages("lambda", "list_aliases", doing, "Aliases", params)
        except NotFound:
            return {}
        return {one["Name"]: versionowner.owner(one) for one in found}

    def _statements(self, alias: str) -> tuple[Statement, ...]:
        return read_statements(self.aws, self.config.function.name, alias)

    def _mapped(self, source: EventSource) -> list[Mapping[str, Any]]:
        """List by source: a mapping is listed so even where its alias is gone."""
        return self._mappings({"EventSourceArn": source.arn}, source.short)

    def _mapped_to(self, alias: str) -> list[Mapping[str, Any]]:
        """List by function: an alias has a list of its own."""
        function = ":".join(filter(None, (self.config.function.name, alias)))
        return self._mappings({"FunctionName": function}, function)

    def _all_mapped(self, _: str) -> list[Mapping[str, Any]]:
        """List all of the region: a mapping outlives its version, its alias and its function."""
        return self._mappings({}, "all functions")

    def _mappings(self, params: Mapping[str, str], of: str) -> list[Mapping[str, Any]]:
        doing = f"listing the event sources of {of}"
        operation, key = "list_event_source_mappings", "EventSourceMappings"
        try:
            found = self.aws.pages("lambda", operation, doing, key, params)
        except NotFound:
            return []
        return [one for one in found if invokes(one["FunctionArn"], self.function_arn)]

    def _topic(self, source: EventSource) -> Topic | None:
        doing, params = f"reading the subscriptions of {source.arn}", {"TopicArn": source.arn}
        operation = "list_subscriptions_by_topic"
        try:
            found = self.aws.pages("sns", operation, doing, "Subscriptions", params)
        except NotFound:
            return None
        except Denied:
            # A topic of others may refuse this; what one's own account has subscribed it tells.
            return self._with_attributes(source, self._own_subscriptions(source.arn))
        return self._with_attributes(source, self._subscriptions(found))

    def _own_subscriptions(self, topic_arn: str) -> Mapping[str, str]:
        """Find the function's subscriptions to one topic among all of the account's."""
        found = self.aws.pages(
            "sns",
            "list_subscriptions",
            "listing the subscriptions",
            "Subscriptions",
            region=arns.parse(topic_arn).region,
        )
        return self._subscriptions(one for one in found if one["TopicArn"] == topic_arn)

    def _subscriptions(self, listed: Iterable[Mapping[str, str]]) -> dict[str, str]:
        """Keep the function's own, by qualifier. SNS lists for a while what it has removed."""
        return {
            qualifier(one["Endpoint"]): one["SubscriptionArn"]
            for one in listed
            if invokes(one["Endpoint"], self.function_arn)
            and (one["SubscriptionArn"].startswith("arn:") or _is_pending(one))
        }

    def _with_attributes(self, source: EventSource, found: Mapping[str, str]) -> Topic:
        """Read what the config compares, or what a subscription takes along as it moves or ends."""
        filters = source.filter_policy or source.filter_policy_scope
        matter = bool(filters or self.ending or not source.enabled)
        return Topic(
            found,
            {
                one: self._attributes(subscription)
                for one, subscription in found.items()
                if subscription.startswith("arn:") and (matter or one != self.config.function.alias)
            },
        )

    def _attributes(self, subscription: str) -> Mapping[str, str]:
        doing, params = f"reading the filter of {subscription}", {"SubscriptionArn": subscription}
        try:
            answer = self.aws.call("sns", "get_subscription_attributes", doing, params)
        except NotFound:
            return {}
        found: Mapping[str, str] = answer["Attributes"]
        return found

    def _bucket(self, source: EventSource) -> Mapping[str, Any] | None:
        bucket = arns.parse(source.arn).name
        doing, params = f"reading the notifications of {bucket}", {"Bucket": bucket}
        operation = "get_bucket_notification_configuration"
        try:
            answer = self.aws.call("s3", operation, doing, params)
        except NotFound:
            return None
        except Denied as error:
            if error.code in DENIED:
                # S3 answers so of a bucket of another account too.
                error.hint = _BUCKET_HINT
            raise
        return {key: value for key, value in answer.items() if key != "ResponseMetadata"}

    def _rule(self, source: EventSource) -> Rule | None:
        names = rule_names(self.config.function.name, source)
        bus = {key: value for key, value in names.items() if key == "EventBusName"}
        doing, params = f"reading the rule {names['Name']}", {"Rule": names["Name"], **bus}
        try:
            settings = self.aws.call("events", "describe_rule", doing, names)
        except NotFound:
            return None
        targets = self.aws.pages("events", "list_targets_by_rule", doing, "Targets", params)
        return Rule(settings, tuple(targets))

    def _url(self, alias: str) -> Mapping[str, Any] | None:
        name = self.config.function.name
        params = {"FunctionName": name, **({"Qualifier": alias} if alias else {})}
        doing = f"reading the URL of {name}"
        try:
            return self.aws.call("lambda", "get_function_url_config", doing, params)
        except NotFound:
            return None


def _is_pending(subscription: Mapping[str, str]) -> bool:
    return subscription["SubscriptionArn"] == "PendingConfirmation"
