"""Lambda's report line."""

from kappa.commands.log_lines import parse
from kappa.local_run.report import Report

ID = "60515004-4cba-4d34-97d7-f4e18fb46462"


def test_the_report_is_written_as_lambda_writes_it():
    report = Report(ID, 1.234, 128, 30, init_ms=80.1)
    assert report.line == (
        f"REPORT RequestId: {ID}\tDuration: 1.23 ms\tBilled Duration: 82 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 30 MB\tInit Duration: 80.10 ms"
    )


def test_kappa_reads_its_own_report():
    parsed = parse(Report(ID, 3000.4, 128, 30, status="timeout").line)
    assert parsed.kind == "report"
    assert (parsed.report.billed_ms, parsed.report.init_ms) == (3001, None)
    assert (parsed.report.status, parsed.report.failed) == ("timeout", True)


def test_an_error_is_named():
    line = Report(ID, 1, 128, 30, status="error", error_type="ValueError").line
    assert line.endswith("Status: error\tError Type: ValueError")
    line = Report(ID, 1, 128, 30, status="error", error_type="A\nB").line
    assert line.endswith("Error Type: A\\nB")
