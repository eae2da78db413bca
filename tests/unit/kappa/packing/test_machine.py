"""Lambda's machine as pip must know it."""

import botocore.session
import pytest

from kappa.packing.machine import PATCHES, Machine, machine_of


@pytest.mark.parametrize(
    ("runtime", "machine"),
    [
        ("python3.13", "Python 3.13 on arm64 Linux"),
        ("python3.9", "Python 3.9 on arm64 Linux"),
        ("nodejs24.x", "None"),
        ("", "None"),
    ],
)
def test_only_a_python_has_packages(runtime, machine):
    assert str(machine_of(runtime, "arm64")) == machine


def test_a_runtime_of_many_digits_is_not_pythons():
    assert machine_of("python3.99999999999999999999", "arm64") is None


def test_each_python_that_lambda_knows_has_a_patch_level():
    shape = botocore.session.get_session().get_service_model("lambda").shape_for("Runtime")
    minors = {int(name[len("python3.") :]) for name in shape.enum if name.startswith("python3.")}
    assert minors <= set(PATCHES)


@pytest.mark.parametrize(
    ("machine", "newest", "oldest"),
    [
        (Machine(13), "manylinux_2_34_x86_64", "manylinux_2_5_x86_64"),
        (Machine(11), "manylinux_2_26_x86_64", "manylinux_2_5_x86_64"),
        (Machine(13, "arm64"), "manylinux_2_34_aarch64", "manylinux_2_17_aarch64"),
    ],
)
def test_wheels_are_taken_up_to_the_glibc_of_amazon_linux(machine, newest, oldest):
    platforms = [word for word in machine.flags if word.startswith("manylinux_")]
    assert (platforms[0], platforms[-1]) == (newest, oldest)
