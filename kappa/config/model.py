"""The keys of a kappa config, section by section, and the config as the commands get it.

Owns which keys there are and what each holds, except the settings of AWS's calls, which are rows
of settings.py; the types of values are in value_types.py. A key that is not set is None, or empty
where AWS has no empty value. Rules between keys are those of
iam_rules, function_rules and source_rules; reading is read.py's.

All sections stand in this one file, long as it is, so that a key is looked for in one place.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field

from kappa.arn import parse_arn
from kappa.config import advised_commands
from kappa.config.files import expand_home
from kappa.config.tree import Keys, Tree, dotted
from kappa.config.value_types import (
    AccountId,
    Action,
    AliasName,
    Architectures,
    ArnText,
    BucketName,
    BuildCommand,
    DeadLetterArn,
    Document,
    EventSourceToken,
    FunctionName,
    IamPath,
    ImageUri,
    Json,
    KeepVersions,
    LogDays,
    OptionalJson,
    OrganizationId,
    PackageName,
    PolicyDescription,
    PolicyName,
    ProfileName,
    RegionName,
    Requirements,
    Reserved,
    RoleArn,
    RoleName,
    RuleEventAge,
    RuleName,
    RuleRetries,
    RuleWords,
    StatementId,
    Text,
)
from kappa.config.values import Values
from kappa.errors import ConfigError


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the file: unknown keys are errors."""


class Policy(Section, frozen=True):
    """iam.policy: one that kappa makes from `document`, or one that exists by name or ARN."""

    name: PolicyName = ""
    arn: ArnText = ""
    document: Document = ""
    description: PolicyDescription = ""
    path: IamPath = "/kappa/"


class Role(Section, frozen=True):
    """iam.role: by name, made by kappa where it is missing; by arn, used as it is."""

    name: RoleName = ""
    arn: ArnText = ""
    path: IamPath = "/kappa/"
    policy: str = ""


class Iam(Section, frozen=True):
    """The iam section. Without it the function's role is left as AWS has it."""

    role: Role
    policy: Policy | None = None


# The names that kappa itself gives the permissions of lambda.url.
URL_STATEMENT = re.compile(r"kappa-url(-.*)?")


class Permission(Section, frozen=True):
    """One statement of the function's resource policy.

    Source: AWS Lambda API reference, "AddPermission".
    """

    statement_id: StatementId
    principal: Text
    action: Action = "lambda:InvokeFunction"
    source_arn: ArnText = ""
    source_account: AccountId = ""
    principal_org_id: OrganizationId = ""
    event_source_token: EventSourceToken = ""
    function_url_auth_type: Literal["AWS_IAM", "NONE"] | None = None
    invoked_via_function_url: bool = False
    public: bool = False


class Async(Section, frozen=True):
    """lambda.async: what becomes of asynchronous calls that fail, or do not."""

    maximum_retry_attempts: int | None = None
    maximum_event_age_s: int | None = None
    on_failure: str | None = None
    on_success: str | None = None


class Vpc(Section, frozen=True):
    """lambda.vpc: the network that the function is in; empty for none."""

    subnet_ids: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    ipv6: bool | None = None


class Logging(Section, frozen=True):
    """lambda.logging: how and where the function logs; empty for AWS's own way."""

    format: str | None = None
    application_level: str | None = None
    system_level: str | None = None
    group: str = ""


class Image(Section, frozen=True):
    """lambda.image: a container image in place of path, handler and runtime."""

    uri: ImageUri


class KeyFilter(Section, frozen=True):
    """A prefix or a suffix of S3 keys."""

    type: Literal["prefix", "suffix"]
    value: str


class InputTransformer(Section, frozen=True):
    """What a rule makes of an event: a template with values that `paths` take out of the event."""

    template: Text
    paths: dict[str, str] = {}


class RetryPolicy(Section, frozen=True):
    """How long a rule tries to invoke the function; empty for EventBridge's own way."""

    maximum_retry_attempts: RuleRetries | None = None
    maximum_event_age_s: RuleEventAge | None = None


class EventSource(Section, frozen=True):
    """What invokes the function: by ARN, or by name for a rule of EventBridge.

    Kafka of one's own has neither. The table of settings adds those of streams and queues, and
    checks each; of those, only what kappa itself reads stands here.
    """

    arn: ArnText = ""
    name: RuleName = ""
    enabled: bool = True
    batch_size: int | None = None
    batch_window_s: int | None = None
    starting_position: str | None = None
    starting_position_timestamp: str = ""
    maximum_record_age_s: int | None = None
    filter_criteria: tuple[str, ...] | None = None
    on_failure: str | None = None
    topics: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    self_managed_event_source: Any = None
    events: tuple[Text, ...] = ()
    key_filters: tuple[KeyFilter, ...] = ()
    filter_policy: Json = ""
    filter_policy_scope: Literal["MessageAttributes", "MessageBody"] | None = None
    schedule: Text = ""
    pattern: Json = ""
    input: OptionalJson | None = None
    input_path: str | None = None
    input_transformer: InputTransformer | None = None
    retry_policy: RetryPolicy | None = None
    dead_letter: DeadLetterArn | None = None
    description: RuleWords | None = None
    role_arn: RoleArn | None = None

    @property
    def key(self) -> str:
        """What tells it from the config's others: ARN, name or addresses, and topic or queue."""
        own = self.self_managed_event_source
        addresses = [",".join(hosts) for hosts in (own.endpoints or {}).values()] if own else []
        return " ".join([self.arn or self.name, *addresses, *self.topics, *self.queues]).strip()

    @property
    def service(self) -> str:
        """The service that the ARN names, such as sns; events where there is a name only."""
        if self.self_managed_event_source:
            return "kafka"
        return parse_arn(self.arn).service if self.arn else "events"

    @property
    def label(self) -> str:
        """What a report calls it, e.g. "event source sns my-topic", and of a bucket which keys."""
        return f"{self.plain_label} ({self.keys})" if self.keys else self.plain_label

    @property
    def plain_label(self) -> str:
        """The same without the keys: a config may have several sources of one bucket."""
        return f"event source {self.service} {self.short}"

    @property
    def keys(self) -> str:
        """Which keys of a bucket it is for, e.g. "in/*.jpg"; "" where it is for all."""
        given = {key.type: key.value for key in self.key_filters}
        return f"{given.get('prefix', '')}*{given.get('suffix', '')}" if given else ""

    @property
    def short(self) -> str:
        """What a person calls it, e.g. "my-topic"."""
        inside = ", ".join((*self.topics, *self.queues))
        return inside or (parse_arn(self.arn).name if self.arn else self.name)


def rule_names(function: str, source: EventSource) -> dict[str, str]:
    """The rule's name, as DescribeRule wants it, and its bus unless that is the default one."""
    if source.name:
        return {"Name": f"{function}-{source.name}"}
    *bus, name = parse_arn(source.arn).resource.removeprefix("rule/").split("/")
    return {"Name": name, **({"EventBusName": "/".join(bus)} if bus else {})}


class Cors(Section, frozen=True):
    """lambda.url.cors: which pages of other hosts may call. It is taken as a whole."""

    allow_credentials: bool | None = None
    allow_headers: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age_s: int | None = None


class Url(Section, frozen=True):
    """lambda.url: an HTTPS address of the function's own."""

    auth: str
    cors: Cors | None = None
    invoke_mode: str | None = None


class Function(Section, frozen=True):
    """The lambda section. None: not set, so AWS keeps its value.

    The table of settings adds every setting of AWS's calls, and checks each; of those, only what
    kappa itself reads stands here.
    """

    name: FunctionName
    path: Text = ""
    handler: str = ""
    runtime: str = ""
    image: Image | None = None
    memory_size: int | None = None
    timeout: int | None = None
    environment: dict[str, str] | None = None
    architectures: Architectures | None = None
    ephemeral_storage_mb: int | None = None
    layers: tuple[str, ...] | None = None
    vpc: Vpc | None = None
    kms_key: str | None = None
    tags: dict[str, str] | None = None
    reserved_concurrency: Reserved | None = None
    dead_letter: str | None = None
    logging: Logging | None = None
    permissions: tuple[Permission, ...] = ()
    event_sources: tuple[EventSource, ...] = ()
    url: Url | None = None
    async_: Async | None = field(default=None, name="async")
    log_retention_days: LogDays | None = None
    alias: AliasName = ""
    publish: bool = False
    keep_versions: KeepVersions | None = None
    snap_start: bool | None = None
    build: BuildCommand | None = None
    build_inputs: tuple[Text, ...] = ()
    requirements: Requirements | None = None
    build_packages: tuple[PackageName, ...] = ()
    dependencies: tuple[Text, ...] = ()
    excluded_dirs: tuple[Text, ...] = ()
    excluded_files: tuple[Text, ...] = ()
    s3_bucket: BucketName = ""
    s3_prefix: str = ""
    test_data: str = ""
    zipfile_name: str = ""
    mode: str = ""

    @property
    def architecture(self) -> str:
        """The architecture that it is packed for: without one, AWS's default."""
        return (self.architectures or ("x86_64",))[0]

    @property
    def log_group(self) -> str:
        """The log group that the function writes to."""
        return (self.logging and self.logging.group) or f"/aws/lambda/{self.name}"

    @property
    def has_sources(self) -> bool:
        """Whether the config names anything that invokes the function: sources, or a URL."""
        return bool(self.event_sources or self.url)


class File(Section, frozen=True):
    """The whole file."""

    lambda_: Function = field(name="lambda")
    iam: Iam | None = None
    profile: ProfileName = ""
    region: RegionName = ""
    include: str | tuple[Text, ...] = ""
    resources: str = ""


class Config(Struct, frozen=True):
    """A validated config.

    tree: what the file says, in the layout of 0.3 and filled in; it gives the lines of errors.
    values: what can be filled in, also into the policy's document.
    left_out: key paths that are taken as not set, since a value in them was not read.
    is_layout_07: the file has the layout of kappa 0.7; notes: what in it has no effect.
    given_alias: the option --alias, which moves versions to another alias than lambda.alias.
    given: options of the command line, apart from --env, that an advised command must repeat.
    """

    file: Path
    function: Function
    role: Role = Role()
    policy: Policy | None = None
    profile: str | None = None
    region: str | None = None
    tree: Tree | None = None
    values: Values = field(default_factory=lambda: Values(Path()))
    left_out: tuple[Keys, ...] = ()
    environment: str = ""
    is_layout_07: bool = False
    notes: tuple[str, ...] = ()
    given_alias: str = ""
    given: tuple[str, ...] = ()

    def command(self, words: str) -> str:
        """Word an advised command so that it acts on this function, wherever that is."""
        given = (*advised_commands.options(env=self.environment), *self.given)
        return advised_commands.kappa_command(words, self.file, given=given)

    def aws(self, words: str) -> str:
        """Word a command of the AWS CLI, which knows no config, for this account and region."""
        asked = dict(zip(self.given[::2], self.given[1::2], strict=True))
        profile = asked.get("--profile", self.profile)
        region = asked.get("--region", self.region)
        return advised_commands.aws_command(
            words, advised_commands.options(profile=profile, region=region)
        )

    def error(self, keys: Keys, problem: str, hint: str = "") -> ConfigError:
        """Build the error for what stands at a key path, with its file and line."""
        return (self.tree or Tree(self.file, {})).error(keys, problem, hint)

    def place(self, keys: Keys) -> str:
        """Name file, line and key of what stands at a key path."""
        return self.error(keys, dotted(keys)).message

    @property
    def published_alias(self) -> str:
        """The alias that is moved to each version that is published."""
        return self.given_alias or self.function.alias

    @property
    def makes_role(self) -> bool:
        """Whether the role is kappa's own, which it gives the policy and deletes."""
        return self.policy is not None and bool(self.role.name)

    @property
    def default_position(self) -> str:
        """Where a new stream is read from if the config does not say.

        It is the default of the kappa whose layout the config has.
        """
        return "LATEST" if self.is_layout_07 else "TRIM_HORIZON"

    def beside(self, path: str) -> Path:
        """A path of the file, relative to the file's own folder."""
        return self.file.parent / expand_home(path)
