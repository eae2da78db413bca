"""An AWS account in memory, with the calls that kappa makes for a function and its sources.

It behaves as AWS does where the emulator differs, according to recorded answers. Each alias has its
own policy, which does not exist while it is empty. A mapping is listed only for its own qualifier,
and a second one of the same source is refused. Mappings and subscriptions outlive the function; its
URLs do not. An unknown call is an error.
"""

import itertools
import json
from types import SimpleNamespace

from kappa.errors import AwsError, Conflict, NotFound
from local.testkit.events import ACCOUNT

REGION = "us-east-1"
NAME = "greeter"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{NAME}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/greeter-role"
MISSING = "ResourceNotFoundException"


def missing(what, code=MISSING):
    return NotFound(f"AWS: {what} does not exist", code=code, text=what)


def conflict(text, code="ResourceConflictException"):
    return Conflict(f"AWS: {text}", code=code, text=text)


def conditions(params):
    """The conditions of AddPermission's parameters, as AWS writes them into the statement."""
    written = {
        ("ArnLike", "AWS:SourceArn"): params.get("SourceArn"),
        ("StringEquals", "AWS:SourceAccount"): params.get("SourceAccount"),
        ("StringEquals", "lambda:FunctionUrlAuthType"): params.get("FunctionUrlAuthType"),
        ("Bool", "lambda:InvokedViaFunctionUrl"): params.get("InvokedViaFunctionUrl") and "true",
    }
    operators = {}
    for (operator, key), value in written.items():
        if value:
            operators.setdefault(operator, {})[key] = value
    return {"Condition": operators} if operators else {}


def written_principal(principal):
    """A principal as AWS writes it: an account's id becomes its root's ARN."""
    if principal.isdigit():
        return {"AWS": f"arn:aws:iam::{principal}:root"}
    return {"Service": principal}


class Account:
    """Answers as kappa's Aws does. Calls `before` before each write, and `after` after it."""

    partition, region, account = "aws", REGION, ACCOUNT

    def __init__(self, topics=(), buckets=(), after=lambda: None):
        self.numbers, self.published = itertools.count(1), itertools.count(1)
        self.before, self.after = lambda _operation: None, after
        self.revisions = {}
        self.function, self.tags, self.versions, self.aliases = None, {}, {}, {}
        self.policies, self.urls, self.asynchronous = {}, {}, {}
        self.mappings, self.subscriptions, self.rules = {}, {}, {}
        self.topics = set(topics)
        self.buckets = {name: {} for name in buckets}

    # As kappa.aws.client.Aws

    def remember_account(self, _arn):
        """Do nothing: the account is known."""

    def call(self, service, operation, _doing, params=None):
        writes = not operation.startswith(("get_", "list_", "describe_"))
        if writes:
            self.before(operation)
        answer = getattr(self, f"{service}_{operation}")(**(params or {})) or {}
        if writes:
            self.after()
        return json.loads(json.dumps(answer, default=str))

    def pages(self, service, operation, doing, key, params=None, region=""):
        return self.call(service, operation, doing, params).get(key, [])

    # Lambda

    def _qualified(self, name, alias=""):
        if self.function is None:
            raise missing(f"Function not found: {FUNCTION}")
        _, _, other = name.rpartition("function:")[2].partition(":")
        alias = alias or other
        if alias and alias not in self.aliases and alias not in self.versions:
            raise missing(f"Cannot find alias arn: {FUNCTION}:{alias}")
        return alias

    def _settings(self, **changes):
        if self.function is None:
            raise missing(f"Function not found: {FUNCTION}")
        states = {"State": "Active", "LastUpdateStatus": "Successful"}
        return {**self.function, "RevisionId": self.revisions[""], **states, **changes}

    def lambda_get_function(self, FunctionName):  # noqa: N803
        settings = self._settings()
        code = {"ImageUri": settings["ImageUri"]}
        return {"Configuration": settings, "Code": code, "Tags": self.tags}

    def lambda_get_function_configuration(self, FunctionName, Qualifier=""):  # noqa: N803
        number = self.aliases.get(Qualifier, Qualifier)
        return self.versions[number] if number in self.versions else self._settings()

    def _revised(self, name, given=None):
        """Make a new revision of $LATEST or of an alias, if `given` is its current one."""
        if given is not None and given != self.revisions.get(name, "0"):
            text = "The RevisionId provided does not match the latest RevisionId"
            raise Conflict(text, code="PreconditionFailedException", text=text)
        self.revisions[name] = str(next(self.numbers))

    def lambda_create_function(self, FunctionName, Code, Tags=None, **params):  # noqa: N803
        if self.function is not None:
            raise conflict(f"Function already exist: {FunctionName}")
        self.tags = dict(Tags or {})
        made = {"FunctionName": NAME, "FunctionArn": FUNCTION, "Version": "$LATEST", **params}
        self._revised("")
        self.function = {**made, "ImageUri": Code["ImageUri"], "CodeSha256": Code["ImageUri"]}
        return self._settings()

    def lambda_update_function_configuration(self, FunctionName, RevisionId=None, **params):  # noqa: N803
        self._revised("", RevisionId)
        self.function |= params
        return self._settings()

    def lambda_update_function_code(self, FunctionName, ImageUri, RevisionId=None, **_):  # noqa: N803
        self._revised("", RevisionId)
        self.function |= {"ImageUri": ImageUri, "CodeSha256": ImageUri}
        return self._settings()

    def lambda_delete_function(self, FunctionName, Qualifier=""):  # noqa: N803
        if Qualifier:
            self.versions.pop(Qualifier)
            return
        self.function, self.versions, self.aliases = None, {}, {}
        self.policies, self.urls, self.asynchronous = {}, {}, {}

    def lambda_list_versions_by_function(self, FunctionName):  # noqa: N803
        return {"Versions": [self._settings(), *self.versions.values()]}

    def lambda_publish_version(self, FunctionName, RevisionId=None, CodeSha256=None):  # noqa: N803
        if RevisionId not in (None, self.revisions[""]):
            self._revised("", RevisionId)
        if CodeSha256 not in (None, self.function["CodeSha256"]):
            text = f"CodeSHA256 ({CodeSha256}) is different from current CodeSHA256 in $LATEST"
            raise AwsError(text, code="InvalidParameterValueException", text=text)
        newest = max(self.versions, key=int, default="")
        same = newest and all(
            self.versions[newest].get(key) == value
            for key, value in self.function.items()
            if key not in ("FunctionArn", "Version")
        )
        number = newest if same else str(next(self.published))
        arn = f"{FUNCTION}:{number}"
        self.versions[number] = self._settings(Version=number, FunctionArn=arn)
        return self.versions[number]

    def lambda_list_aliases(self, FunctionName):  # noqa: N803
        self._qualified(FunctionName)
        return {"Aliases": [self._alias(name) for name in self.aliases]}

    def _alias(self, name):
        return {
            "Name": name,
            "FunctionVersion": self.aliases[name],
            "RevisionId": self.revisions.get(name, "0"),
        }

    def lambda_create_alias(self, FunctionName, Name, FunctionVersion):  # noqa: N803
        if Name in self.aliases:
            raise conflict(f"Alias already exists: {FUNCTION}:{Name}")
        self._revised(Name)
        self.aliases[Name] = FunctionVersion
        return self._alias(Name)

    def lambda_update_alias(self, FunctionName, Name, FunctionVersion, **params):  # noqa: N803
        self._revised(Name, params.get("RevisionId"))
        self.aliases[Name] = FunctionVersion
        return self._alias(Name)

    def delete_alias(self, name):
        """Delete an alias without kappa."""
        self.aliases.pop(name)
        for kept in (self.policies, self.urls, self.asynchronous):
            kept.pop(name, None)

    def lambda_get_policy(self, FunctionName, Qualifier=""):  # noqa: N803
        given = self.policies.get(self._qualified(FunctionName, Qualifier), {})
        if not given:
            raise missing("The resource you requested does not exist.")
        return {"Policy": json.dumps({"Statement": list(given.values())})}

    def lambda_add_permission(self, FunctionName, StatementId, Qualifier="", **params):  # noqa: N803
        alias = self._qualified(FunctionName, Qualifier)
        given = self.policies.setdefault(alias, {})
        if StatementId in given:
            raise conflict(f"The statement id ({StatementId}) provided already exists.")
        principal = params["Principal"]
        given[StatementId] = {
            "Sid": StatementId,
            "Effect": "Allow",
            "Principal": principal if principal == "*" else written_principal(principal),
            "Action": params["Action"],
            "Resource": ":".join(filter(None, (FUNCTION, alias))),
            **conditions(params),
        }

    def lambda_remove_permission(self, FunctionName, StatementId, Qualifier=""):  # noqa: N803
        given = self.policies.get(self._qualified(FunctionName, Qualifier), {})
        if given.pop(StatementId, None) is None:
            raise missing(f"Statement {StatementId} is not found in resource policy.")

    def _url(self, name, alias):
        url = self.urls.get(self._qualified(name, alias))
        if url is None:
            raise missing("The resource you requested does not exist.")
        return url

    def lambda_get_function_url_config(self, FunctionName, Qualifier=""):  # noqa: N803
        return self._url(FunctionName, Qualifier)

    def lambda_create_function_url_config(self, FunctionName, Qualifier="", **params):  # noqa: N803
        if self._qualified(FunctionName, Qualifier) in self.urls:
            raise conflict(f"FunctionUrlConfig exists for this Lambda function {FUNCTION}")
        address = f"https://url{next(self.numbers)}.on.aws/"
        made = {"FunctionUrl": address, **params}
        self.urls[self._qualified(FunctionName, Qualifier)] = made
        return made

    def lambda_update_function_url_config(self, FunctionName, Qualifier="", **params):  # noqa: N803
        self._url(FunctionName, Qualifier).update(params)

    def lambda_delete_function_url_config(self, FunctionName, Qualifier=""):  # noqa: N803
        self._url(FunctionName, Qualifier)
        del self.urls[Qualifier]

    def lambda_get_function_event_invoke_config(self, FunctionName, Qualifier=""):  # noqa: N803
        if Qualifier not in self.asynchronous:
            raise missing("it doesn't have an EventInvokeConfig")
        return self.asynchronous[Qualifier]

    def lambda_put_function_event_invoke_config(self, FunctionName, Qualifier="", **params):  # noqa: N803
        self.asynchronous[self._qualified(FunctionName, Qualifier)] = params

    def lambda_list_event_source_mappings(self, FunctionName="", EventSourceArn=""):  # noqa: N803
        arn = FUNCTION + FunctionName.removeprefix(NAME)
        return {
            "EventSourceMappings": [
                mapping
                for mapping in self.mappings.values()
                if (not FunctionName or mapping["FunctionArn"] == arn)
                and (not EventSourceArn or mapping.get("EventSourceArn") == EventSourceArn)
            ]
        }

    def lambda_create_event_source_mapping(self, FunctionName, Enabled=True, **params):  # noqa: N803
        alias = self._qualified(FunctionName)
        arn = ":".join(filter(None, (FUNCTION, alias)))
        if any(
            mapping["FunctionArn"] == arn
            and mapping.get("EventSourceArn") == params["EventSourceArn"]
            for mapping in self.mappings.values()
        ):
            raise Conflict(
                "exists", code="ResourceConflictException", text="a mapping already exists"
            )
        uuid = f"uuid-{next(self.numbers)}"
        state = "Enabled" if Enabled else "Disabled"
        self.mappings[uuid] = {"UUID": uuid, "FunctionArn": arn, "State": state, **params}
        return self.mappings[uuid]

    def lambda_get_event_source_mapping(self, UUID):  # noqa: N803
        if UUID not in self.mappings:
            raise missing("The resource you requested does not exist.")
        return self.mappings[UUID]

    def lambda_update_event_source_mapping(self, UUID, FunctionName="", Enabled=None, **params):  # noqa: N803
        mapping = self.lambda_get_event_source_mapping(UUID)
        if FunctionName:
            alias = self._qualified(FunctionName)
            mapping["FunctionArn"] = ":".join(filter(None, (FUNCTION, alias)))
        if Enabled is not None:
            mapping["State"] = "Enabled" if Enabled else "Disabled"
        mapping.update(params)
        return mapping

    def lambda_delete_event_source_mapping(self, UUID):  # noqa: N803
        del self.mappings[UUID]

    # SNS, S3, EventBridge, IAM, logs

    def sns_list_subscriptions_by_topic(self, TopicArn):  # noqa: N803
        if TopicArn not in self.topics:
            raise missing("Topic does not exist", "NotFound")
        return {
            "Subscriptions": [s for s in self.subscriptions.values() if s["TopicArn"] == TopicArn]
        }

    def sns_list_subscriptions(self):
        return {"Subscriptions": list(self.subscriptions.values())}

    def sns_get_subscription_attributes(self, SubscriptionArn):  # noqa: N803
        return {"Attributes": self.subscriptions[SubscriptionArn].get("Attributes", {})}

    def sns_subscribe(self, TopicArn, Endpoint, Attributes=None, **_):  # noqa: N803
        for subscription in self.subscriptions.values():
            if (subscription["TopicArn"], subscription["Endpoint"]) == (TopicArn, Endpoint):
                return subscription
        arn = f"{TopicArn}:{next(self.numbers)}"
        ends = {"TopicArn": TopicArn, "Endpoint": Endpoint, "Attributes": Attributes or {}}
        self.subscriptions[arn] = {"SubscriptionArn": arn, **ends}
        return self.subscriptions[arn]

    def sns_unsubscribe(self, SubscriptionArn):  # noqa: N803
        self.subscriptions.pop(SubscriptionArn, None)

    def s3_get_bucket_notification_configuration(self, Bucket):  # noqa: N803
        if Bucket not in self.buckets:
            raise missing("The specified bucket does not exist", "NoSuchBucket")
        return self.buckets[Bucket]

    def s3_put_bucket_notification_configuration(self, Bucket, NotificationConfiguration, **_):  # noqa: N803
        for notification in NotificationConfiguration.get("LambdaFunctionConfigurations", ()):
            alias = notification["LambdaFunctionArn"].removeprefix(FUNCTION).lstrip(":")
            given = self.policies.get(alias, {}).values()
            if not any(each["Principal"] == {"Service": "s3.amazonaws.com"} for each in given):
                text = "Unable to validate the following destination configurations"
                raise AwsError(text, code="InvalidArgument", text=text)
        self.buckets[Bucket] = NotificationConfiguration

    def events_describe_rule(self, Name, **_):  # noqa: N803
        if Name not in self.rules:
            raise missing(f"Rule {Name} does not exist on EventBus default.")
        return self.rules[Name]["settings"]

    def events_list_targets_by_rule(self, Rule, **_):  # noqa: N803
        return {"Targets": list(self.rules[Rule]["targets"].values())}

    def events_put_rule(self, Name, **params):  # noqa: N803
        kept = self.rules.get(Name, {}).get("targets", {})
        arn = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{Name}"
        settings = {"Name": Name, "Arn": arn, "State": "ENABLED", **params}
        self.rules[Name] = {"settings": settings, "targets": kept}

    def events_enable_rule(self, Name, **_):  # noqa: N803
        self.rules[Name]["settings"]["State"] = "ENABLED"

    def events_disable_rule(self, Name, **_):  # noqa: N803
        self.rules[Name]["settings"]["State"] = "DISABLED"

    def events_put_targets(self, Rule, Targets, **_):  # noqa: N803
        self.rules[Rule]["targets"].update({target["Id"]: target for target in Targets})

    def events_remove_targets(self, Rule, Ids, **_):  # noqa: N803
        for target_id in Ids:
            self.rules[Rule]["targets"].pop(target_id)

    def events_delete_rule(self, Name, **_):  # noqa: N803
        assert not self.rules[Name]["targets"]
        del self.rules[Name]

    def iam_get_role(self, RoleName):  # noqa: N803
        return {"Role": {"RoleName": RoleName, "Arn": ROLE, "Path": "/"}}

    def iam_list_attached_role_policies(self, RoleName):  # noqa: N803
        return {"AttachedPolicies": []}

    def iam_list_role_policies(self, RoleName):  # noqa: N803
        return {"PolicyNames": []}

    def logs_describe_log_groups(self, **_):
        return {"logGroups": []}

    # What tests read

    def deliveries(self):
        """The qualifiers that each kind of enabled source invokes: {kind: [qualifier]}."""
        on = lambda arn: arn.removeprefix(FUNCTION).lstrip(":")  # noqa: E731
        notified = [
            notification["LambdaFunctionArn"]
            for configuration in self.buckets.values()
            for notification in configuration.get("LambdaFunctionConfigurations", ())
        ]
        invoked = [
            target["Arn"]
            for rule in self.rules.values()
            if rule["settings"]["State"] == "ENABLED"
            for target in rule["targets"].values()
        ]
        mapped = [mapping for mapping in self.mappings.values() if mapping["State"] == "Enabled"]
        return {
            "sns": sorted(
                on(subscription["Endpoint"]) for subscription in self.subscriptions.values()
            ),
            "sqs": sorted(on(mapping["FunctionArn"]) for mapping in mapped),
            "s3": sorted(map(on, notified)),
            "events": sorted(map(on, invoked)),
        }

    def left(self):
        """What is left of the function and its sources."""
        targets = [target for rule in self.rules.values() for target in rule["targets"]]
        own = [self.function, *self.mappings, *self.subscriptions, *self.rules, *targets]
        return [part for part in (*own, *self.buckets.values(), *self.urls) if part]


def clock():
    """A clock whose sleeps take no time."""
    now = SimpleNamespace(s=0.0)

    def sleep(seconds):
        now.s += seconds

    from kappa.plan.step import Clock

    return Clock(now=lambda: now.s, sleep=sleep)
