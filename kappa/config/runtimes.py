"""Runtimes that deserve a warning: deprecated by AWS, or unknown to the SDK's model."""

from __future__ import annotations

from kappa.config.aws_model import shape
from kappa.config.convert import suggestion

# Source: AWS Lambda guide, "Lambda runtimes", deprecated runtimes. Newer ones may have joined
# them: a runtime that is not here is no matter of kappa's.
DEPRECATED = frozenset(
    {
        "dotnet6",
        "dotnetcore1.0",
        "dotnetcore2.0",
        "dotnetcore2.1",
        "dotnetcore3.1",
        "go1.x",
        "java8",
        "nodejs",
        "nodejs10.x",
        "nodejs12.x",
        "nodejs14.x",
        "nodejs16.x",
        "nodejs18.x",
        "nodejs4.3",
        "nodejs4.3-edge",
        "nodejs6.10",
        "nodejs8.10",
        "provided",
        "python2.7",
        "python3.6",
        "python3.7",
        "python3.8",
        "python3.9",
        "ruby2.5",
        "ruby2.7",
    }
)
NEWER = {
    "dotnet": "dotnet8",
    "go": "provided.al2023",
    "java": "java21",
    "nodejs": "nodejs22.x",
    "provided": "provided.al2023",
    "python": "python3.13",
    "ruby": "ruby3.3",
}


def warning(runtime: str) -> str:
    """The warning about a runtime that is deprecated or unknown; "" for any other."""
    if runtime in DEPRECATED:
        newer = next(now for kind, now in NEWER.items() if runtime.startswith(kind))
        return (
            f"AWS has deprecated the runtime {runtime}: it may refuse to make or update such a "
            f"function. Use {newer}, and try the code with it."
        )
    known = shape("Runtime")["enum"]
    if not runtime or runtime in known:
        return ""
    # AWS may have a newer runtime than the installed SDK: no error.
    supported = set(known) - DEPRECATED
    return f"Lambda may not have the runtime {runtime}. {suggestion(runtime, supported)}"
