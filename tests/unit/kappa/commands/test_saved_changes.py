"""watch: which saves count, what they lead to, and what is refused."""

import os

import pytest
from msgspec.structs import replace

from kappa.commands.saved_changes import (
    Changes,
    Outdated,
    after_reading,
    changes,
    check_live,
    check_test_data,
    outdated_check,
    plan_all,
    plan_changed_code,
    qualifier,
    with_new_code,
)
from kappa.config.inputs import Inputs, collecting, depends_on, read_again
from kappa.errors import ConfigError, NotFound
from kappa.plan.step import Clock, steps
from tests.support.builders import kappa_config
from tests.support.kappa.account import Account
from tests.support.kappa.sessions import carry_out, deploy, session_of
from tests.support.kappa.watched_files import in_place, looked, write_project


@pytest.fixture
def project(tmp_path):
    return write_project(tmp_path)


def renamed(file):
    file.with_name("4913").write_text("after")
    file.with_name("4913").replace(file)


def deleted_first(file):
    file.unlink()
    file.write_text("before")


def backed_up(file):
    file.rename(f"{file}~")
    file.write_text("before")


def same_size_and_time(file):
    times = file.stat()
    file.write_text("AFTER!")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def made_a_program(file):
    file.chmod(0o755)


@pytest.mark.parametrize(
    "save",
    [in_place, renamed, deleted_first, backed_up, same_size_and_time, made_a_program],
    ids=lambda save: save.__name__,
)
def test_every_way_to_save_a_file_is_seen(project, save):
    before, file = looked(project), project / "code" / "greeter.py"
    save(file)
    assert changes(before, read_again(before)).code == (str(file),)


def test_a_run_is_outdated_by_a_save_but_not_by_a_swap_file(project):
    now_s = 0.0
    check = outdated_check(looked(project), Clock(lambda: now_s))
    (project / "code" / ".greeter.py.swp").write_text("")
    check()
    in_place(project / "code" / "greeter.py")
    check()  # too soon to look again
    now_s = 1.0
    with pytest.raises(Outdated):
        check()


def test_a_swap_file_changes_the_folder_only(project):
    before = looked(project)
    (project / "code" / ".greeter.py.swp").write_text("unsaved")
    assert changes(before, read_again(before)) == Changes(folders=(str(project / "code"),))


def test_a_config_that_is_packed_too_counts_as_the_config(project):
    inputs = looked(project)
    with collecting(inputs):
        depends_on(project / "config.yml", "code")
    in_place(project / "config.yml")
    found = changes(inputs, read_again(inputs))
    assert (found.settings, found.code) == ((str(project / "config.yml"),), ())


def test_after_a_failure_all_files_of_before_still_count():
    now = Inputs({"config.yml": (2,)}, {"gone.py": (1,), "a.py": (1,)}, {"code": (1,)})
    collected = Inputs({"config.yml": (3,), "new.yml": (1,)}, {"a.py": (2,)}, {})
    assert after_reading(now, collected, whole=True, done=False) == Inputs(
        {"config.yml": (3,), "new.yml": (1,)}, {"gone.py": (1,), "a.py": (2,)}, {"code": (1,)}
    )


def test_after_an_update_of_the_code_the_config_still_counts():
    now = Inputs({"config.yml": (2,)}, {"gone.py": None, "a.py": (1,)}, {"code": (1,)})
    collected = Inputs({"input.json": (1,)}, {"a.py": (2,)}, {"code": (2,)})
    assert after_reading(now, collected, whole=False, done=True) == Inputs(
        {"config.yml": (2,), "input.json": (1,)}, {"a.py": (2,)}, {"code": (2,)}
    )
    assert after_reading(now, collected, whole=True, done=True) == collected


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"publish": True, "alias": "live"}, "publishes what it deploys and has the alias live"),
        ({"publish": True}, "publishes what it deploys"),
        ({"alias": "live"}, "has the alias live"),
    ],
)
def test_what_others_may_call_is_only_watched_if_it_is_named(keys, words):
    config = kappa_config(keys)
    with pytest.raises(ConfigError, match=f"{words}: others may call") as error:
        check_live(config, is_named=False)
    assert error.value.hint == "Add --yes if that is meant."
    check_live(config, is_named=True)


def test_a_function_without_versions_is_watched_without_a_question():
    check_live(kappa_config(), is_named=False)


def test_the_alias_is_invoked_only_if_each_deploy_moves_it():
    assert qualifier(kappa_config({"alias": "live", "publish": True})) == "live"
    assert qualifier(kappa_config({"alias": "live"})) == ""
    assert qualifier(kappa_config()) == ""


def test_an_invocation_needs_test_data():
    with pytest.raises(ConfigError, match=r"lambda\.test_data is missing"):
        check_test_data(kappa_config())
    check_test_data(kappa_config({"test_data": "input.json"}))


def test_watch_creates_no_function():
    aws = Account()
    with pytest.raises(NotFound, match=r"Not on AWS: function greeter\. watch creates") as error:
        plan_all(session_of(aws))
    assert error.value.hint.startswith("Create what is missing: kappa ")
    assert aws.function is None


def test_a_changed_config_is_deployed_as_deploy_does():
    aws = Account()
    deploy(aws)
    session = session_of(aws, timeout=9)
    plan, _ = plan_all(session)
    carry_out(session, plan)
    assert aws.function["Timeout"] == 9
    assert steps(plan_all(session)[0]) == []


def deployed(image="1"):
    aws = Account()
    deploy(aws)
    session = session_of(aws, image)
    _, current = plan_all(session)
    return aws, session, current


def test_changed_code_is_sent_after_one_look_at_the_function():
    aws, _, current = deployed()
    calls, call = [], aws.call

    def counted(service, operation, doing, params=None):
        calls.append(operation)
        return call(service, operation, doing, params)

    aws.call = counted
    newer = session_of(aws, "2")
    carry_out(newer, plan_changed_code(newer, replace(current, config=newer.config), ""))
    assert calls == ["get_function", "update_function_code"]
    assert aws.function["CodeSha256"].endswith(":2")


def test_code_that_another_command_sent_is_replaced_with_a_warning():
    aws, session, current = deployed()
    aws.function |= {"CodeSha256": "theirs", "ImageUri": "theirs"}
    plan = plan_changed_code(session, current, "ours")
    reports = carry_out(session, plan)
    assert reports[0] == (
        "warning",
        "another command has changed the code of greeter meanwhile: it is replaced",
    )
    assert ("updated", "code of greeter") in reports


def test_a_function_that_was_deleted_meanwhile_is_an_error():
    aws, session, current = deployed()
    aws.lambda_delete_function("greeter")
    with pytest.raises(NotFound, match="The function greeter does not exist"):
        plan_changed_code(session, current, "")


def test_new_code_keeps_the_clients_and_what_is_known():
    session = replace(deployed()[1], ask=lambda _: {})
    vars(session).update(document={"Statement": []}, place="here", zip="old")
    fresh = with_new_code(session)
    assert fresh.ask is session.ask
    assert fresh.aws is session.aws
    assert vars(fresh) == {"document": {"Statement": []}, "place": "here"}
