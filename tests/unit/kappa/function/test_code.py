"""The function's code: what is sent, and when."""

from kappa.plan.step import steps
from tests.unit.kappa.function.test_health import KEY, plan
from tests.unit.kappa.function.test_plan import plan_update


def test_a_zip_keeps_the_key_that_its_owner_gave_it():
    (code,) = steps(plan(code={"SourceKMSKeyArn": KEY}, CodeSha256="old"))
    assert code.params == {"FunctionName": "greeter", "ZipFile": b"zip", "SourceKMSKeyArn": KEY}


def test_update_uploads_code_whose_hash_differs_and_waits():
    code = plan_update({"CodeSha256": "old"})[1]
    assert code.params == {"FunctionName": "greeter", "ZipFile": b"zip"}
    assert (code.wait.field, code.wait.until) == ("LastUpdateStatus", ("Successful",))


def test_update_to_another_architecture_uploads_the_code_again():
    code = plan_update(architectures=("arm64",))[1]
    assert code.params == {
        "FunctionName": "greeter",
        "ZipFile": b"zip",
        "Architectures": ["arm64"],
    }
