"""Imports point one way, and --help needs neither AWS nor YAML."""

import ast
import subprocess
import sys
from pathlib import Path

import kappa

RANKS = [
    {"__main__"},
    {"cli"},
    {
        "cli_call",
        "cli_change",
        "cli_completion",
        "cli_config",
        "cli_logs",
        "cli_show",
        "cli_version",
        "cli_source",
    },
    {"command"},
    {"several"},
    {"logview"},
    {"options", "console"},
    {"sourcecommands"},
    {"publishing"},
    {"commands", "report", "adopt"},
    {"boundread"},
    {"adoptcheck", "adoptconfig"},
    {"adoptrights"},
    {"adoptfound"},
    {"diff", "deployed", "sourcereport"},
    {"sourcehealth", "statusproblems"},
    {"codediff"},
    {"repeat", "requestlog"},
    {"iamdelete"},
    {"iam", "function", "sources", "invoke", "logs", "metrics", "adoptsources"},
    {"adoptrest"},
    {"binding", "sourcenames"},
    {"otherplaces", "sourcegrants"},
    {"mappings", "notifications", "schedule", "topics", "url"},
    {"notificationowner", "part", "ruleowner", "sourceread", "versionusers"},
    {"iamlook", "iamstate", "iamusers", "sourcestate"},
    {"iamowner"},
    {"permissions"},
    {"statements"},
    {"rollback"},
    {"functionupdate", "versions"},
    {"guards"},
    {"asynchronous", "functioncode", "functionparams", "wholefunction"},
    {"upload", "versionowner"},
    {"versionstate"},
    {"health"},
    {"selection"},
    {"apply"},
    {"steps"},
    {"settling"},
    {"resolved"},
    {"bundle", "codecheck", "included", "syntax"},
    {"adoptcode", "contents", "readyzip"},
    {"aws", "archive", "config", "packages", "schema", "starter"},
    {"awssession"},
    {"answers"},
    {"awserrors"},
    {"credentials"},
    {"functionrules", "sourcerules", "environments", "layout", "siblings"},
    {"unclear"},
    {"settings", "typed", "graft", "values", "codefiles", "pipinputs", "piprun"},
    {"keyfilters"},
    {"tree", "functionsettings", "sourcesettings"},
    {"ignorefile", "section", "plainfile", "mistakes"},
    {"loglines"},
    {"arn", "completion", "errors", "oldwords", "regions", "runtimes", "texts", "units"},
    {"advice"},
]
FOLDER = Path(kappa.__file__).parent


def imported(module):
    tree = ast.parse((FOLDER / f"{module}.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "kappa":
            yield from (alias.name for alias in node.names if alias.name != "__version__")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kappa."):
            yield node.module.removeprefix("kappa.")


def test_every_module_has_a_rank():
    modules = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert modules == set().union(*RANKS)


def test_a_module_imports_lower_ranks_only():
    rank = {module: number for number, modules in enumerate(RANKS) for module in modules}
    upward = [
        f"{module} imports {other}"
        for module in rank
        for other in imported(module)
        if rank[other] <= rank[module]
    ]
    assert upward == []


def test_only_what_reaches_aws_imports_botocore():
    others = [path.name for path in FOLDER.glob("*.py") if "boto" in path.read_text()]
    assert sorted(others) == ["aws.py", "awserrors.py", "awssession.py", "credentials.py"]


def test_no_module_is_longer_than_400_lines():
    long = [path.name for path in FOLDER.glob("*.py") if path.read_text().count("\n") > 400]
    assert long == []


def test_help_imports_neither_aws_nor_yaml():
    code = (
        "import sys; sys.argv = ['kappa', '--help']\n"
        "from kappa.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'boto3', 'botocore', 'yaml', 'msgspec'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
