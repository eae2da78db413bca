"""watch: what it refuses at its start, and what one save after another does."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from kappa.commands import watch
from kappa.commands.console import Output
from kappa.commands.options import Options
from kappa.config.files import read_file
from kappa.config.inputs import collecting, depends_on, read_again
from kappa.errors import ConfigError, KappaError, NotFound
from tests.support.kappa.account import Account
from tests.support.kappa.configs import append
from tests.support.kappa.sessions import deploy, session_of


@pytest.mark.parametrize(
    ("more", "args", "text"),
    [
        ("  publish: true\n  alias: live\n", (), "has the alias live: others may call"),
        ("", ("--invoke",), "lambda.test_data is missing"),
    ],
)
def test_what_cannot_be_watched_is_refused_before_aws_is_asked(run, tmp_path, more, args, text):
    config = (tmp_path / "config.yml").read_text()
    (tmp_path / "config.yml").write_text(config.replace("  test_data: input.json\n", ""))
    append(tmp_path, more)
    done = run("watch", *args)
    assert text in done.stderr
    assert done.return_value == 2


def test_every_wrong_config_is_reported(run, tmp_path):
    for name in ("a.yml", "b.yml"):
        (tmp_path / name).write_text("lambda: {}\n")
    done = run("watch", configs=("a.yml", "config.yml", "b.yml"))
    assert done.return_value == 2
    assert done.stderr.count("Error:") == 2


class Refused(Options):
    """A config whose values AWS refuses."""

    def open(self, _known=None):
        raise NotFound("AWS has no value of this name.")


def test_what_aws_refuses_is_no_mistake_in_the_config(tmp_path, capsys):
    options = Refused(tmp_path / "config.yml", configs=(tmp_path / "config.yml",))
    assert watch._open_all(options, watch._Mode()) == ([], 1)
    assert capsys.readouterr().err == "Error: AWS has no value of this name.\n"


@dataclass
class Saved(Options):
    """A config file that holds the tag of the function's image, on an account in memory."""

    aws: Account | None = None
    build: str | None = None

    def open(self, _known=None):
        if self.session is not None:
            return self.session
        tag = read_file(self.config).decode()
        if tag == "broken":
            self.config.with_name("made.py").write_text("changed by a build that fails")
            raise ConfigError("config.yml:1: broken")
        if self.build:
            stamp = self.config.with_name("stamp.txt")
            depends_on(stamp, "code")
            stamp.write_text(f"{stamp.read_text()}.")
        return session_of(self.aws, tag, build=self.build)


@pytest.fixture
def aws():
    account = Account()
    deploy(account)
    return account


@pytest.fixture
def watched(tmp_path, aws, capsys):
    """A config that is watched, as it is after its start."""
    (tmp_path / "config.yml").write_text("1")
    options = Saved(tmp_path / "config.yml", aws=aws)
    each = watch._Watched(options, watch._Mode(), {})
    each.update()
    return each


def save(watched, text):
    """Save the config, and update if that is a change."""
    Path(watched._options.config).write_text(text)
    watched.now = read_again(watched.inputs)
    assert watched.now != watched.inputs
    watched.update()


def test_the_start_brings_aws_up_to_date(watched, capsys):
    assert capsys.readouterr().err == "No changes.\n"


def test_a_saved_config_is_deployed(watched, aws, capsys):
    save(watched, "2")
    assert aws.function["ImageUri"].endswith(":2")
    assert capsys.readouterr().err.splitlines()[1:] == [
        "saved      config.yml",
        "updated    code of greeter",
    ]
    assert read_again(watched.inputs) == watched.inputs


def test_after_a_broken_config_the_next_save_is_deployed(watched, aws):
    with pytest.raises(ConfigError, match="broken"):
        save(watched, "broken")
    assert read_again(watched.inputs) == watched.inputs
    save(watched, "3")
    assert aws.function["ImageUri"].endswith(":3")


def test_what_a_failing_build_has_made_is_no_save(watched):
    made = watched._options.config.with_name("made.py")
    made.touch()
    with collecting(watched.inputs):
        depends_on(made, "code")
    with pytest.raises(ConfigError, match="broken"):
        save(watched, "broken")
    assert read_again(watched.inputs) == watched.inputs


def test_a_build_that_writes_what_it_reads_ends_after_three_times(watched, capsys):
    watched._options.config.with_name("stamp.txt").touch()
    watched._options.build = "make"
    rounds = 0
    save(watched, "2")
    while (now := read_again(watched.inputs)) != watched.inputs:
        watched.now, watched._current = now, None
        rounds += 1
        assert rounds < 10
        watched.update()
    assert rounds == 2
    assert "stamp.txt changed during each of 3 builds in a row" in capsys.readouterr().err


def test_after_an_error_of_aws_everything_is_deployed_by_the_next_save(watched, aws):
    def refuse(operation):
        raise NotFound(f"{operation} refused")

    aws.before = refuse
    with pytest.raises(NotFound, match="refused"):
        save(watched, "2")
    aws.before = lambda _operation: None
    # Of the code alone: what the config changed is still to be deployed.
    watched.inputs.code["code.py"] = (1,)
    watched.now = read_again(watched.inputs)
    watched.update()
    assert aws.function["ImageUri"].endswith(":2")


def test_the_names_of_many_saved_files_are_counted(watched, capsys):
    folder = watched._options.config.parent
    names = [str(folder / name) for name in ("e", "d", "c", "b", "a")]
    watched._print_saved(names)
    assert capsys.readouterr().err.endswith("removed    a, b, c and 2 more\n")
    for name in names[:-1]:
        Path(name).touch()
    watched._print_saved(names)
    assert capsys.readouterr().err.endswith("saved      b, c, d and 1 more\nremoved    a\n")


def fake(update, output=""):
    calls = []
    after = lambda: calls.append("after")  # noqa: E731
    session = SimpleNamespace(config=None)
    each = SimpleNamespace(update=update, after_update=after, calls=calls, session=session)
    each.output = Output(output)
    return each


def test_an_error_is_reported_and_ends_nothing(capsys):
    def fails():
        raise KappaError("AWS refused it.", "Ask for more.")

    each = fake(fails, "greeter | ")
    assert watch._update([each], debug=False) == [1]
    assert each.calls == []
    assert capsys.readouterr().err == (
        "greeter | Error: AWS refused it.\ngreeter |   Ask for more.\n"
    )


def test_a_file_that_came_and_went_updates_nothing():
    assert watch._update([], debug=False) == []


def test_after_an_update_the_function_is_invoked():
    each = fake(lambda: None)
    assert watch._update([each], debug=False) == [0]
    assert each.calls == ["after"]


def test_a_bug_is_no_error_of_the_user():
    def fails():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        watch._update([fake(fails)], debug=False)
