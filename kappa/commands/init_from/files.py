"""Write an existing function down as the files of a config: init --from writes them to disk.

Owns which files come of it, and what is remarked in the config's head.
"""

from __future__ import annotations

import json

from kappa.commands.init_from.code import FOLDER, Code, unzipped
from kappa.commands.init_from.describe import Described, describe, given_role, why_not_made
from kappa.commands.init_from.read import Existing
from kappa.commands.init_from.refused import without_refused
from kappa.commands.starter import HEADER, POLICY, SCHEMA, NewFiles, schema
from kappa.config.references import escaped_in_document
from kappa.config.show import as_yaml
from kappa.config.tree import map_texts

_LEFT_OUT = "Not in this config. `delete` removes it from AWS, and no `deploy` brings it back:"


def adopted_files(
    existing: Existing, file: str, region: str | None = None, profile: str | None = None
) -> NewFiles:
    """Write down a function as the files of a config, which kappa reads without complaint.

    Raises: ArchiveError, if its zip is broken, too large, or holds a link; ConfigError, if no
    config could be the function's.
    """
    code = unzipped(existing.zipped) if existing.zipped else Code({})
    path = FOLDER if code.files else ""
    described = describe(existing, path, f"{FOLDER}/requirements.txt" in code.files)
    where = {
        "profile": profile,
        "region": region or existing.function["Configuration"]["FunctionArn"].split(":")[3],
    }
    whole = Described({**where, **described.config}, described.left_out)
    written = without_refused(file, whole, given_role(existing))
    remarks = _remarks(existing, code, written)
    files = {file: _text(existing, written, remarks).encode(), SCHEMA: schema(), **code.files}
    policy = written.config["iam"].get("policy", {})
    if "document" in policy and existing.policy:
        texts = map_texts(existing.policy["Document"], lambda _, text: escaped_in_document(text))
        document = json.dumps(texts, indent=2, ensure_ascii=False)
        files[POLICY] = f"{document}\n".encode()
    return NewFiles(files, frozenset(code.programs), tuple(remarks))


def _text(existing: Existing, written: Described, remarks: list[str]) -> str:
    name = existing.function["Configuration"]["FunctionName"]
    notes = [f"The function {name}, as `init --from` found it.", *remarks]
    head = [HEADER.rstrip(), *(f"# {note}" for note in notes)]
    return "\n".join([*head, as_yaml(written.config)])


def _remarks(existing: Existing, code: Code, written: Described) -> list[str]:
    why = why_not_made(existing)
    remarks = [f"The role {why}: the config uses it as it is."] if why else []
    if existing.function["Configuration"].get("PackageType") == "Image":
        remarks.append("The function is a container image: there is no code to download.")
    if code.left_out:
        remarks.append(f"Of the zip, what packing leaves out: {', '.join(code.left_out)}.")
    if written.left_out:
        remarks += [_LEFT_OUT, *(f"- {name}" for name in written.left_out)]
    return [comment_line(remark) for remark in remarks]


def comment_line(text: str) -> str:
    """A text as one line of a comment: what would end it, or not show, is escaped."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
