"""package on the command line: the zip, and the list of its files."""

import json

import pytest

from kappa.errors import ArchiveError


def test_package_lists_what_is_in_the_zip(run, tmp_path):
    data = json.loads(run("package", "--list", "--json").stdout)
    assert list(data["names"]) == ["greeter.py"]
    assert data["size_bytes"] == (tmp_path / "greeter.zip").stat().st_size


def test_package_writes_one_file_for_one_config(run, tmp_path):
    (tmp_path / "other.yml").write_text((tmp_path / "config.yml").read_text())
    done = run("package", "--output", "x.zip", configs=("config.yml", "other.yml"))
    assert "--output is for one config file." in done.stderr


BROKEN = "def handler(event, context)\n    return event\n"


@pytest.mark.parametrize("command", ["package", "validate"])
def test_code_with_a_syntax_error_is_refused(run, tmp_path, command):
    (tmp_path / "code" / "tea.py").write_text(BROKEN)
    error = run(command).exception
    assert isinstance(error, ArchiveError)
    assert f"{tmp_path}/code/tea.py:1: Python 3." in error.message
    assert not (tmp_path / "greeter.zip").exists()


def test_a_syntax_error_stops_several_configs_before_anything_is_asked(run, tmp_path):
    (tmp_path / "bad").mkdir()
    text = (tmp_path / "config.yml").read_text().replace("name: greeter", "name: other")
    (tmp_path / "bad.yml").write_text(text.replace("path: code", "path: bad"))
    (tmp_path / "bad" / "greeter.py").write_text(BROKEN)
    done = run("deploy", configs=("config.yml", "bad.yml"))
    assert done.return_value == 1
    assert f"Error: {tmp_path}/bad/greeter.py:1: Python 3." in done.stderr


def test_a_container_image_is_not_packed(run, tmp_path):
    file = tmp_path / "config.yml"
    kept = [
        line
        for line in file.read_text().splitlines()
        if not line.strip().startswith(("path:", "handler:", "runtime:"))
    ]
    image = "  image:\n    uri: 123456789012.dkr.ecr.us-east-1.amazonaws.com/greeter:1\n"
    file.write_text("\n".join(kept) + "\n" + image)
    assert isinstance(run("package").exception, ArchiveError)
    assert run("validate").exception is None


def test_a_files_name_makes_no_line_of_its_own_in_a_list(run, tmp_path):
    (tmp_path / "code" / "a\nconfig.zip: 1 B").write_text("x")
    lines = run("package", "--list").stdout.splitlines()
    assert len(lines) == 3
    assert any(line.endswith(r"a\nconfig.zip: 1 B") for line in lines)


def test_several_configs_are_all_packed_before_a_zip_is_written(run, tmp_path):
    text = (tmp_path / "config.yml").read_text().replace("name: greeter", "name: other")
    (tmp_path / "other.yml").write_text(f"{text}  build: echo no tea; exit 7\n")
    done = run("package", configs=("config.yml", "other.yml"))
    assert done.return_value == 1
    assert "lambda.build failed with exit code 7" in done.stderr
    assert not list(tmp_path.glob("*.zip"))
