"""How the zip reaches Lambda: in the call, or through a bucket."""

import pytest

from kappa.errors import AwsError
from kappa.package import upload
from kappa.package.pack import read_archive
from kappa.plan.apply import apply
from kappa.plan.step import Step
from tests.support.builders import assert_valid
from tests.unit.kappa.package.test_pack import config_of, write


def test_a_large_zip_goes_through_the_bucket_under_its_own_hash(project):
    config = config_of(project, s3_bucket="builds", s3_prefix="lambda/")
    archive = read_archive(config)
    plan = upload.plan(config, archive, max_direct_bytes=10)
    assert_valid(plan)
    key = upload.code(config, archive, max_direct_bytes=10)["S3Key"]
    assert [(step.params["Bucket"], step.params["Key"]) for step in plan] == [("builds", key)]
    assert key.startswith("lambda/greeter-")
    write(project / "code", other_py="x")
    assert upload.key(config, read_archive(config)) != key


def test_aws_must_have_what_was_put_into_the_bucket(project):
    config = config_of(project, s3_bucket="builds")
    archive = read_archive(config)
    step = Step(
        "lambda",
        "update_function_code",
        {},
        "updated",
        "code of greeter",
        **upload.expected(config, archive, max_direct_bytes=10),
    )
    reports = []
    apply([step], lambda *_: {"CodeSha256": archive.sha256}, reports.append)
    assert [report.mark for report in reports] == ["updated"]
    with pytest.raises(AwsError, match="another CodeSha256") as error:
        apply([step], lambda *_: {"CodeSha256": "of another"}, reports.append)
    assert "s3://builds/greeter-" in error.value.hint
    assert [report.mark for report in reports] == ["updated"]
    assert upload.expected(config, archive) == {}


def test_a_small_zip_goes_inside_of_the_call_even_where_there_is_a_bucket(project):
    config = config_of(project, s3_bucket="builds")
    archive = read_archive(config)
    assert upload.plan(config, archive) == []
    assert upload.code(config, archive) == {"ZipFile": archive.data}
