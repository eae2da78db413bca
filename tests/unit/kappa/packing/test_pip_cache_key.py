"""What an installation depends on, as far as it can be known."""

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
