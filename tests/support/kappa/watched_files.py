"""A config and its code on the disk, as watch looks at them."""

from kappa.config.inputs import Inputs, collecting, depends_on


def write_project(folder):
    (folder / "code").mkdir()
    for name in ("config.yml", "code/greeter.py", "code/words.py"):
        (folder / name).write_text("before")
    return folder


def looked(folder):
    """A config, and code in a folder, as they are now."""
    inputs = Inputs()
    with collecting(inputs):
        depends_on(folder / "config.yml")
        depends_on(folder / "code", "folders")
        for name in ("greeter.py", "words.py"):
            depends_on(folder / "code" / name, "code")
    return inputs


def in_place(file):
    file.write_text("after!")
