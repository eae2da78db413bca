"""Everything that an account holds for one function, so that two accounts can be compared."""

import json

# Keys whose values differ between two accounts after the same commands.
_OWN = frozenset(
    {
        "CreationDate",
        "CreateDate",
        "CreationTime",
        "LastModified",
        "LastModifiedTime",
        "PolicyId",
        "ResponseMetadata",
        "RevisionId",
        "RoleId",
        "StateTransitionReason",
        "UUID",
        "CodeSize",
        "EventSourceMappingArn",
        "LastProcessingResult",
    }
)


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key not in _OWN}
    if isinstance(value, list | tuple):
        return sorted(
            (_plain(item) for item in value), key=lambda item: json.dumps(item, default=str)
        )
    return value


def _or(nothing, read, *missing):
    try:
        return read()
    except Exception as error:
        code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
        if code in ("ResourceNotFoundException", "NoSuchEntity", "NoSuchBucket", *missing):
            return nothing
        raise


def snapshot(client, name, bucket=""):
    """Everything that kappa creates for a function, as plain values; {} if there is nothing.

    `client` returns a boto3 client for a service.
    """
    parts = {
        **_function(client("lambda"), name),
        **_iam(client("iam"), name),
        "subscriptions": [
            (subscription["TopicArn"], subscription["Endpoint"])
            for subscription in client("sns").list_subscriptions()["Subscriptions"]
        ],
        "notifications": _notifications(client("s3"), bucket) if bucket else None,
        "rules": _rules(client("events"), name),
    }
    return {key: value for key, value in _plain(parts).items() if value}


def _function(aws, name):
    function = {"FunctionName": name}
    configuration = _or({}, lambda: aws.get_function(**function))
    aliases = _or([], lambda: aws.list_aliases(**function)["Aliases"])
    qualifiers = [{}, *({"Qualifier": alias["Name"]} for alias in aliases)]
    mappings = aws.list_event_source_mappings()["EventSourceMappings"]
    return {
        "function": {
            key: configuration.get(key) for key in ("Configuration", "Tags", "Concurrency")
        }
        if configuration
        else None,
        "aliases": [(alias["Name"], alias["FunctionVersion"]) for alias in aliases],
        "permissions": [
            json.loads(
                _or('{"Statement": []}', lambda q=q: aws.get_policy(**function, **q)["Policy"])
            )["Statement"]
            for q in qualifiers
        ]
        if configuration
        else None,
        "async": [
            _or(None, lambda q=q: aws.get_function_event_invoke_config(**function, **q))
            for q in qualifiers
        ]
        if configuration
        else None,
        "urls": _or([], lambda: aws.list_function_url_configs(**function)["FunctionUrlConfigs"])
        if configuration
        else None,
        "mappings": [mapping for mapping in mappings if name in mapping["FunctionArn"].split(":")],
    }


def _iam(aws, name):
    roles = [role for role in aws.list_roles()["Roles"] if name in role["RoleName"]]
    policies = aws.list_policies(Scope="Local")["Policies"]
    return {
        "roles": [
            {
                "role": role["Arn"],
                "tags": aws.list_role_tags(RoleName=role["RoleName"])["Tags"],
                "attached": aws.list_attached_role_policies(RoleName=role["RoleName"])[
                    "AttachedPolicies"
                ],
            }
            for role in roles
        ],
        "policies": [
            {
                "policy": policy["Arn"],
                "document": aws.get_policy_version(
                    PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"]
                )["PolicyVersion"]["Document"],
            }
            for policy in policies
            if name in policy["PolicyName"]
        ],
    }


def _notifications(aws, bucket):
    answer = _or({}, lambda: aws.get_bucket_notification_configuration(Bucket=bucket))
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _rules(aws, name):
    return [
        {"rule": rule, "targets": aws.list_targets_by_rule(Rule=rule["Name"])["Targets"]}
        for rule in aws.list_rules(NamePrefix=name)["Rules"]
    ]
