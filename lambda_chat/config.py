"""config.yml: the names that resources.py, update.sh and kappa's two configs share.

Owns every rule about that file: its keys, their patterns, what a missing value means, and the
block that `./resources.py output --save` writes. It must not talk to AWS or print.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import os
import re
import reprlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
import yaml

from kappa.config.files import exists, read_file
from kappa.config.tree import parse_tree
from kappa.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]

# S3 guide, "General purpose bucket naming rules": AWS keeps these prefixes and suffixes
RESERVED_BUCKETS = "(?!xn--|sthree-|amzn-s3-demo-)(?!.*(?:-s3alias|--ol-s3|--x-s3|--table-s3)$)"
BUCKET_PATTERN = RESERVED_BUCKETS + "[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"
CLIENT_ID_PATTERN = r"[0-9]+-[a-z0-9]+\.apps\.googleusercontent\.com"
# css, js and vendor hold the public page; the chat's data must never be among it
DATA_PREFIX_PATTERN = "(?!(?:css|js|vendor)/)(?:[a-z0-9][a-z0-9_-]*/)+"
# the functions get these exactly as written in the file, and apply the same rules
FOR_FUNCTIONS = ("data_prefix", "history", "retention_days", "rate_limit", "allowed_domains")
RATE_LIMIT_PATTERN = "0|[1-9][0-9]{0,3}/[1-9][0-9]{0,3}s"
ALLOWED_ONE = r"(?:[^@\s,]+@)?(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+"
ALLOWED_PATTERN = rf"{ALLOWED_ONE}(?:[, ]+{ALLOWED_ONE})*"
STACK_PATTERN = "[A-Za-z][A-Za-z0-9-]{0,44}"
EMAIL_PATTERN = r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+"

# A value in an error may be as long as a file.
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 200

BEGIN = "# >>> saved by ./resources.py output --save: do not edit >>>"
END = "# <<< saved by ./resources.py output --save <<<"


class ChatConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The values of config.yml; those that the stack has not provided yet are ""."""

    s3_bucket: str
    google_oauth_client_id: str
    region: str = ""
    profile: str = ""
    stack_name: str = "Lambda-Chat"
    data_prefix: str = "data/"
    history: int = 20
    retention_days: int = 0
    rate_limit: str = "10/10s"
    allowed_domains: str = ""
    alarm_email: str = ""
    push: bool = False
    sns_topic_arn: str = ""
    website_iam_role_arn: str = ""
    identity_iam_role_arn: str = ""
    failures_topic_arn: str = ""
    dynamodb_table: str = ""
    dynamodb_table_arn: str = ""
    dynamodb_stream_arn: str = ""
    rate_table: str = ""
    rate_table_arn: str = ""
    push_endpoint: str = ""
    push_topics: str = ""


# Keys of the config.yml of 2015, and what replaces them.
OF_2015 = {
    "amazon_app_client_id": "people sign in with Google: `google_oauth_client_id`",
    "data_key": "each channel has a transcript of its own, in the folder `data_prefix`",
    "tags": "tag the stack in the console of CloudFormation",
}
KEYS = ChatConfig.__struct_fields__
REQUIRED = ("s3_bucket", "google_oauth_client_id")
# The saved block: the stack's outputs; with `push: true`, these two as well.
SAVED = KEYS[KEYS.index("sns_topic_arn") : KEYS.index("push_endpoint")]
SAVED_FOR_PUSH = KEYS[KEYS.index("push_endpoint") :]

WHOLE_NUMBERS = {"history": (1, 200), "retention_days": (0, 99999)}
PATTERNS = {
    "s3_bucket": (
        BUCKET_PATTERN,
        "3 to 63 lower-case letters, digits and dashes, without dots, and not a name that AWS "
        "reserves",
    ),
    "google_oauth_client_id": (
        CLIENT_ID_PATTERN,
        "an OAuth client id, DIGITS-LETTERS.apps.googleusercontent.com",
    ),
    "region": ("[a-z]{2,}(-[a-z]+)+-[0-9]+", "an AWS region, such as us-east-1"),
    # the longest role name of the chat, STACK-publish-transcript, may have 64 characters
    "stack_name": (
        STACK_PATTERN,
        "a letter, then at most 44 letters, digits, dashes",
    ),
    "data_prefix": (
        DATA_PREFIX_PATTERN,
        "lower-case folder names that end in a slash, outside css/, js/ and vendor/",
    ),
    "rate_limit": (
        RATE_LIMIT_PATTERN,
        "messages/seconds of one sender, such as 10/10s, or 0 for no limit",
    ),
    "allowed_domains": (
        ALLOWED_PATTERN,
        "e-mail domains and addresses, such as example.com, ada@example.org",
    ),
    "alarm_email": (EMAIL_PATTERN, "an e-mail address"),
    # local mode's has a port
    "push_endpoint": (
        r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::[0-9]{1,5})?",
        "the host of an AWS IoT Core endpoint",
    ),
    "push_topics": (
        rf"{STACK_PATTERN}/channel/\*",
        "STACK/channel/*, the topics of the channels",
    ),
}


def config_path(path: Path | None = None) -> Path:
    """Return where the config is: `path`, else $LAMBDA_CHAT_CONFIG, else the root's config.yml.

    A relative path that does not exist in the working folder is taken from the checkout's root.
    """
    if path is not None:
        return path
    from_environment = os.environ.get("LAMBDA_CHAT_CONFIG")
    if not from_environment:
        return ROOT / "config.yml"
    from_here, from_root = Path(from_environment), ROOT / from_environment
    return from_root if exists(from_root) and not exists(from_here) else from_here


def build_folder(path: Path | None = None) -> Path:
    """Return where update.sh builds the site of a config; two configs never share a folder."""
    config = config_path(path).resolve()
    if config == ROOT / "config.yml":
        return ROOT / "build" / "site"
    return ROOT / "build" / "sites" / hashlib.sha256(str(config).encode()).hexdigest()[:12]


def read_config(path: Path | None = None) -> ChatConfig:
    """Read and check the config file.

    Unknown keys are left to kappa, which reads the same file for its `${name}` values;
    unknown_keys() lists them. `TODO` and empty values count as missing.
    Raises: ConfigError, naming the file, the line and the key.
    """
    where = config_path(path)
    return parse_config(_read_text(where), where)


def parse_config(text: str, where: Path) -> ChatConfig:
    """Turn the text of the config file into its values; `where` is for the error messages."""
    values, lines = _read_mapping(text, where)
    _refuse_misspelled(values, lines, where)
    given = {key: values[key] for key in KEYS if not _is_missing(key, values.get(key))}
    missing = [_with_line(key, lines) for key in REQUIRED if key not in given]
    if missing:
        raise ConfigError(
            f"{where}: {', '.join(missing)}: not filled in.",
            "config.example.yml explains where each value comes from.",
        )
    written = parse_tree(text.encode(), where).data
    for key in FOR_FUNCTIONS:
        # 0x14 is a number in YAML, but not for the functions
        if type(given.get(key)) is int and written[key] != str(given[key]):
            given[key] = str(written[key])
    if type(given.get("rate_limit")) is int:
        given["rate_limit"] = str(given["rate_limit"])
    domains = given.get("allowed_domains")
    if isinstance(domains, list) and all(isinstance(domain, str) for domain in domains):
        given["allowed_domains"] = ", ".join(domains)
    for key, value in given.items():
        _check_value(key, value, lines, where)
    return msgspec.convert(given, ChatConfig)


def config_notes(path: Path | None = None) -> list[str]:
    """Return a note for each key of 2015 in the config: it is unused, and what replaces it."""
    where = config_path(path)
    _, lines = _read_mapping(_read_text(where), where)
    return [
        f"Note: {where}:{lines[key]}: {key} is no longer used: {words}."
        for key, words in OF_2015.items()
        if key in lines
    ]


def unknown_keys(path: Path | None = None) -> dict[str, int]:
    """Return the line of each key of the config that this module does not know.

    kappa may use such a key, as `${name}`.
    """
    where = config_path(path)
    _, lines = _read_mapping(_read_text(where), where)
    return {key: line for key, line in lines.items() if key not in KEYS and key not in OF_2015}


def outdated(config: ChatConfig, outputs: Mapping[str, str]) -> list[str]:
    """Return the keys whose saved values differ from the stack's, or are not saved."""
    keys = (*SAVED, *SAVED_FOR_PUSH)
    return [key for key in keys if key in outputs and getattr(config, key) != outputs[key]]


def check_region(region: str | None) -> None:
    """Check the command line's region.

    Raises: ConfigError, if it cannot be a region.
    """
    pattern, words = PATTERNS["region"]
    if region is not None and not re.fullmatch(pattern, region):
        raise ConfigError(f"--region {region}: not {words}.")


def require(config: ChatConfig, names: tuple[str, ...], path: Path | None = None) -> None:
    """Check that the stack's values with these names have been saved.

    Raises: ConfigError, naming the missing ones and the command that saves them.
    """
    missing = [name for name in names if not getattr(config, name)]
    if missing:
        raise ConfigError(
            f"{config_path(path)}: {', '.join(missing)}: missing.",
            "Run `./resources.py output --save`, after `./resources.py launch --wait`; of a stack "
            "that exists, after `update --wait`.",
        )


def save_outputs(outputs: Mapping[str, str], path: Path | None = None) -> bool:
    """Write the stack's values between two marker lines of the config file.

    Every other byte of the file stays. Returns False if the file already has them.
    Raises: ConfigError, if the markers are broken or one of the keys stands outside them.
    """
    where = config_path(path)
    old = _read_text(where)
    new = with_outputs(old, outputs, where)
    saved = parse_config(new, where)
    if any(getattr(saved, key) != value for key, value in outputs.items()):
        raise ConfigError(
            f"{where}: cannot add lines to it.", "Write it as plain `key: value` lines."
        )
    if new == old:
        return False
    _replace_file(where, new)
    return True


def with_outputs(text: str, outputs: Mapping[str, str], where: Path) -> str:
    """Return the text with the saved block replaced, or appended."""
    newline = "\r\n" if "\r\n" in text else "\n"
    before, after = _around_block(text, where)
    _, lines = _read_mapping(before + newline + after, where)
    for key in outputs:
        if key in lines:
            raise ConfigError(
                f"{where}: {_with_line(key, lines)}: stands outside the saved block.",
                "Remove that line, then save again.",
            )
    if before and not before.endswith("\n"):
        before += newline
    block = [BEGIN, *(f"{key}: {value}" for key, value in outputs.items()), END]
    return before + newline.join(block) + newline + after


def _around_block(text: str, where: Path) -> tuple[str, str]:
    lines = text.splitlines(keepends=True)
    marks = [line.strip() for line in lines]
    if marks.count(BEGIN) == 0 and marks.count(END) == 0:
        return text, ""
    if marks.count(BEGIN) != 1 or marks.count(END) != 1 or marks.index(END) < marks.index(BEGIN):
        raise ConfigError(
            f"{where}: the markers of the saved block are broken.",
            "Remove the block and both of its marker lines, then save again.",
        )
    return "".join(lines[: marks.index(BEGIN)]), "".join(lines[marks.index(END) + 1 :])


def _read_text(where: Path) -> str:
    try:
        return read_file(where).decode("utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{where} does not exist.", "Copy config.example.yml to it and fill in its values."
        ) from None
    except OSError as error:
        raise ConfigError(f"{where} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where} cannot be read: {error}") from error


def _read_mapping(text: str, where: Path) -> tuple[dict[str, object], dict[str, int]]:
    """Return the values and the line of each key."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if isinstance(root, yaml.MappingNode):
            _refuse_twice(root, where)
            # It refuses deep nesting, and aliases that expand too much.
            parse_tree(text.encode(), where)
        values = yaml.safe_load(text)
    except RecursionError as error:
        raise ConfigError(f"{where}: nested too deeply.") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        raise ConfigError(f"{where}:{line}: not valid YAML: {problem}.") from error
    if root is None:
        return {}, {}
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(f"{where} must hold `key: value` lines.")
    return values, {str(key.value): key.start_mark.line + 1 for key, _ in root.value}


def _refuse_twice(root: yaml.MappingNode, where: Path) -> None:
    seen: set[str] = set()
    for key, _ in root.value:
        if str(key.value) in seen:
            line = key.start_mark.line + 1
            raise ConfigError(f"{where}: line {line}: {key.value} is given twice.")
        seen.add(str(key.value))


def _is_missing(key: str, value: object) -> bool:
    if key in FOR_FUNCTIONS:  # kappa would deploy a blank value as it is
        return value is None or value in ("", "TODO")
    return value is None or (isinstance(value, str) and value.strip() in ("", "TODO"))


def _with_line(key: str, lines: Mapping[str, int]) -> str:
    return f"{key} (line {lines[key]})" if key in lines else key


def _refuse_misspelled(values: Mapping[str, object], lines: Mapping[str, int], where: Path) -> None:
    for key in values:
        if key in KEYS:
            continue
        meant = difflib.get_close_matches(str(key), [k for k in KEYS if k not in values], 1, 0.8)
        if meant:
            raise ConfigError(
                f"{where}: {_with_line(str(key), lines)}: unknown; did you mean {meant[0]}?"
            )


def _check_value(key: str, value: object, lines: Mapping[str, int], where: Path) -> None:
    if key in WHOLE_NUMBERS:
        low, high = WHOLE_NUMBERS[key]
        if type(value) is not int or not low <= value <= high:
            raise ConfigError(
                f"{where}: {_with_line(key, lines)}: {_SHORT.repr(value)} is not a whole number "
                f"from {low} to {high}."
            )
        return
    if key == "push":
        if type(value) is not bool:
            raise ConfigError(
                f"{where}: {_with_line(key, lines)}: {_SHORT.repr(value)} is not true or false."
            )
        return
    pattern, description = PATTERNS.get(key, (r"[^\s]+(?: [^\s]+)*", "text on one line"))
    if not isinstance(value, str):
        raise ConfigError(
            f"{where}: {_with_line(key, lines)}: {_SHORT.repr(value)} is not text.",
            "Put it in quotes.",
        )
    if not re.fullmatch(pattern, value):
        raise ConfigError(
            f"{where}: {_with_line(key, lines)}: {_SHORT.repr(value)} is not {description}."
        )


def _replace_file(where: Path, text: str) -> None:
    """Write the whole file or nothing; a symbolic link stays a link."""
    target = where.resolve()
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(target.stat().st_mode & 0o7777)
            Path(name).replace(target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise ConfigError(f"{where} cannot be written: {error}") from error
