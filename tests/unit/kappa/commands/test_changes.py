"""What diff says of a plan: settings, documents, files; and what it does not say."""

import io
import json
import zipfile

import pytest

from kappa.commands.changes import HIDDEN, as_data, as_lines, changes
from kappa.function.code import replaces_code
from kappa.packing.code_diff import compare_code
from kappa.plan.step import Note, Step
from tests.support.builders import assert_valid

NAME = {"FunctionName": "greeter"}


def packed(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.py", text)
    return buffer.getvalue()


def settings(before, **after):
    step = Step(
        "lambda",
        "update_function_configuration",
        {**NAME, **after},
        "updated",
        "settings of greeter",
        before=before,
    )
    assert_valid([step])
    return step


def said(step, **options):
    return [text for _, text in as_lines(changes([step], None, None, **options))]


def test_a_setting_is_shown_with_what_it_was_and_will_be():
    assert said(settings({"Timeout": 3}, Timeout=5)) == [
        "~ settings of greeter",
        "    Timeout: 3 -> 5",
    ]


def test_what_does_not_change_is_not_shown():
    step = settings({"Layers": ["a"], "Timeout": 3}, Layers=["a"], Timeout=5)
    assert len(said(step)) == 2


def variables(**texts):
    return {"Environment": {"Variables": texts}}


def test_values_of_variables_are_hidden_and_their_names_are_shown():
    step = settings(variables(OLD="a", TOKEN="secret-1"), **variables(NEW="b", TOKEN="secret-2"))
    lines = said(step)
    assert lines[1:] == [
        f"    Environment.NEW: {HIDDEN}",
        f"    Environment.TOKEN: {HIDDEN} -> {HIDDEN}",
        f"    Environment.OLD: {HIDDEN}",
    ]
    assert "secret" not in json.dumps(as_data(changes([step], None, None)))


def test_a_variable_that_stays_is_not_shown():
    step = settings(variables(A="a", B="b"), **variables(A="a", B="c"))
    assert said(step)[1:] == [f"    Environment.B: {HIDDEN} -> {HIDDEN}"]


def test_values_of_variables_are_shown_when_asked_for():
    step = settings(variables(B="b"), **variables(B="c"))
    assert said(step, show_values=True)[1:] == ["    Environment.B: b -> c"]


def test_a_policy_document_is_a_diff_of_its_lines():
    old, new = ({"Statement": [{"Effect": "Allow", "Action": one}]} for one in ("a:B", "a:C"))
    step = Step(
        "iam",
        "create_policy_version",
        {"PolicyArn": "arn:aws:iam::1:policy/p", "PolicyDocument": json.dumps(new)},
        "updated",
        "policy p",
        before={"PolicyDocument": json.dumps(old)},
    )
    lines = list(as_lines(changes([step], None, None)))
    assert ("-", '    -      "Action": "a:B"') in lines
    assert ("+", '    +      "Action": "a:C"') in lines
    assert (" ", '           "Effect": "Allow",') in lines


def test_code_is_shown_as_files_with_sizes():
    step = Step("lambda", "update_function_code", {**NAME, "ZipFile": b"z"}, "updated", "code of g")
    old, new = packed(same="1", gone="22", other="3"), packed(same="1", new="4444", other="55")
    lines = [text for _, text in as_lines(changes([step], new, old))]
    assert lines == [
        "~ code of g",
        "    - gone.py  2 bytes",
        "    + new.py  4 bytes",
        "    ~ other.py  1 -> 2 bytes",
        "        @@ -1 +1 @@",
        "        -3",
        "        +55",
    ]


def test_code_that_aws_does_not_give_is_not_called_new():
    step = Step("lambda", "update_function_code", {**NAME, "ZipFile": b"z"}, "updated", "code of g")
    assert changes([step], packed(a="1"), None)[0].files is None


def test_the_same_files_in_another_zip_are_said_to_be_the_same():
    data = packed(a="1")
    assert compare_code(data, data) == ()


def test_what_is_removed_is_only_named():
    step = Step(
        "lambda", "remove_permission", {**NAME, "StatementId": "x"}, "removed", "permission x"
    )
    assert list(as_lines(changes([step], None, None))) == [("-", "- permission x")]


def test_a_plan_without_steps_changes_nothing():
    plan = [Note("unchanged", "code of g")]
    assert changes(plan, packed(a="1"), None) == []
    assert not replaces_code(plan)


SAID = {"s3cret-value": "${secret}", "arn:aws:sns:us-east-1:1:news": "${topic}"}


def test_values_of_the_included_file_are_hidden_and_what_they_replace():
    step = settings({"Description": "older-s3cret"}, Description="s3cret-value")
    assert said(step, included=SAID)[1:] == [f"    Description: {HIDDEN} -> ${{secret}}"]
    assert "s3cret" not in json.dumps(as_data(changes([step], None, None, included=SAID)))
    shown = said(step, included=SAID, show_values=True)
    assert shown[1:] == ["    Description: older-s3cret -> s3cret-value"]


def test_an_included_value_that_goes_is_hidden():
    step = settings({"Description": "s3cret-value"}, Description="plain")
    assert said(step, included=SAID)[1:] == ["    Description: ${secret} -> plain"]


def test_included_values_in_a_document_stand_as_they_are_written():
    document = {"Statement": [{"Resource": "arn:aws:sns:us-east-1:1:news", "Effect": "Allow"}]}
    params = {"PolicyName": "p", "PolicyDocument": json.dumps(document)}
    lines = said(Step("iam", "create_policy", params, "created", "policy p"), included=SAID)
    assert any('"Resource": "${topic}"' in line for line in lines)


SECRETS = {"new-s3cret": "${secret:db}", "pg://new-s3cret": "pg://${secret:db}"}


def test_a_secret_is_never_shown_and_neither_is_what_it_replaces():
    step = settings(variables(DB="old-s3cret"), **variables(DB="new-s3cret"))
    for shows in (False, True):
        text = json.dumps(as_data(changes([step], None, None, secrets=SECRETS, show_values=shows)))
        assert "s3cret" not in text
    assert said(step, secrets=SECRETS, show_values=True)[1:] == [
        f"    Environment.DB: {HIDDEN} -> ${{secret:db}}"
    ]


def test_in_a_document_with_a_secret_only_what_stays_is_shown():
    def targets(secret, more):
        return [{"Id": "1", "Arn": "arn", "Input": json.dumps({"token": secret, **more})}]

    before = {"Targets": targets("old-s3cret", {"kind": "tea"})}
    after = {"Targets": targets("pg://new-s3cret", {"kind": "tea"})}
    step = Step("events", "put_targets", {"Rule": "r", **after}, "updated", "r", before=before)
    (change,) = changes([step], None, None, secrets=SECRETS, show_values=True)
    (setting,) = change.settings
    assert "s3cret" not in json.dumps(as_data([change]))
    assert json.loads(setting.before[0]["Input"]) == {"token": HIDDEN, "kind": "tea"}
    assert json.loads(setting.after[0]["Input"]) == {"token": "pg://${secret:db}", "kind": "tea"}


def test_a_secret_that_is_json_is_hidden_as_a_whole():
    old, new = (
        json.dumps({"user": "bob", "password": f"{age}-s3cret", "pin": 4711}) for age in "on"
    )
    step = settings(variables(DB=old), **variables(DB=new))
    assert said(step, secrets={new: "${secret:db}"}, show_values=True)[1:] == [
        f"    Environment.DB: {HIDDEN} -> ${{secret:db}}"
    ]


@pytest.mark.parametrize("around", ["%s", '{"db": %s, "kind": "tea"}'])
def test_a_secret_that_is_json_is_hidden_however_it_is_written(around):
    def target(age):
        secret = json.dumps({"password": f"{age}-s3cret", "pin": {"old": 4711, "new": 815}[age]})
        written = json.dumps(json.loads(around % secret), indent=1)
        return secret, {"Targets": [{"Id": "1", "Arn": "arn", "Input": written}]}

    _, before = target("old")
    secret, after = target("new")
    step = Step("events", "put_targets", {"Rule": "r", **after}, "updated", "r", before=before)
    for shows in (False, True):
        (change,) = changes([step], None, None, secrets={secret: "${secret:db}"}, show_values=shows)
        text = json.dumps(as_data([change]))
        assert "${secret:db}" in text
        assert not any(part in text for part in ("s3cret", "4711", "815"))
        assert ("tea" in text) == ("tea" in around)


def test_a_secret_that_stays_does_not_look_changed():
    secret = json.dumps({"user": "bob", "password": "new-s3cret", "pin": 815})

    def target(kind, user="bob"):
        whole = json.loads(secret) | {"user": user}
        text = json.dumps({"url": "pg://new-s3cret", "db": whole, "kind": kind})
        return {"Targets": [{"Id": "1", "Arn": "arn", "Input": text}]}

    for user, said_of_db in (("bob", "${secret:db}"), ("eve", None)):
        before = target("tea", user)
        params = {"Rule": "r", **target("coffee")}
        step = Step("events", "put_targets", params, "updated", "r", before=before)
        secrets = SECRETS | {secret: "${secret:db}"}
        (change,) = changes([step], None, None, secrets=secrets, show_values=True)
        (setting,) = change.settings
        old, new = (json.loads(each[0]["Input"]) for each in (setting.before, setting.after))
        assert new == {"url": "pg://${secret:db}", "db": "${secret:db}", "kind": "coffee"}
        assert (old["url"], old["kind"]) == ("pg://${secret:db}", HIDDEN)
        hidden = {"user": HIDDEN, "password": "${secret:db}", "pin": HIDDEN}
        assert old["db"] == (said_of_db or hidden)


def test_a_text_of_a_document_with_a_secret_in_it_is_hidden_with_what_it_replaces():
    def policy(name):
        return {"PolicyDocument": json.dumps({"Statement": [{"Resource": f"arn:1:{name}"}]})}

    params = {"PolicyArn": "p", **policy("new-s3cret")}
    step = Step("iam", "x", params, "updated", "policy p", before=policy("old-s3cret"))
    (change,) = changes([step], None, None, secrets=SECRETS)
    (setting,) = change.settings
    assert setting.before == {"Statement": [{"Resource": HIDDEN}]}
    assert setting.after == {"Statement": [{"Resource": "arn:1:${secret:db}"}]}


def test_a_setting_without_a_secret_is_shown_as_ever():
    step = settings({"Description": "old"}, Description="new")
    assert said(step, secrets=SECRETS)[1:] == ["    Description: old -> new"]
