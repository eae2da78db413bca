"""Deploy with boto3 alone, without reading any state first: create, update, status, delete."""

import io
import sys
import zipfile
from pathlib import Path

import boto3


def main(name: str, runtime: str, command: str) -> None:
    """Run one command for one function with its role and policy."""
    lambda_ = boto3.client("lambda")
    if command == "create":
        iam = boto3.client("iam")
        document, trust = (Path(path).read_text() for path in ("policy.json", "trust.json"))
        created = iam.create_policy(PolicyName=name, PolicyDocument=document)
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        iam.attach_role_policy(RoleName=name, PolicyArn=created["Policy"]["Arn"])
        lambda_.create_function(
            FunctionName=name,
            Role=role["Role"]["Arn"],
            Runtime=runtime,
            Handler="handler.handler",
            Code={"ZipFile": zipped()},
        )
    elif command == "update":
        lambda_.update_function_code(FunctionName=name, ZipFile=zipped())
    elif command == "status":
        print(lambda_.get_function(FunctionName=name))
    elif command == "delete":
        iam = boto3.client("iam")
        lambda_.delete_function(FunctionName=name)
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
            iam.delete_policy(PolicyArn=policy["PolicyArn"])
        iam.delete_role(RoleName=name)


def zipped() -> bytes:
    """Pack the code into a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write("handler.py")
    return buffer.getvalue()


main(*sys.argv[1:])
