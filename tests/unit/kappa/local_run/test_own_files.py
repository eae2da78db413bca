"""Errors name the files that the user edits."""

from kappa.local_run.own_files import in_source, source_folder
from kappa.packing.build import read_archive


def test_a_folder_has_the_names_of_the_zip(config_of, tmp_path):
    config = config_of({"app.py": "handler = 1"})
    assert source_folder(config, read_archive(config)) == tmp_path / "code"


def test_a_single_file_is_found_from_its_name_in_the_zip(config_of, tmp_path):
    config = config_of(
        {"sub/app.py": "handler = 1"}, handler="sub/app.handler", path="code/sub/app.py"
    )
    assert source_folder(config, read_archive(config)) == tmp_path / "code"


def test_a_copy_is_named_as_its_original(tmp_path):
    (tmp_path / "app.js").touch()
    text = 'at /c/code/app.js:3:1, "/c/code/app.js\\n", file:///c/code/app.js) and /c/code/x.js'
    own = str(tmp_path / "app.js")
    assert in_source(text, tmp_path.__class__("/c/code"), tmp_path) == (
        f'at {own}:3:1, "{own}\\n", file://{own}) and /c/code/x.js'
    )
