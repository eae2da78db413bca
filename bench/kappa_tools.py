"""The files and command lines with which each tool deploys one function, its role and policy.

It measures nothing; peers.py installs the tools.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from bench.emulated import BUCKET, TRUST, policy
from bench.peers import program
from local.emulator import REGION

HERE = Path(__file__).parent
PYTHON = program("boto3", "python")
KAPPA = Path(sys.executable).parent / "kappa"
OLD_KAPPA = program("kappa-0.7.0", "kappa")
CHALICE = program("chalice", "chalice")
SAM = f"SAM_CLI_TELEMETRY=0 {program('sam', 'sam')}"
RUNTIME = f"python3.{sys.version_info.minor}"  # SAM builds with it, so it must be installed
ALLOWED = ["logs:CreateLogStream", "logs:PutLogEvents"]
POLICY = policy(Action=ALLOWED, Resource="*")
STACK = f"--stack-name bench-sam --region {REGION}"
COMPLETION = "_KAPPA_COMPLETE=bash_complete COMP_WORDS='kappa config.yml ' COMP_CWORD=2"
# Commands that only start a program; the first is the least any Python program needs.
STARTS = {
    "python -c pass": f"{sys.executable} -c pass",
    "kappa --help": f"{KAPPA} --help",
    "kappa's completion": f"{COMPLETION} {KAPPA}",
    "resources.py cf": f"{sys.executable} {HERE.parent / 'resources.py'} cf",
    "import botocore": f"{sys.executable} -c 'import botocore.session'",
    "import boto3": f"{PYTHON} -c 'import boto3'",
    "kappa 0.7.0 --help": f"{OLD_KAPPA} --help",
    "chalice --version": f"{CHALICE} --version",
    "sam --version": f"{SAM} --version",
    "aws --version": f"{program('awscli', 'aws')} --version",
}


@dataclass(frozen=True)
class Tool:
    """A tool: how it is run, its command for each phase, the file of its code, its other files."""

    name: str
    run: str
    commands: dict[str, str]
    code: str = "handler.py"
    files: dict[str, str] = field(default_factory=dict)
    function: str = "def handler(event, context):\n    return"

    def folder(self, root: Path) -> Path:
        """The folder with the tool's files."""
        return root / re.sub(r"\W+", "-", self.name)

    def write(self, root: Path, number: int) -> None:
        """Write all files; each number gives different code."""
        for name, text in {**self.files, self.code: f"{self.function} {number}\n"}.items():
            path = self.folder(root) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def deploys(command: str = "deploy", **others: str) -> dict[str, str]:
    """The commands of a tool that creates and updates with the same one."""
    return {"create": command, "same": command, "changed": command, **others}


# the baseline: boto3's import, its clients and the calls
boto3_script = Tool(
    "boto3 script",
    f"{PYTHON} {HERE / 'bare_boto3.py'} bench-boto3 {RUNTIME}",
    {"create": "create", "changed": "update", "status": "status", "delete": "delete"},
    files={"policy.json": POLICY, "trust.json": TRUST},
)
kappa = Tool(
    "kappa",
    f"{KAPPA} config.yml",
    deploys(create="create", changed="update_code", status="status", delete="delete"),
    code="code/handler.py",
    files={
        "policy.json": POLICY,
        "config.yml": f"""\
region: us-east-1
iam: {{policy: {{name: bench-kappa, document: policy.json}}, role: {{name: bench-kappa}}}}
lambda: {{name: bench-kappa, path: code/, handler: handler.handler, runtime: {RUNTIME}}}
""",
    },
)
# the last release of the original kappa; its first deploy creates
old_kappa = Tool(
    "kappa 0.7.0",
    str(OLD_KAPPA),
    deploys(status="status", delete="delete"),
    code="_src/handler.py",
    files={
        "kappa.yml": f"""\
name: bench-old
environments:
  dev:
    region: us-east-1
    policy: {{statements: [{{Effect: Allow, Action: {ALLOWED}, Resource: "*"}}]}}
lambda:
  {{description: a, handler: handler.handler, runtime: {RUNTIME}, memory_size: 128, timeout: 3}}
"""
    },
)
# a framework: its deploy creates the function and the role of an app
chalice = Tool(
    "Chalice",
    str(CHALICE),
    deploys(delete="delete"),
    code="app.py",
    files={
        "requirements.txt": "",
        ".chalice/config.json": '{"version": "2.0", "app_name": "bench", "stages": {"dev": {}}}',
    },
    function="""\
from chalice import Chalice
app = Chalice(app_name='bench')
@app.lambda_function()
def handler(event, context):
    return""",
)


def sam_tool(name: str, stack: str, *options: str) -> Tool:
    """SAM packages, uploads, and makes a change set and a stack; the emulator has no transform."""
    return Tool(
        name,
        SAM,
        deploys(
            f"deploy --template-file template.yaml {stack} --s3-bucket {BUCKET}"
            " --capabilities CAPABILITY_IAM --no-confirm-changeset --no-fail-on-empty-changeset"
            f" --no-progressbar {' '.join(options)}",
            delete=f"delete {stack} --no-prompts",
        ),
        code="code/handler.py",
        files={
            "template.yaml": f"""\
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
      Runtime: {RUNTIME}
      Code: code/
      Role: !GetAtt Role.Arn
"""
        },
    )


sam = sam_tool("SAM CLI", STACK)
# does not wait until the resources are stable
sam_express = sam_tool(
    "SAM CLI, --express", f"--stack-name bench-express --region {REGION}", "--express"
)
TOOLS = (boto3_script, kappa, old_kappa, chalice, sam, sam_express)
