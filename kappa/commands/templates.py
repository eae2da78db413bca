"""What `init` writes for a new function: a commented config, and code in one of four languages.

Owns their text. It writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

_CONFIG = """\
# One Lambda function. Try: kappa {file} deploy
# docs/kappa.md lists every key; `kappa {file} validate` checks this file.
region: us-east-1
# profile: a profile of ~/.aws/config

iam:
  # What the function may do. kappa makes policy and role, and attaches one to the other.
  policy:
    name: {name}-policy
    document: policy.json
  role:
    name: {name}-role

lambda:
  name: {name}
  description: Greets whoever calls
{code}
  architectures: [arm64]
  memory_size: 128
  timeout: 5
  environment:
    GREETING: good day
{variables}  log_retention_days: 30
  # event_sources:
  #   - arn: arn:aws:sns:us-east-1:123456789012:news
  # What `kappa {file} invoke` sends.
  test_data: input.json

# Several environments: end the names of policy, role and function in -${{environment}}, and
# kappa {file} deploy --env prod
# environments:
#   dev: {{}}
#   prod:
#     region: eu-west-1
#     lambda:
#       memory_size: 512
"""


class Template(msgspec.Struct, frozen=True):
    """The keys of a config that are about its code, and the files; `programs` are executable.

    `{module}` stands for the function's name as a module in `code` and in the files' names.
    `variables` are more lines of the environment. `is_http`: it answers HTTP requests.
    """

    code: str
    files: Mapping[str, str]
    programs: frozenset[str] = frozenset()
    variables: str = ""
    is_http: bool = False


_PYTHON = Template(
    """\
  # The folder that is packed. A requirements.txt in it is installed, a .lambdaignore respected.
  path: code
  handler: {module}.handler
  runtime: python3.13""",
    {
        "code/{module}.py": '''\
"""Greets whoever calls."""

import os


def handler(event, context):
    """Answer with a greeting."""
    return {"greeting": f"{os.environ['GREETING']}, {event.get('name', 'world')}"}
'''
    },
)
_HTTP = Template(
    """\
  # The folder that is packed. A requirements.txt in it is installed, a .lambdaignore respected.
  path: code
  handler: {module}.handler
  runtime: python3.13
  # An HTTPS address that anybody may call; with AWS_IAM, only signed requests.
  url: {auth: NONE}""",
    {
        "code/{module}.py": '''\
"""Answers a browser with a page."""

import html
import os


def handler(event, context):
    """Answer an HTTP request, as a function URL sends it: payload format 2.0."""
    name = event.get("queryStringParameters", {}).get("name", "world")
    greeting = html.escape(f"{os.environ['GREETING']}, {name}")
    return {
        "statusCode": 200,
        "headers": {"content-type": "text/html; charset=utf-8"},
        "body": f"<!doctype html>\\n<title>{greeting}</title>\\n<h1>{greeting}</h1>\\n",
    }
'''
    },
    is_http=True,
)
_NODE = Template(
    """\
  # The folder that is packed, with node_modules if it has some. A .lambdaignore is respected.
  path: code
  handler: index.handler
  runtime: nodejs24.x""",
    {
        "code/index.mjs": """\
/** Greets whoever calls. */
export const handler = async (event) => ({
    greeting: `${process.env.GREETING}, ${event.name ?? "world"}`,
});
"""
    },
)
_TYPESCRIPT = Template(
    """\
  # Runs each time that the code is packed. `npm run check` checks the types.
  # Packages are installed again after package.json has changed.
  build: test node_modules/.package-lock.json -nt package.json || npm install && npm run build
  # The folder that is packed.
  path: dist
  handler: index.handler
  runtime: nodejs24.x""",
    {
        "src/index.ts": """\
interface Caller {
    name?: string;
}

/** Greets whoever calls. */
export const handler = async (event: Caller) => ({
    greeting: `${process.env.GREETING}, ${event.name ?? "world"}`,
});
""",
        # Lambda's Node.js has the SDK of AWS.
        "package.json": """\
{
  "private": true,
  "scripts": {
    "build": "esbuild src/index.ts --bundle --platform=node --target=node24 --outdir=dist \
--sourcemap '--external:@aws-sdk/*'",
    "check": "tsc"
  },
  "devDependencies": {
    "@types/node": "^24.0.0",
    "esbuild": "^0.28.0",
    "typescript": "^6.0.0"
  }
}
""",
        "tsconfig.json": """\
{
  "compilerOptions": {
    "strict": true,
    "noEmit": true,
    "target": "es2023",
    "module": "preserve",
    "types": ["node"]
  },
  "include": ["src"]
}
""",
        ".gitignore": "node_modules/\ndist/\n*.zip\n",
    },
    variables="    # Errors name the lines of src, by the map that the build writes.\n"
    "    NODE_OPTIONS: --enable-source-maps\n",
)
_BOOTSTRAP = Template(
    """\
  # The folder that is packed, with the program `bootstrap`. One that is compiled could be built:
  # build: GOOS=linux GOARCH=arm64 go build -o code/bootstrap .
  path: code
  handler: bootstrap
  runtime: provided.al2023""",
    {
        "code/bootstrap": r"""#!/bin/sh
# Asks Lambda for one event after another, and answers each.
# Source: AWS Lambda guide, "Building a custom runtime for AWS Lambda".
set -eu

api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
newline='
'

# Greets whoever calls: $1 is the event. What goes to stderr is logged.
handle() {
    printf '{"greeting": "%s", "event": %s}' "$GREETING" "$1"
}

send() {
    curl -sS -o /dev/null --data-binary @- "$api/invocation/$request_id/$1"
}

while true; do
    # curl adds the event's id as the last line.
    answer=$(curl -sS -w '\n%header{lambda-runtime-aws-request-id}' "$api/invocation/next")
    request_id=${answer##*"$newline"}
    if result=$(handle "${answer%"$newline"*}"); then
        printf '%s' "$result" | send response
    else
        printf '{"errorType": "Failed", "errorMessage": "handle failed"}' | send error
    fi
done
"""
    },
    frozenset({"code/bootstrap"}),
)
TEMPLATES = {
    "python": _PYTHON,
    "node": _NODE,
    "typescript": _TYPESCRIPT,
    "bootstrap": _BOOTSTRAP,
    "http": _HTTP,
}


def config_text(template: Template, name: str, module: str, file: str) -> str:
    """The config of a new function."""
    code = template.code.replace("{module}", module).replace("{file}", file)
    return _CONFIG.format(name=name, code=code, file=file, variables=template.variables)


def code_files(template: Template, module: str) -> dict[str, str]:
    """The files of a new function's code, by path."""
    return {name.replace("{module}", module): text for name, text in template.files.items()}
