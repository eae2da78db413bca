"""deploy on the command line."""

import pytest

from tests.support.builders import run_kappa


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--keep-versions", "0", "1 to 1000 (versions)"),
        ("--alias", "a b", "1 to 128 letters, digits, - and _, not only digits"),
        ("--alias", "7", "1 to 128 letters, digits, - and _, not only digits"),
    ],
)
def test_an_option_of_deploy_that_cannot_be_says_what_is_allowed(tmp_path, option, value, words):
    config = tmp_path / "config.yml"
    config.write_text(
        "iam: {role: {name: r}}\n"
        "lambda: {name: f, path: code, handler: f.handler, runtime: python3.13}\n"
    )
    done = run_kappa([config, "deploy", option, value], {"PATH": "/bin"})
    assert done.returncode == 2
    assert f"{option} cannot be {value if option != '--alias' else repr(value)}." in done.stderr
    assert f"Allowed: {words}." in done.stderr
