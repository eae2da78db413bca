"""The script that runs pip with its builds refused or kept pure. Another process runs it.

It owns every name of pip's internals that kappa relies on.
"""

from __future__ import annotations

# Despite --only-binary, pip builds a folder, an archive at a URL, a checkout or an editable. All of
# them pass through the two methods below. pip would also use wheels from its cache that it built
# for this machine. A pip without these names is not run at all.
# Source: pip documentation, "pip install", --only-binary; "Caching", locally built wheels.
#
# A package that may be built is built in isolation, a folder from a copy of it, and only to a pure
# wheel, which is the same on each machine. pip cannot check hashes of folders and checkouts, and so
# refuses them beside packages that have one.
#
# pip chooses wheels for the given platform, but evaluates markers such as
# `python_version < "3.12"` with the running Python, so the script replaces their values.
# Source: pip documentation, "pip install", --platform; pip's issue 11664.
SCRIPT = """
import fnmatch, json, os, re, runpy, shutil, sys, tempfile, tomllib, zipfile
answers, build, left_out = map(json.loads, sys.argv[1:4])
del sys.argv[1:4]
from pip._internal import wheel_builder
from pip._internal.cache import WheelCache
from pip._internal.exceptions import InstallationError
from pip._internal.models.format_control import FormatControl
from pip._internal.models.link import Link
from pip._internal.operations.prepare import RequirementPreparer
from pip._internal.utils.urls import path_to_url
from pip._vendor.packaging import markers

def name_of(req):
    if req.name:
        return req.name
    if req.link.is_existing_dir():
        try:
            with open(os.path.join(req.link.file_path, "pyproject.toml"), "rb") as file:
                return tomllib.load(file)["project"]["name"]
        except (OSError, ValueError, LookupError, TypeError):
            return os.path.basename(os.path.abspath(req.link.file_path))
    return re.sub(r"-[^-]*$", "", req.link.filename)

def may_build(req):
    return req.link and re.sub("[-_.]+", "-", name_of(req)).lower() in build

def copied(folder):
    def ignored(within, names):
        inner = os.path.relpath(within, folder)
        paths = {name: os.path.normpath(os.path.join(inner, name)) for name in names}
        fits = lambda text: any(fnmatch.fnmatch(text, pattern) for pattern in left_out)
        return [name for name, path in paths.items() if fits(name) or fits(path)]
    copy = os.path.join(tempfile.mkdtemp(prefix="kappa-"), os.path.basename(folder))
    try:
        shutil.copytree(folder, copy, ignore=ignored)
    except (OSError, shutil.Error) as error:
        raise InstallationError(f"{folder} cannot be copied: {error}") from None
    return copy

def guarded(prepare):
    def checked(self, req, *more, **named):
        link = req.link
        folder = link and link.is_existing_dir()
        if not req.editable and link and link.is_wheel and not link.is_vcs and not folder:
            return prepare(self, req, *more, **named)
        if req.editable or not may_build(req):
            raise InstallationError(f"kappa: not a wheel: {req}")
        if self.build_isolation in (False, "off"):
            raise InstallationError("kappa: not isolated")
        hashes = self.require_hashes
        self.require_hashes = hashes and not (folder or link.is_vcs)
        try:
            if folder:
                req.link = Link(path_to_url(copied(link.file_path)))
            return prepare(self, req, *more, **named)
        finally:
            self.require_hashes = hashes
    return checked

def only_pure(build_one):
    def checked(req, *more, **named):
        path = build_one(req, *more, **named)
        if path:
            python, abi, platform = os.path.basename(path)[:-4].split("-")[-3:]
            with zipfile.ZipFile(path) as wheel:
                names = wheel.namelist()
            compiled = [name for name in names if re.search(r"\\.(so|pyd|dylib)(\\.|$)", name)]
            if compiled or (abi, platform) != ("none", "any") or "py3" not in python.split("."):
                files = " with ".join([os.path.basename(path), *compiled[:1]])
                raise InstallationError(f"kappa: for this machine: {files}")
        return path
    return checked

for name in ("prepare_linked_requirement", "prepare_editable_requirement"):
    setattr(RequirementPreparer, name, guarded(getattr(RequirementPreparer, name)))
wheel_builder._build_one = only_pure(wheel_builder._build_one)
WheelCache.get_cache_entry
WheelCache.get_cache_entry = lambda *_, **__: None
WheelCache.get_path_for_link = WheelCache.get_ephem_path_for_link
formats = FormatControl.get_allowed_formats
FormatControl.get_allowed_formats = lambda self, name: (
    formats(self, name) | ({"source"} if name in build else set())
)
markers.default_environment = lambda: dict(answers)
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
