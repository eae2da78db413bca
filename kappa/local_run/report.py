"""Lambda's report of an invocation. Pure."""

from __future__ import annotations

import math

import msgspec

from kappa.texts import one_line


class Report(msgspec.Struct, frozen=True):
    """What Lambda reports at the end of an invocation. Units: milliseconds and MB.

    `status` is success, error or timeout; `init_ms` is None where the process was warm.
    """

    request_id: str
    duration_ms: float
    memory_mb: int
    used_mb: int
    init_ms: float | None = None
    status: str = "success"
    error_type: str = ""

    @property
    def billed_ms(self) -> int:
        """The whole milliseconds that Lambda bills, those of the start included.

        Source: AWS Compute blog, "AWS Lambda standardizes billing for INIT Phase".
        """
        return math.ceil(self.duration_ms + (self.init_ms or 0))

    @property
    def line(self) -> str:
        """The report as Lambda logs it.

        Source: AWS Lambda guide, "Viewing Lambda function logs".
        """
        facts = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {self.duration_ms:.2f} ms",
            f"Billed Duration: {self.billed_ms} ms",
            f"Memory Size: {self.memory_mb} MB",
            f"Max Memory Used: {self.used_mb} MB",
        ]
        if self.init_ms is not None:
            facts.append(f"Init Duration: {self.init_ms:.2f} ms")
        if self.status != "success":
            facts.append(f"Status: {self.status}")
        if self.error_type and self.status == "error":
            facts.append(f"Error Type: {one_line(self.error_type)}")
        return "\t".join(facts)
