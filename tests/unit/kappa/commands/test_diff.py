"""What diff says of a plan: settings, documents, files; and what it does not say."""

import io
import json
import zipfile

import pytest

from kappa.commands.diff import HIDDEN, as_data, as_lines, changes, replaces_code
from kappa.packing.code_diff import compare_code, file_lines
from kappa.plan.step import Already, Step
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
    plan = [Already("unchanged", "code of g")]
    assert changes(plan, packed(a="1"), None) == []
    assert not replaces_code(plan)


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return buffer.getvalue()


def lines_of(old, new, installed=(), **options):
    return [text.strip() for _, text in file_lines(compare_code(old, new, installed, **options))]


TEA = {"tea__a.py": "1", "tea__b.py": "22", "tea-1.0.dist-info__METADATA": "333"}
TEA_2 = {"tea__a.py": "1", "tea__b.py": "4444", "tea-2.0.dist-info__METADATA": "333"}


def test_a_package_is_one_line_however_many_files_it_has():
    own = {"app.py": "x"}
    assert lines_of(zipped(**own), zipped(**own, **TEA)) == ["+ tea 1.0  3 files, 6 bytes"]
    assert lines_of(zipped(**own, **TEA), zipped(**own)) == ["- tea 1.0  3 files, 6 bytes"]
    assert lines_of(zipped(**TEA), zipped(**TEA_2)) == ["~ tea 1.0 -> 2.0  3 files, 7 bytes"]


def test_a_package_that_has_another_name_than_its_folder_is_known_by_what_it_says():
    files = {"bs4__a.py": "1", "soup-1.0.dist-info__METADATA": ""}
    says = {"soup-1.0.dist-info__top_level.txt": "bs4\n"}
    assert lines_of(zipped(), zipped(**files, **says)) == ["+ soup 1.0  3 files, 5 bytes"]
    assert lines_of(zipped(), zipped(**files), ["bs4/a.py"]) == [
        "+ bs4  1 file, 1 bytes",
        "+ soup 1.0  1 file, 0 bytes",
    ]


def test_a_long_diff_of_a_file_is_cut_and_says_so():
    old, new = ("\n".join(f"{word} {n}" for n in range(500)) for word in ("a", "b"))
    said = lines_of(zipped(**{"a.txt": old}), zipped(**{"a.txt": new}))
    assert len(said) == 42
    assert said[-1] == "... 961 more lines"


def test_what_is_no_text_is_shown_by_its_size():
    old, new = zipped(a=b"\0\xff"), zipped(a=b"\0\xff\xff")
    assert lines_of(old, new) == ["~ a  2 -> 3 bytes"]


def test_what_a_terminal_would_obey_is_shown_as_its_number():
    assert lines_of(zipped(a="x"), zipped(a="\x1b[31m"))[-1] == r"+\x1b[31m"


def test_files_that_hold_secrets_are_shown_by_their_size_unless_values_are_shown():
    names = (
        ".env deep__.env.prod tls.key db_password.txt secrets__db.yml a__.aws__config .netrc .npmrc"
        " .pypirc .pgpass a__.htpasswd id_rsa .ssh__x id_ed25519 prod.env env.yml tokens.json"
        " Credentials__b.txt service-account-1.json a.keystore a.JKS a.p12 My_Secret.py"
    )
    for name in names.split():
        old, new = zipped(**{name: "one"}), zipped(**{name: "three"})
        assert lines_of(old, new) == [f"~ {name.replace('__', '/')}  3 -> 5 bytes"]
        assert "+three" in lines_of(old, new, show_secrets=True)


def damaged(kind):
    """A zip of one text, packed in that way, whose packed bytes are not what they were."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        archive.writestr("a", "text of a")
    data = bytearray(buffer.getvalue())
    data[31:35] = b"\xff" * 4  # 30 bytes of header and the name stand before them
    return bytes(data)


@pytest.mark.parametrize(
    "kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_file_on_aws_is_shown_by_its_size(kind):
    new = zipped(a="other text of a")
    assert lines_of(damaged(kind), new) == ["~ a  9 -> 15 bytes"]


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
