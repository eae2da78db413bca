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
DEPLOY = dict.fromkeys(("create", "same", "changed"), "deploy")


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
    known = [boto3_script(), kappa(), old_kappa(), chalice(), sam()]
    return [tool for tool in known if Path(tool.phases["start"].split()[0]).exists()]


def phases(start: str, run: object, rest: str = "", **commands: str) -> dict[str, str]:
    """A shell command for each phase: `run`, the phase's command and the rest of the line."""
    return {"start": start} | {name: f"{run} {each} {rest}" for name, each in commands.items()}


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
        phases(f"{run} --help", f"{run} config.yml", **commands),
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
        phases(f"{python} -c 'import boto3'", run, rest, **commands),
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
    return Tool(
        "kappa 0.7.0",
        phases(f"{run} --help", run, **DEPLOY, status="status", delete="delete"),
        code="_src/handler.py",
        files={"kappa.yml": config},
        rounds=2,
    )


def chalice() -> Tool:
    """A framework: its deploy creates the function and the role of an app."""
    run = program("chalice", "chalice")
    app = "from chalice import Chalice\napp = Chalice(app_name='bench-chalice')\n\n\n"
    app += "@app.lambda_function()\ndef handler(event, context):\n    return"
    return Tool(
        "Chalice",
        phases(f"{run} --version", run, **DEPLOY, delete="delete"),
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
    deploy = "deploy --template-file template.yaml --stack-name bench-sam"
    deploy += f" --s3-bucket {BUCKET} --region {REGION} --capabilities CAPABILITY_IAM"
    deploy += " --no-confirm-changeset --no-fail-on-empty-changeset --no-progressbar"
    delete = f"delete --stack-name bench-sam --region {REGION} --no-prompts"
    return Tool(
        "SAM CLI",
        phases(f"{run} --version", run, **dict.fromkeys(DEPLOY, deploy), delete=delete),
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
        "kappa's completion": f"{complete} {kappa_program}",
        "resources.py cf": f"{sys.executable} {HERE.parent / 'resources.py'} cf",
        "import boto3": f"{program('boto3', 'python')} -c 'import boto3'",
    }
    peers = {
        "kappa 0.7.0 --help": f"{program('kappa-0.7.0', 'kappa')} --help",
        "chalice --version": f"{program('chalice', 'chalice')} --version",
        "sam --version": f"{program('sam', 'sam')} --version",
        "aws --version": f"{program('awscli', 'aws')} --version",
    }
    return lines | {k: line for k, line in peers.items() if Path(line.split()[0]).exists()}
