"""The files and command lines with which each tool deploys one function, its role and policy.

It measures nothing; peers.py installs the tools.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from bench.peers import program
from local.emulator import REGION

BASE = "boto3 script"
HERE = Path(__file__).parent
# SAM's packages go here; the benchmark creates it first.
BUCKET = "bench-sam"
POLICY = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
    '"Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}]}'
)
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
    '"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
)


@dataclass
class Tool:
    """A tool: its files, where its code is, and a shell command for each phase."""

    name: str
    phases: dict[str, str]
    code: str = "handler.py"
    files: dict[str, str] = field(default_factory=dict)
    # Tools that wait tens of seconds run less often.
    rounds: int = 5
    function: str = "def handler(event, context):\n    return"

    def write(self, folder: Path, number: int) -> None:
        """Write all files; each number gives different code."""
        for name, text in {**self.files, self.code: f"{self.function} {number}\n"}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)


def tools() -> list[Tool]:
    """The tools that are installed."""
    known = [boto3_script(), kappa(), old_kappa(), aws_cli(), chalice(), sam()]
    return [tool for tool in known if Path(tool.phases["start"].split()[0]).exists()]


def kappa() -> Tool:
    """This repository's kappa."""
    config = """\
region: us-east-1
iam: {policy: {name: bench-kappa, document: policy.json}, role: {name: bench-kappa}}
lambda: {name: bench-kappa, path: code/, handler: handler.handler, runtime: python3.12}
"""
    run = Path(sys.executable).parent / "kappa"
    commands = {"create": "create", "same": "deploy", "changed": "update_code"}
    commands |= {"status": "status", "delete": "delete"}
    return Tool(
        "kappa",
        {"start": f"{run} --help"}
        | {phase: f"{run} config.yml {command}" for phase, command in commands.items()},
        code="code/handler.py",
        files={"config.yml": config, "policy.json": POLICY},
    )


def boto3_script() -> Tool:
    """The baseline: boto3's import, its clients and the calls."""
    python = program("boto3", "python")
    run = f"{python} {HERE / 'bare_boto3.py'}"
    rest = "bench-boto3 handler.py policy.json"
    commands = {"create": "create", "changed": "update", "status": "status", "delete": "delete"}
    return Tool(
        BASE,
        {"start": f"{python} -c 'import boto3'"}
        | {phase: f"{run} {command} {rest}" for phase, command in commands.items()},
        files={"policy.json": POLICY},
    )


def old_kappa() -> Tool:
    """The last release of the original kappa; its first deploy creates."""
    config = """\
name: bench-old
environments:
  dev:
    region: us-east-1
    policy:
      statements:
        - {Effect: Allow, Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: "*"}
lambda:
  {description: a, handler: handler.handler, runtime: python3.12, memory_size: 128, timeout: 3}
"""
    run = program("kappa-0.7.0", "kappa")
    commands = {"create": "deploy", "same": "deploy", "changed": "deploy"}
    commands |= {"status": "status", "delete": "delete"}
    return Tool(
        "kappa 0.7.0",
        {"start": f"{run} --help"}
        | {phase: f"{run} {command}" for phase, command in commands.items()},
        code="_src/handler.py",
        files={"kappa.yml": config},
        rounds=2,
    )


def aws_cli() -> Tool:
    """zip and one process per call; it does not notice whether anything has changed."""
    aws = program("awscli", "aws")
    arn = "arn:aws:iam::000000000000"
    pack = f"{sys.executable} -m zipfile -c code.zip handler.py"
    update = (
        f"{aws} lambda update-function-code --function-name bench-cli --zip-file fileb://code.zip"
    )
    return Tool(
        "AWS CLI",
        {
            "start": f"{aws} --version",
            "create": f"{pack} && {aws} iam create-policy --policy-name bench-cli"
            " --policy-document file://policy.json"
            f" && {aws} iam create-role --role-name bench-cli"
            " --assume-role-policy-document file://trust.json"
            f" && {aws} iam attach-role-policy --role-name bench-cli"
            f" --policy-arn {arn}:policy/bench-cli"
            f" && {aws} lambda create-function --function-name bench-cli --runtime python3.12"
            f" --handler handler.handler --role {arn}:role/bench-cli --zip-file fileb://code.zip",
            "same": update,
            "changed": f"{pack} && {update}",
            "status": f"{aws} lambda get-function --function-name bench-cli",
            "delete": f"{aws} lambda delete-function --function-name bench-cli"
            f" && {aws} iam detach-role-policy --role-name bench-cli"
            f" --policy-arn {arn}:policy/bench-cli"
            f" && {aws} iam delete-role --role-name bench-cli"
            f" && {aws} iam delete-policy --policy-arn {arn}:policy/bench-cli",
        },
        files={"policy.json": POLICY, "trust.json": TRUST},
    )


def chalice() -> Tool:
    """A framework: its deploy creates the function and the role of an app."""
    run = program("chalice", "chalice")
    app = "from chalice import Chalice\napp = Chalice(app_name='bench-chalice')\n\n\n"
    app += "@app.lambda_function()\ndef handler(event, context):\n    return"
    return Tool(
        "Chalice",
        {"start": f"{run} --version"}
        | dict.fromkeys(("create", "same", "changed"), f"{run} deploy")
        | {"delete": f"{run} delete"},
        code="app.py",
        files={
            "requirements.txt": "",
            ".chalice/config.json": '{"version": "2.0", "app_name": "bench-chalice",'
            ' "stages": {"dev": {}}}',
        },
        function=app,
        rounds=1,
    )


def sam() -> Tool:
    """Package, upload, change set, stack. The emulator has no SAM transform."""
    run = program("sam", "sam")
    template = f"""\
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {TRUST}
      Policies: [{{PolicyName: bench, PolicyDocument: {POLICY}}}]
  Handler:
    Type: AWS::Lambda::Function
    Properties:
      Handler: handler.handler
      Runtime: python3.12
      Code: code/
      Role: !GetAtt Role.Arn
"""
    deploy = f"{run} deploy --template-file template.yaml --stack-name bench-sam"
    deploy += f" --s3-bucket {BUCKET} --region {REGION} --capabilities CAPABILITY_IAM"
    deploy += " --no-confirm-changeset --no-fail-on-empty-changeset --no-progressbar"
    return Tool(
        "SAM CLI",
        {"start": f"{run} --version"}
        | dict.fromkeys(("create", "same", "changed"), deploy)
        | {"delete": f"{run} delete --stack-name bench-sam --region {REGION} --no-prompts"},
        code="code/handler.py",
        files={"template.yaml": template},
        rounds=1,
    )


def starts() -> dict[str, str]:
    """Commands that only start a program; the first is the least any Python program needs."""
    kappa_program = Path(sys.executable).parent / "kappa"
    complete = "_KAPPA_COMPLETE=bash_complete COMP_WORDS='kappa config.yml ' COMP_CWORD=2"
    lines = {
        "python -c pass": f"{sys.executable} -c pass",
        "kappa --help": f"{kappa_program} --help",
        "kappa --version": f"{kappa_program} --version",
        "kappa's completion": f"{complete} {kappa_program}",
        "resources.py cf": f"{sys.executable} {HERE.parent / 'resources.py'} cf",
        "import boto3": f"{program('boto3', 'python')} -c 'import boto3'",
    }
    lines |= {
        f"{name} {option}": f"{program(peer, name.split()[0])} {option}"
        for peer, name, option in (
            ("kappa-0.7.0", "kappa 0.7.0", "--help"),
            ("chalice", "chalice", "--version"),
            ("sam", "sam", "--version"),
            ("awscli", "aws", "--version"),
        )
        if program(peer, name.split()[0]).exists()
    }
    return lines
