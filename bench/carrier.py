# SPDX-License-Identifier: MIT
"""The Valgrind carrier of the simulated tier, run by itself: what the benches of that tier share."""
import os

NAME = "slotwise-simulate"


def build_of(options):
    """The build tree of the program that is measured."""
    return os.path.dirname(os.path.dirname(options.slotwise))


def program(options):
    return os.path.join(build_of(options), "sim", "valgrind", NAME)


def is_built(options):
    """False, and says so, without the simulated tier."""
    if os.access(program(options), os.X_OK):
        return True
    print("skipped: built without the simulated tier (the package valgrind)")
    return False


def core_file(options, core):
    return os.path.join(build_of(options), "models", "cores", core + ".core")


def words(options, core, out, *more, described=None):
    """The command line up to the client's; described: a file other than that of the core."""
    return [program(options), "--tool=slotwise", "-q", "--core=" + (described or core_file(options, core)),
            "--core-name=" + core, "--out=" + out, "--det=yes", *more]
