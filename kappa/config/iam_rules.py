"""Rules of a kappa config's rights: the iam section, and policy documents that stand in the file.

Owns what would widen a right, because YAML reads it otherwise than it looks: a key without a value,
which elsewhere is as if it were not there; NO, which YAML takes for false; and a blank that nobody
has filled in, such as <your table>. It must not ask AWS anything.
"""

from __future__ import annotations

from collections.abc import Iterator

from kappa.arn import parse_arn
from kappa.config.model import File
from kappa.config.policy_document import FILL_IN, blank_in, blanks
from kappa.config.tree import Keys, Tree, bare_words, dotted, items
from kappa.errors import ConfigError

_ARN_WORDS = (
    "an ARN, such as arn:aws:dynamodb:us-east-1:123456789012:table/news; parts may be *; or * alone"
)


def check_iam(tree: Tree, settings: File) -> None:
    """Check the keys of the iam section against each other.

    Raises: ConfigError, naming file, line, key and what is allowed.
    """
    if settings.iam is None:
        return
    role, policy = settings.iam.role, settings.iam.policy
    if bool(role.name) == bool(role.arn):
        raise tree.error(("iam", "role"), "iam.role needs a name, or an arn, not both.")
    if role.arn and not _is_iam(role.arn, "role/"):
        raise tree.error(("iam", "role", "arn"), f"iam.role.arn is {role.arn!r}, not a role.")
    if policy is None:
        return
    if bool(policy.name) == bool(policy.arn):
        raise tree.error(("iam", "policy"), "iam.policy needs a name, or an arn, not both.")
    if role.arn and policy.document:
        raise tree.error(
            ("iam", "policy", "document"),
            "a role given by arn is used as it is, so kappa would attach no policy to it.",
            "Remove iam.policy, or name the role with iam.role.name.",
        )
    if isinstance(policy.document, dict) and "Statement" not in policy.document:
        raise tree.error(("iam", "policy", "document"), "a policy document needs a Statement.")
    if policy.arn and policy.document:
        raise tree.error(
            ("iam", "policy", "document"), "a policy given by arn exists: it takes no document."
        )
    if policy.arn and not _is_iam(policy.arn, "policy/"):
        raise tree.error(
            ("iam", "policy", "arn"), f"iam.policy.arn is {policy.arn!r}, not a policy."
        )


def _is_iam(text: str, kind: str) -> bool:
    try:
        parsed = parse_arn(text)
    except ValueError:
        return False
    return parsed.service == "iam" and parsed.resource.startswith(kind)


def document_errors(tree: Tree, environment: str) -> Iterator[ConfigError]:
    """Find what is wrong with the policy documents that stand in a config, of either layout."""
    statements: Keys = ("environments", environment, "policy", "statements")
    for keys in (("iam", "policy", "document"), statements):
        document = tree.at(keys)
        if document is not None:
            yield from _without_value(tree, keys, document)
            yield from bare_words(tree, keys, document)
            yield from _with_blank(tree, keys, document)
    yield from _resources_of_07(tree, environment)


def _without_value(tree: Tree, keys: Keys, value: object) -> Iterator[ConfigError]:
    if value is None:
        yield tree.error(
            keys, f"{dotted(keys)} has no value.", "Write one, or take the key out of the policy."
        )
    for key, item in items(value):
        yield from _without_value(tree, (*keys, key), item)


def _with_blank(tree: Tree, keys: Keys, document: object) -> Iterator[ConfigError]:
    for at, resource, blank in blanks(document, keys):
        yield tree.error(at, f"{dotted(at)} is {resource!r}.", FILL_IN.format(blank=blank))


def _resources_of_07(tree: Tree, environment: str) -> Iterator[ConfigError]:
    """Check what 0.7's layout makes statements of."""
    here: Keys = ("environments", environment)
    for keys in ((*here, "policy", "resources"), (*here, "policy_resources")):
        resources = tree.at(keys)
        for number, resource in enumerate(resources if isinstance(resources, list) else ()):
            arn = resource.get("arn") if isinstance(resource, dict) else None
            if not isinstance(arn, str) or not arn:
                continue
            at: Keys = (*keys, number, "arn")
            if blank := blank_in(arn):
                yield tree.error(at, f"{dotted(at)} is {arn!r}.", FILL_IN.format(blank=blank))
            elif arn != "*" and not arn.startswith(("arn:", "${")):
                # Source: AWS IAM guide, "IAM JSON policy elements: Resource".
                yield tree.error(at, f"{dotted(at)} is {arn!r}.", f"Allowed: {_ARN_WORDS}.")
