"""Plan the function's code, a zip or an image, and compare it with AWS's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.config.model import Config
from kappa.errors import Conflict
from kappa.function.health import ready
from kappa.package import upload
from kappa.package.zip import Archive
from kappa.plan.step import Guard, Note, Plan, Step, steps

# The operations of Lambda that send code.
SENDS_CODE = frozenset({"create_function", "update_function_code"})
# The architecture of a function that was made before AWS offered a choice.
_DEFAULT_ARCHITECTURES = ["x86_64"]


def code_params(config: Config, archive: Archive | None) -> dict[str, Any]:
    """The location of the code, as parameters of Lambda's calls."""
    if config.function.image:
        return {"ImageUri": config.function.image.uri}
    return upload.code(config, archive) if archive else {}


def plan_code(
    config: Config,
    archive: Archive | None,
    settings: Mapping[str, Any],
    code: Mapping[str, Any],
    *,
    again: bool,
    guard: Guard | None = None,
) -> Step | Note:
    """Plan the update of different code; with `again`, after a failure, of any code.

    `settings` and `code` are GetFunction's Configuration and Code. A zip keeps its customer key.
    Raises: Conflict, if AWS has an image where the config has a zip, or the other way round.
    """
    name = config.function.name
    _check_kind(config, settings)
    before, after = compare_code(config, archive, settings, code)
    changed = [key for key in after if before[key] != after[key]]
    if not changed and not again:
        return Note("unchanged", f"code of {name}")
    params: dict[str, Any] = {"FunctionName": name, **code_params(config, archive)}
    if "Architectures" in changed:
        params["Architectures"] = after["Architectures"]
    if not config.function.image and code.get("SourceKMSKeyArn"):
        params["SourceKMSKeyArn"] = code["SourceKMSKeyArn"]
    return Step(
        "lambda",
        "update_function_code",
        params,
        "updated",
        f"code of {name}" if changed else f"code of {name}, again",
        wait=ready(config, "LastUpdateStatus", "Successful", always=again),
        before=before if changed else {"CodeSha256": settings.get("CodeSha256")},
        guard=guard,
        **upload.expected(config, archive),
    )


def _check_kind(config: Config, settings: Mapping[str, Any]) -> None:
    kind = "Image" if config.function.image else "Zip"
    if settings.get("PackageType", kind) != kind:
        raise Conflict(
            f"The function {config.function.name} has the package type "
            f"{settings['PackageType']}, which AWS cannot change to {kind}.",
            f"Delete it first: {config.command('delete')}",
        )


def compare_code(
    config: Config,
    archive: Archive | None,
    settings: Mapping[str, Any],
    code: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the identity of the code in AWS, and that of the config's code."""
    if config.function.image:
        before = {"ImageUri": code.get("ImageUri")}
        after: dict[str, Any] = {"ImageUri": config.function.image.uri}
    else:
        before = {"CodeSha256": settings.get("CodeSha256")}
        after = {"CodeSha256": archive.sha256 if archive else None}
    current = settings.get("Architectures") or _DEFAULT_ARCHITECTURES
    desired = config.function.architectures
    if desired is not None and list(desired) != current:
        before["Architectures"], after["Architectures"] = current, list(desired)
    return before, after


def sends_code(plan: Plan) -> bool:
    """Whether a plan uploads the function's code."""
    return any(step.operation in SENDS_CODE for step in steps(plan))


def replaces_code(plan: Plan) -> bool:
    """Whether a plan replaces the code of an existing function."""
    return any(step.operation == "update_function_code" for step in steps(plan))
