"""Deploy with boto3 alone, without reading any state first: create, update, status, delete."""

import io
import json
import sys
import zipfile
from pathlib import Path

import boto3

TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
    '"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
)


def main(command: str, name: str, code: str, policy: str) -> None:
    """Run one command for one function with its role and policy."""
    lambda_ = boto3.client("lambda")
    if command == "create":
        iam = boto3.client("iam")
        created = iam.create_policy(PolicyName=name, PolicyDocument=Path(policy).read_text())
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        iam.attach_role_policy(RoleName=name, PolicyArn=created["Policy"]["Arn"])
        lambda_.create_function(
            FunctionName=name,
            Role=role["Role"]["Arn"],
            Runtime="python3.12",
            Handler="handler.handler",
            Code={"ZipFile": zipped(code)},
        )
    elif command == "update":
        lambda_.update_function_code(FunctionName=name, ZipFile=zipped(code))
    elif command == "status":
        print(json.dumps(lambda_.get_function(FunctionName=name), default=str))
    elif command == "delete":
        iam = boto3.client("iam")
        lambda_.delete_function(FunctionName=name)
        attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        for policy in attached:
            iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
            iam.delete_policy(PolicyArn=policy["PolicyArn"])
        iam.delete_role(RoleName=name)


def zipped(code: str) -> bytes:
    """Pack one file into a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(code, "handler.py")
    return buffer.getvalue()


main(*sys.argv[1:])
