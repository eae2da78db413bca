"""What differs between two zips: files, lines, packages."""

import io
import zipfile

import pytest

from kappa.packing.code_diff import compare_code, file_lines


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return buffer.getvalue()


def lines_of(old, new, installed=(), **options):
    return [text.strip() for _, text in file_lines(compare_code(old, new, installed, **options))]


TEA = {"tea__a.py": "1", "tea__b.py": "22", "tea-1.0.dist-info__METADATA": "333"}
TEA_2 = {"tea__a.py": "1", "tea__b.py": "4444", "tea-2.0.dist-info__METADATA": "333"}


def test_a_package_is_one_line_however_many_files_it_has():
    own = {"app.py": "x"}
    assert lines_of(zipped(**own), zipped(**own, **TEA)) == ["+ tea 1.0  3 files, 6 bytes"]
    assert lines_of(zipped(**own, **TEA), zipped(**own)) == ["- tea 1.0  3 files, 6 bytes"]
    assert lines_of(zipped(**TEA), zipped(**TEA_2)) == ["~ tea 1.0 -> 2.0  3 files, 7 bytes"]


def test_a_package_that_has_another_name_than_its_folder_is_known_by_what_it_says():
    files = {"bs4__a.py": "1", "soup-1.0.dist-info__METADATA": ""}
    says = {"soup-1.0.dist-info__top_level.txt": "bs4\n"}
    assert lines_of(zipped(), zipped(**files, **says)) == ["+ soup 1.0  3 files, 5 bytes"]
    assert lines_of(zipped(), zipped(**files), ["bs4/a.py"]) == [
        "+ bs4  1 file, 1 bytes",
        "+ soup 1.0  1 file, 0 bytes",
    ]


def test_a_long_diff_of_a_file_is_cut_and_says_so():
    old, new = ("\n".join(f"{word} {n}" for n in range(500)) for word in ("a", "b"))
    said = lines_of(zipped(**{"a.txt": old}), zipped(**{"a.txt": new}))
    assert len(said) == 42
    assert said[-1] == "... 961 more lines"


def test_what_is_no_text_is_shown_by_its_size():
    old, new = zipped(a=b"\0\xff"), zipped(a=b"\0\xff\xff")
    assert lines_of(old, new) == ["~ a  2 -> 3 bytes"]


def test_what_a_terminal_would_obey_is_shown_as_its_number():
    assert lines_of(zipped(a="x"), zipped(a="\x1b[31m"))[-1] == r"+\x1b[31m"


@pytest.mark.parametrize("char", ["\u00a0", "\u2009", "\u3000", "\u200c", "\u200d", "\u00ad"])
def test_a_line_that_differs_only_in_an_invisible_character_shows_its_number(char):
    number = ascii(char).strip("'")
    lines = lines_of(zipped(a=f"\tx{char}y"), zipped(a="\tx y"))
    assert lines[-2:] == [f"-\tx{number}y", "+\tx y"]


def test_files_that_hold_secrets_are_shown_by_their_size_unless_values_are_shown():
    names = (
        ".env deep__.env.prod tls.key db_password.txt secrets__db.yml a__.aws__config .netrc .npmrc"
        " .pypirc .pgpass a__.htpasswd id_rsa .ssh__x id_ed25519 prod.env env.yml tokens.json"
        " Credentials__b.txt service-account-1.json a.keystore a.JKS a.p12 My_Secret.py"
    )
    for name in names.split():
        old, new = zipped(**{name: "one"}), zipped(**{name: "three"})
        assert lines_of(old, new) == [f"~ {name.replace('__', '/')}  3 -> 5 bytes"]
        assert "+three" in lines_of(old, new, show_secrets=True)


def damaged(kind):
    """A zip of one text, packed in that way, whose packed bytes are not what they were."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        archive.writestr("a", "text of a")
    data = bytearray(buffer.getvalue())
    data[31:35] = b"\xff" * 4  # 30 bytes of header and the name stand before them
    return bytes(data)


def test_a_file_that_a_secret_was_built_into_is_shown_by_its_size():
    old, new = zipped(a="key=old-s3cret"), zipped(a="key=new-s3cret")
    for shows in (False, True):
        lines = lines_of(old, new, show_secrets=shows, secrets=["new-s3cret"])
        assert lines == ["~ a  14 -> 14 bytes"]


@pytest.mark.parametrize(
    "kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_file_on_aws_is_shown_by_its_size(kind):
    new = zipped(a="other text of a")
    assert lines_of(damaged(kind), new) == ["~ a  9 -> 15 bytes"]
