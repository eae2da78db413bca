"""The function's settings beside botocore's model of Lambda: a newer botocore shows drift."""

import botocore.session

from kappa.config.settings import FUNCTION

MODEL = botocore.session.get_session().get_service_model("lambda")


def test_what_an_answer_has_beyond_the_settings_is_known():
    """`init --from` writes the settings: something new here must be named as left out, or read."""
    answer = set(MODEL.shape_for("FunctionConfiguration").members)
    reported = {
        "CodeSha256",
        "CodeSize",
        "ConfigSha256",
        "FunctionArn",
        "LastModified",
        "LastUpdateStatus",
        "LastUpdateStatusReason",
        "LastUpdateStatusReasonCode",
        "MasterArn",
        "RevisionId",
        "RuntimeVersionConfig",
        "SigningJobArn",
        "SigningProfileVersionArn",
        "State",
        "StateReason",
        "StateReasonCode",
        "Version",
    }
    written = {"Architectures", "FunctionName", "ImageConfigResponse", "PackageType", "Role"}
    assert answer - set(FUNCTION.members) == reported | written


def test_what_an_answer_may_leave_out_with_an_error_is_known():
    """health.py asks for each of these errors, or they stand beside what is not compared."""
    answer = MODEL.shape_for("GetFunctionResponse").members
    parts = {**answer, **answer["Configuration"].members}
    errors = {
        name
        for name, shape in parts.items()
        if shape.type_name == "structure" and "Error" in shape.members
    }
    compared = {"Code", "Environment", "ImageConfigResponse"}
    assert errors == {*compared, "RuntimeVersionConfig"}
    assert {name for name in parts if name.endswith("Error")} == {"TagsError"}


def test_every_state_of_the_model_is_known():
    """health.py: Failed and Deleting are refused, Inactive is mended, Pending is waited for."""
    known = {"Pending", "Active", "Inactive", "Failed", "Deleting"}
    # Those of a function of a capacity provider: its newest code is run as a version only.
    others = {"ActiveNonInvocable", "Deactivated", "Deactivating"}
    assert set(MODEL.shape_for("State").enum) == known | others
    assert set(MODEL.shape_for("LastUpdateStatus").enum) == {"Successful", "Failed", "InProgress"}
