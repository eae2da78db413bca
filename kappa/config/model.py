"""The types of a kappa config: every key, its kind, its range and the words for it.

Owns what one key may hold. Rules between keys, and reading, are read.py's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from kappa.config import command_line
from kappa.config.fields import ArnText, ProfileName, RegionName, Section, Text
from kappa.config.files import at_home
from kappa.config.function_fields import (
    AliasName,
    Async,
    DeadLetterArn,
    EphemeralStorage,
    Handler,
    Image,
    KeepVersions,
    KeyArn,
    Layers,
    Logging,
    Reserved,
    Tracing,
    Vpc,
)
from kappa.config.source_fields import EventSource, Url
from kappa.config.tree import Keys, Tree
from kappa.errors import ConfigError

_PATH_WORDS = "a path that begins and ends with /, such as /kappa/"

IamPath = Annotated[str, Meta(pattern=r"^/([!-~]+/)?$", description=_PATH_WORDS)]
FunctionName = Annotated[
    str, Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}$", description="1 to 64 letters, digits, - and _")
]
RoleName = Annotated[
    str, Meta(pattern=r"^[\w+=,.@-]{1,64}$", description="1 to 64 letters, digits and +=,.@_-")
]
PolicyName = Annotated[
    str, Meta(pattern=r"^[\w+=,.@-]{1,128}$", description="1 to 128 letters, digits and +=,.@_-")
]
StatementId = Annotated[
    str, Meta(pattern=r"^[a-zA-Z0-9_-]{1,100}$", description="1 to 100 letters, digits, - and _")
]
Description = Annotated[str, Meta(max_length=256, description="a text of at most 256 characters")]
Document = Annotated[
    str | dict[str, Any],
    Meta(description="the path of a JSON file, or a mapping with Version and Statement"),
]
Requirements = Annotated[
    str | tuple[str, ...],
    Meta(description="the path of a requirements file, or a list such as [requests==2.32.3]"),
]
BucketName = Annotated[
    str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="the name of a bucket")
]
Timeout = Annotated[int, Meta(ge=1, le=5400, description="1 to 5400 (seconds)")]
Memory = Annotated[int, Meta(ge=128, le=32768, description="128 to 32768 (MB)")]
Action = Annotated[
    str,
    Meta(
        pattern=r"^(\*|lambda:(\*|[a-zA-Z]+))$",
        description="an action such as lambda:InvokeFunction",
    ),
]
LOG_DAYS = (
    "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, "
    "2922, 3288, 3653"
)
LogDays = Annotated[int, Meta(description=f"{LOG_DAYS} (days)")]


class Policy(Section, frozen=True):
    """iam.policy: one that kappa makes from `document`, or one that exists by name or ARN."""

    name: PolicyName = ""
    arn: ArnText = ""
    document: Document = ""
    description: Annotated[
        str, Meta(max_length=1000, description="a text of at most 1000 characters")
    ] = ""
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
    source_account: Annotated[
        str, Meta(pattern=r"^\d{12}$", description="an account's 12 digits")
    ] = ""
    principal_org_id: Annotated[
        str,
        Meta(
            pattern=r"^o-[a-z0-9]{10,32}$", description="an organization's id, such as o-a1b2c3d4e5"
        ),
    ] = ""
    event_source_token: Annotated[
        str,
        Meta(
            pattern=r"^[a-zA-Z0-9._-]{1,256}$",
            description="a token, such as the id of an Alexa skill",
        ),
    ] = ""
    function_url_auth_type: Literal["AWS_IAM", "NONE"] | None = None
    invoked_via_function_url: bool = False
    public: bool = False


class Function(Section, frozen=True):
    """The lambda section. None means: not said, so what AWS has is left as it is."""

    name: FunctionName
    path: Text = ""
    handler: Handler = ""
    runtime: Text = ""
    image: Image | None = None
    description: Description | None = None
    memory_size: Memory | None = None
    timeout: Timeout | None = None
    environment: dict[str, str] | None = None
    architectures: tuple[Literal["arm64", "x86_64"], ...] | None = None
    ephemeral_storage_mb: EphemeralStorage | None = None
    layers: Layers | None = None
    vpc: Vpc | None = None
    tracing: Tracing | None = None
    kms_key: KeyArn | None = None
    tags: dict[str, str] | None = None
    reserved_concurrency: Reserved | None = None
    dead_letter: DeadLetterArn | None = None
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
    requirements: Requirements | None = None
    dependencies: tuple[Text, ...] = ()
    excluded_dirs: tuple[Text, ...] = ()
    excluded_files: tuple[Text, ...] = ()
    s3_bucket: BucketName = ""
    s3_prefix: str = ""
    test_data: str = ""
    zipfile_name: str = ""
    mode: str = ""

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
    include: str = ""
    resources: str = ""


class Config(Struct, frozen=True):
    """A validated config.

    `values` are the included ones, for the policy document, and `hint` is the included file's, for
    a value that is missing. `later` tells that the file has the layout of kappa 0.7; `notes` what
    in it has no effect. `bound` is the alias that AWS has its event sources on, where the config
    names none. `include` is the path of the included file as it is written; `included` gives by
    key path each text that a value was put into, filled in and as it is written. `siblings` are
    the aliases of other environments and configs of this function; "" is the function itself.
    `given` are the options of the command line, apart from --env, that an advised command must
    repeat.
    """

    file: Path
    function: Function
    role: Role = Role()
    policy: Policy | None = None
    profile: str | None = None
    region: str | None = None
    values: Mapping[str, str] = {}
    hint: str = ""
    environment: str = ""
    lines: Mapping[Keys, int] = {}
    origins: Mapping[Keys, Keys] = {}
    later: bool = False
    notes: tuple[str, ...] = ()
    bound: str | None = None
    include: str = ""
    included: Mapping[Keys, tuple[str, str]] = {}
    siblings: frozenset[str] = frozenset()
    given: tuple[str, ...] = ()

    def command(self, words: str) -> str:
        """Word an advised command so that it acts on this function, wherever that is."""
        given = (*command_line.options(env=self.environment), *self.given)
        return command_line.kappa_command(words, self.file, given=given)

    def aws(self, words: str) -> str:
        """Word a command of the AWS CLI, which knows no config, for this account and region."""
        asked = dict(zip(self.given[::2], self.given[1::2], strict=True))
        profile = asked.get("--profile", self.profile)
        region = asked.get("--region", self.region)
        return command_line.aws_command(words, command_line.options(profile=profile, region=region))

    def error(self, keys: Keys, problem: str, hint: str = "") -> ConfigError:
        """Build the error for what stands at a key path, with its file and line."""
        return self._tree.error(keys, problem, hint)

    def masked(self, text: str) -> str:
        """Put what the config writes, such as ${name}, in place of included values."""
        return self._tree.without_included(text)

    @property
    def _tree(self) -> Tree:
        texts = {at: text for at, (text, _) in self.included.items()}
        written = {at: words for at, (_, words) in self.included.items()}
        return Tree(self.file, {}, self.lines, texts, origins=self.origins, written=written)

    @property
    def qualifier(self) -> str:
        """The alias that sources, URL, permissions and asynchronous settings are bound to."""
        return self.function.alias if self.bound is None else self.bound

    @property
    def others(self) -> frozenset[str]:
        """The aliases that others have their sources on: not this config's business."""
        return self.siblings - {self.qualifier}

    @property
    def makes_role(self) -> bool:
        """Whether the role is kappa's own, which it gives the policy and deletes."""
        return self.policy is not None and bool(self.role.name)

    @property
    def default_position(self) -> str:
        """Where the reading of a new stream begins, unless the config says: as in its kappa."""
        return "LATEST" if self.later else "TRIM_HORIZON"

    def beside(self, path: str) -> Path:
        """A path of the file, relative to the file's own folder."""
        return self.file.parent / at_home(path)
