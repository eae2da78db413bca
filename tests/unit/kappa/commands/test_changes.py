"""What diff says of a plan: settings, documents, files; and what it does not say."""

import io
import json
import zipfile

import pytest

from kappa.commands.changes import HIDDEN, as_data, as_lines, changes
from kappa.function.code import replaces_code
from kappa.package.compare import compare_code
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


def test_the_same_files_in_another_zip_are_no_change():
    name, data = "update_function_code", packed(a="1")
    with_comment = data[:-2] + b"\1\0x"
    assert compare_code(with_comment, data) == ()
    upload = Step("s3", "put_object", {"Bucket": "b", "Key": "k"}, "created", "zip s3://b/k")
    step = Step("lambda", name, {**NAME, "S3Key": "k"}, "updated", "code of g")
    assert changes([upload, step], data, with_comment) == []
    assert len(changes([upload, step], data, packed(a="2"))) == 2


def test_what_is_removed_is_only_named():
    step = Step(
        "lambda", "remove_permission", {**NAME, "StatementId": "x"}, "removed", "permission x"
    )
    assert list(as_lines(changes([step], None, None))) == [("-", "- permission x")]


def test_a_plan_without_steps_changes_nothing():
    plan = [Note("unchanged", "code of g")]
    assert changes(plan, packed(a="1"), None) == []
    assert not replaces_code(plan)


SECRETS = {"new-s3cret", "pg://new-s3cret", "pw"}


@pytest.mark.parametrize("shows", [False, True])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (variables(DB="old-s3cret"), variables(DB="new-s3cret")),
        (variables(DB="old-s3cret"), variables(DB="pg://new-s3cret")),
        ({"KMSKeyArn": "old-s3cret"}, {"KMSKeyArn": "arn:1:new-s3cret"}),
        ({"KMSKeyArn": "old-s3cret"}, {"KMSKeyArn": "pw"}),
        ({"Layers": ["a", "old-s3cret"]}, {"Layers": ["a", "new-s3cret"]}),
    ],
)
def test_a_setting_with_a_secret_is_hidden_with_what_it_replaces(before, after, shows):
    step = Step("lambda", "update_function_configuration", after, "updated", "g", before=before)
    (change,) = changes([step], None, None, secrets=SECRETS, show_values=shows)
    (setting,) = change.settings
    assert (setting.before, setting.after) == (HIDDEN, HIDDEN)


def test_a_document_with_a_secret_is_hidden_as_a_whole():
    def targets(token):
        text = json.dumps({"token": token, "kind": "tea"})
        return {"Targets": [{"Id": "1", "Arn": "arn", "Input": text}]}

    step = Step(
        *("events", "put_targets", {"Rule": "r", **targets("new-s3cret")}, "updated", "r"),
        before=targets("old-s3cret"),
    )
    (change,) = changes([step], None, None, secrets=SECRETS, show_values=True)
    assert "tea" not in json.dumps(as_data([change]))
    assert f"    Targets: {HIDDEN} -> {HIDDEN}" in [text for _, text in as_lines([change])]


def test_a_setting_without_a_secret_is_shown_whatever_short_secrets_it_holds():
    step = settings({"Description": "old"}, Description="my pwd")
    assert said(step, secrets=SECRETS)[1:] == ["    Description: old -> my pwd"]
