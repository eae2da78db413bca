"""A requirements file is split as pip splits it."""

import pytest

from kappa.packing.requirement_lines import expanded_lines, halves, rebased


def test_lines_are_joined_at_backslashes_and_lose_comments(monkeypatch):
    monkeypatch.setenv("CUP", "mug")
    text = "\ufefftea \\\n  >=1  # green\n# no \\\n\n${CUP}==2 # ${CUP}\n${cup}\njug \\"
    assert list(expanded_lines(text)) == ["tea   >=1", "mug==2", "${cup}", "jug"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tea >= 1", ("tea >= 1", [])),
        ("tea --hash=a --hash b", ("tea", [("--hash", "a"), ("--hash", "b")])),
        ("-rmore.txt --pre", ("", [("-r", "more.txt"), ("--pre", "")])),
        ('--find-links "my wheels"', ("", [("--find-links", "my wheels")])),
    ],
)
def test_a_line_is_a_requirement_and_its_options(line, expected):
    assert halves(line) == expected


def test_only_included_files_are_rebased(tmp_path):
    text = "-r more.txt\n-c https://host/c.txt\n-f wheels\n./tea.whl"
    assert rebased(text, tmp_path).splitlines() == [
        f"-r {tmp_path}/more.txt",
        "-c https://host/c.txt",
        "-f wheels",
        "./tea.whl",
    ]
