"""Which files go into the zip, and along which links."""

import contextlib
import os
import shutil
import stat
import subprocess

import pytest

from kappa.errors import ArchiveError
from kappa.package import files as codefiles
from kappa.package.zip import pack
from tests.unit.kappa.package.test_zip import contents, folder


def test_caches_and_the_old_zip_are_left_out(tmp_path):
    source = folder(tmp_path, a_py="a", __pycache____a_py="a")
    for name in ("a.pyc", ".DS_Store", "old.zip"):
        (source / name).write_text("x")
    (source / "__pycache__").mkdir(exist_ok=True)
    (source / "__pycache__" / "a.py").write_text("x")
    (source / ".git").mkdir()
    (source / ".git" / "config").write_text("x")
    assert "a.py" in pack(source, "old.zip").names
    assert not {"a.pyc", ".DS_Store", "old.zip", "__pycache__/a.py", ".git/config"} & set(
        pack(source, "old.zip").names
    )


def test_what_an_editor_keeps_beside_an_open_file_is_left_out(tmp_path):
    source = folder(tmp_path, a_py="a")
    for name in (".a.py.swp", ".a.py.swo", "a.py~", "#a.py#", ".a.py.kate-swp"):
        (source / name).write_text("unsaved")
    (source / ".#a.py").symlink_to("ada@host.1234")
    (source / "notes.swp").write_text("ours")
    assert pack(source).names == ("a.py", "notes.swp")


@pytest.mark.parametrize(
    ("name", "lines", "left_out"),
    [
        (".env", "", ".env"),
        ("lib/.env.production", "", "lib/.env.production"),
        (".env.example", "", ""),
        ("env.py", "", ""),
        ("id_ed25519", "", "id_ed25519"),
        ("id_ed25519.pub", "", ""),
        (".npmrc", "*.txt", ".npmrc"),
        ("node_modules/tea/.npmrc", "", ""),
        (".aws/credentials", "", ".aws/"),
        (".env", "!.env", ""),
        (".aws/credentials", "!.aws/", ""),
        ("global-bundle.pem", "", ""),
    ],
)
def test_a_file_of_secrets_is_left_out_and_named(tmp_path, name, lines, left_out):
    source = folder(tmp_path, a_py="a")
    (source / name).parent.mkdir(parents=True, exist_ok=True)
    (source / name).write_text("x")
    (source / ".lambdaignore").write_text(lines)
    archive = pack(source)
    assert archive.names == tuple(sorted({"a.py", *(() if left_out else (name,))}))
    (note,) = archive.notes or ("",)
    assert (f": {left_out}. `!NAME` in .lambdaignore" in note) == bool(left_out)


def test_what_lambdaignore_names_and_what_a_package_brings_is_no_secret(tmp_path):
    source = folder(tmp_path / "code", a_py="a")
    (source / ".env").write_text("x")
    (source / ".lambdaignore").write_text(".env\n!tea/.env\n")
    (tmp_path / "packages" / "cup").mkdir(parents=True)
    (tmp_path / "packages" / "cup" / ".npmrc").write_text("x")
    archive = pack(source, extras=codefiles.Extras(packages=tmp_path / "packages"))
    assert (archive.names, archive.notes) == (("a.py", "cup/.npmrc"), ())


def test_a_link_inside_of_the_folder_is_packed_as_the_file(tmp_path):
    source = folder(tmp_path, a_py="text")
    (source / "b.py").symlink_to("a.py")
    assert contents(pack(source)).read("b.py") == b"text"


@pytest.mark.parametrize("target", ["/etc/hostname", "../secret", "nowhere"])
def test_a_link_to_elsewhere_is_refused(tmp_path, target):
    source = folder(tmp_path / "code", a_py="text")
    (tmp_path / "secret").write_text("secret")
    (source / "b.py").symlink_to(target)
    with pytest.raises(ArchiveError, match="is a link to"):
        pack(source)


def test_a_link_to_a_folder_inside_is_packed_as_the_folder(tmp_path):
    source = folder(tmp_path, v2__a_py="text", v2__deep__b_py="more")
    (source / "current").symlink_to("v2")
    packed = pack(source)
    assert packed.names == ("current/a.py", "current/deep/b.py", "v2/a.py", "v2/deep/b.py")
    assert contents(packed).read("current/a.py") == b"text"


def test_a_link_to_a_folder_outside_is_refused(tmp_path):
    source = folder(tmp_path / "code", a_py="text")
    (source / "lib").symlink_to(tmp_path)
    with pytest.raises(ArchiveError, match="is a link to"):
        pack(source)


@pytest.mark.parametrize(
    "links", [{"self": "self"}, {"x": "y", "y": "x"}], ids=["itself", "each other"]
)
def test_links_that_lead_nowhere_are_named(tmp_path, links):
    source = folder(tmp_path, a_py="text")
    for name, target in links.items():
        (source / name).symlink_to(target)
    with pytest.raises(ArchiveError, match="which leads nowhere"):
        pack(source)


@pytest.mark.parametrize(
    "links",
    [{"lib/up": ".."}, {"lib/here": "."}, {"a/b": "../b", "b/a": "../a"}],
    ids=["parent", "itself", "each other"],
)
def test_folders_that_are_in_themselves_by_links_are_named(tmp_path, links):
    source = folder(tmp_path, lib__a_py="text", a__x_py="x", b__x_py="x")
    for name, target in links.items():
        (source / name).symlink_to(target)
    with pytest.raises(ArchiveError, match="is a link to a folder that it is in"):
        pack(source)


def test_links_that_double_the_files_at_each_step_end_as_an_error(tmp_path):
    source = folder(tmp_path, f19__a_py="text")
    for number in range(19):
        (source / f"f{number}").mkdir()
        for name in ("a", "b"):
            (source / f"f{number}" / name).symlink_to(f"../f{number + 1}")
    walk = codefiles._Walk(source, lambda _: False, max_count=1000)
    with pytest.raises(ArchiveError, match="more than 1,000 files"):
        list(walk.folder(source, ""))


@pytest.fixture
def pnpm(tmp_path):
    """A folder as pnpm installs into it: tea needs pot, and both need each other."""
    source = folder(tmp_path / "code", index_py="")
    modules = source / "node_modules"
    for name, text in {
        ".pnpm/tea@1/node_modules/tea/index.js": "exports.pot = () => require('pot').name\n",
        ".pnpm/pot@2/node_modules/pot/index.js": "exports.name = 'pot 2'\n",
        ".pnpm/pot@2/node_modules/pot/tea.js": "exports.tea = require('tea')\n",
        "plain/index.js": "",
    }.items():
        (modules / name).parent.mkdir(parents=True, exist_ok=True)
        (modules / name).write_text(text)
    for name, target in {
        "tea": ".pnpm/tea@1/node_modules/tea",
        ".pnpm/tea@1/node_modules/pot": "../../pot@2/node_modules/pot",
        ".pnpm/pot@2/node_modules/tea": "../../tea@1/node_modules/tea",
        ".pnpm/node_modules/@own/pot": "../../pot@2/node_modules/pot",
    }.items():
        (modules / name).parent.mkdir(parents=True, exist_ok=True)
        (modules / name).symlink_to(target)
    return source


def links_in(archive):
    """The links of a zip, with their targets."""
    with contents(archive) as packed:
        return {
            info.filename: packed.read(info).decode()
            for info in packed.infolist()
            if stat.S_ISLNK(info.external_attr >> 16)
        }


def test_links_between_node_modules_stay_links(pnpm):
    packed = pack(pnpm)
    assert links_in(packed) == {
        "node_modules/.pnpm/node_modules/@own/pot": "../../pot@2/node_modules/pot",
        "node_modules/.pnpm/pot@2/node_modules/tea": "../../tea@1/node_modules/tea",
        "node_modules/.pnpm/tea@1/node_modules/pot": "../../pot@2/node_modules/pot",
        "node_modules/tea": ".pnpm/tea@1/node_modules/tea",
    }
    assert [name for name in packed.names if name not in links_in(packed)] == [
        "index.py",
        "node_modules/.pnpm/pot@2/node_modules/pot/index.js",
        "node_modules/.pnpm/pot@2/node_modules/pot/tea.js",
        "node_modules/.pnpm/tea@1/node_modules/tea/index.js",
        "node_modules/plain/index.js",
    ]
    assert pack(pnpm) == packed


@pytest.mark.skipif(not (shutil.which("node") and shutil.which("unzip")), reason="needs node")
def test_node_finds_the_modules_of_an_unzipped_package(pnpm, tmp_path):
    (tmp_path / "code.zip").write_bytes(pack(pnpm).data)
    subprocess.run(["unzip", "-q", "code.zip", "-d", "unzipped"], cwd=tmp_path, check=True)
    script = "console.log(require('tea').pot())"
    command = ["node", "-e", script]
    done = subprocess.run(
        command, cwd=tmp_path / "unzipped", capture_output=True, text=True, check=False
    )
    assert done.stdout == "pot 2\n", done.stderr


def test_a_link_to_node_modules_that_are_left_out_is_packed_as_the_folder(pnpm):
    (pnpm / ".lambdaignore").write_text(".pnpm/\n")
    packed = pack(pnpm)
    assert packed.names == ("index.py", "node_modules/plain/index.js", "node_modules/tea/index.js")
    assert links_in(packed) == {}


def test_links_of_node_modules_to_themselves_end(tmp_path):
    source = folder(tmp_path / "code", index_py="", store__a_py="a")
    modules = source / "node_modules"
    modules.mkdir()
    for path, target in {
        modules / "self": "..",
        modules / "all": ".",
        modules / "store": "../store",
        source / "store" / "node_modules": "../node_modules",
    }.items():
        path.symlink_to(target)
    (source / ".lambdaignore").write_text("/store/\n")
    packed = pack(source)
    assert packed.names == (
        *("index.py", "node_modules/all", "node_modules/self"),
        *("node_modules/store/a.py", "node_modules/store/node_modules"),
    )
    assert links_in(packed)["node_modules/store/node_modules"] == ".."


def test_a_link_out_of_node_modules_is_refused(pnpm, tmp_path):
    (tmp_path / "workspace").mkdir()
    (pnpm / "node_modules" / "mine").symlink_to(tmp_path / "workspace")
    with pytest.raises(ArchiveError, match="not inside of"):
        pack(pnpm)


def test_a_link_and_a_folder_of_one_name_are_refused(pnpm, tmp_path):
    dependency = folder(tmp_path / "more", node_modules__tea__own_py="")
    with pytest.raises(ArchiveError, match="node_modules/tea would be a link and a folder"):
        pack(pnpm, extras=codefiles.Extras(dependencies=[("more", dependency)]))


def test_a_path_longer_than_the_system_takes_is_an_error(tmp_path):
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(30):
        os.mkdir("x" * 200, dir_fd=here)
        deeper = os.open("x" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    with pytest.raises(ArchiveError, match="File name too long"):
        pack(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["a.py", "lib"])
def test_what_may_not_be_read_is_an_error_and_not_left_out(tmp_path, name):
    source = folder(tmp_path, a_py="a", lib__b_py="b", c_py="c")
    (source / name).chmod(0)
    try:
        with pytest.raises(ArchiveError, match="Permission denied"):
            pack(source)
    finally:
        (source / name).chmod(0o700)


@pytest.mark.parametrize("where", ["pipe", "code/pipe"])
def test_a_pipe_is_not_waited_for(tmp_path, where):
    (tmp_path / "code").mkdir()
    os.mkfifo(tmp_path / where)
    source = tmp_path / where.split("/")[0]
    with pytest.raises(ArchiveError, match="is neither a file nor a folder"):
        pack(source)


def test_a_missing_source_is_an_error(tmp_path):
    with pytest.raises(ArchiveError, match="does not exist"):
        pack(tmp_path / "nowhere")


def test_folders_two_thousand_deep_are_an_error_in_words(tmp_path):
    """Made and removed step by step: the whole path may be longer than a path can be."""
    depth = 2_000
    with contextlib.chdir(tmp_path):
        for _ in range(depth):
            os.mkdir("a")  # noqa: PTH102 - relative to where we are
            os.chdir("a")
        try:
            with pytest.raises(ArchiveError, match="has folders over 100 deep in each other"):
                pack(tmp_path)
        finally:
            for _ in range(depth):
                os.chdir("..")
                os.rmdir("a")  # noqa: PTH106 - relative to where we are


def test_folders_as_deep_as_code_has_them_are_packed(tmp_path):
    folder = tmp_path.joinpath(*["a"] * 90)
    folder.mkdir(parents=True)
    (folder / "x.py").write_text("")
    assert pack(tmp_path).names == ("a/" * 90 + "x.py",)


def test_a_link_of_node_modules_whose_name_is_not_utf8_is_an_error(pnpm):
    (pnpm / "node_modules" / os.fsdecode(b"\xff")).symlink_to("tea")
    with pytest.raises(ArchiveError, match="not UTF-8"):
        pack(pnpm)
