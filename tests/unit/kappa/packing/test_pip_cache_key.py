"""What an installation depends on, as far as it can be known."""

import os

import pytest

from kappa.packing.pip_cache_key import read_inputs
from tests.support.kappa.wheels import wheel


@pytest.mark.parametrize(
    "line",
    [
        "tea==1.0",
        "tea [milk,sugar] >= 1.0, < 3 ; python_version > '3' and sys_platform == 'linux'",
        "tea~=1.0 --hash=sha256:00 --hash sha256:11",
        "tea (>=1.0)",
        "--no-index --only-binary :all:",
        "-i https://localhost/simple --pre",
        "-f wheels",
        "./wheels/tea-1.0-py3-none-any.whl[milk]",
        "tea @ https://localhost/tea-1.0-py3-none-any.whl#sha256=00",
    ],
)
def test_a_line_that_is_understood_whole_is_kept(tmp_path, line):
    wheel(tmp_path / "wheels")
    assert read_inputs(line, tmp_path, "").is_known


@pytest.mark.parametrize(
    "line",
    [
        "tea --find-links wheels",
        "tea --config-settings x=y",
        "./missing.whl",
        "tea.zip",
        "./wheels",
        "-f missing",
        "-r missing.txt",
        "--index-url simple",
        "--no-index --find-l wheels",
        "tea; extra == 'a/b'",
        "tea @ https://localhost/tea-1.0-py3-none-any.whl",
        "# coding: utf-16\ntea",
    ],
)
def test_a_line_that_is_not_understood_whole_is_not_kept(tmp_path, line):
    wheel(tmp_path / "wheels")
    assert not read_inputs(line, tmp_path, "").is_known


@pytest.mark.parametrize(
    "line",
    [
        "./wheels/tea-1.0-py3-none-any.whl",
        "./wheels/tea-1.0-py3-none-any.whl;python_version>'3'",
        "tea @ file://{}/wheels/tea-1.0-py3-none-any.whl",
        "tea@file://{}/wheels/tea-1.0-py3-none-any.whl ; python_version>'3'",
        "{}/my wheels/../wheels/tea-1.0-py3-none-any.whl",
        "./my wheels/../wheels/tea-1.0-py3-none-any.whl",
        "# a note \\\n./wheels/tea-1.0-py3-none-any.whl",
        "\ufeff./wheels/tea-1.0-py3-none-any.whl",
        "--find-links wheels\ntea",
        "-fwheels\ntea",
        "-f ./wheels\ntea",
        '--find-links="wheels" --no-index\ntea',
        "--no-index --find-links=wheels\ntea",
        "--pre --find-links ../here/wheels\ntea",
    ],
)
def test_a_wheel_that_was_built_anew_is_another_input(tmp_path, line):
    """Its name is the same; so is that of another project's wheel."""
    found = []
    (tmp_path / "my wheels").mkdir()
    for text in ("first", "second"):
        wheel(tmp_path / "wheels", **{"tea/leaf.py": text})
        inputs = read_inputs(line.format(tmp_path).replace("here", tmp_path.name), tmp_path, "")
        assert inputs.is_known
        found.append(inputs.files)
    assert found[0] != found[1]


def test_included_files_and_their_variables_are_inputs(tmp_path, monkeypatch):
    found = []
    for text, value in (("tea==1.0", ""), ("tea==2.0", ""), ("tea==${V}", "1"), ("tea==${V}", "2")):
        (tmp_path / "pins.txt").write_text(text)
        monkeypatch.setenv("V", value)
        inputs = read_inputs("-r pins.txt", tmp_path, "")
        assert inputs.is_known
        found.append(inputs.files)
    assert all(found.count(files) == 1 for files in found)


def test_a_folder_and_a_source_archive_are_inputs_where_they_may_be_built(tmp_path):
    (tmp_path / "pkg").mkdir()
    (tmp_path / "tea-1.0.tar.gz").touch()
    for line in ("./pkg", "tea @ ./tea-1.0.tar.gz"):
        assert not read_inputs(line, tmp_path, "").is_known
        assert read_inputs(line, tmp_path, "", builds=True).is_known
    os.mkfifo(tmp_path / "pkg" / "pipe")
    assert not read_inputs("./pkg", tmp_path, "", builds=True).is_known
