# SPDX-License-Identifier: MIT
"""A control group of version 2 for a test: made, entered by what the test starts, removed."""
import os

import harness


def mount_of_version_2():
    for path in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        if os.path.exists(os.path.join(path, "cgroup.controllers")):
            return path
    return None


class Group:
    """.name as --cgroup takes it. Gone at the end of the test, when what is in it is."""

    def __init__(self, case):
        case.need_root("a control group has to be made")
        mount = mount_of_version_2()
        if mount is None or os.path.exists("/sys/fs/cgroup/perf_event/cgroup.procs"):
            case.missing("no cgroup2 that perf events can use")
        self.name = f"slotwise-test-{os.getpid()}"
        self.path = os.path.join(mount, self.name)
        try:
            os.mkdir(self.path)
        except OSError as e:
            case.missing(f"no control group can be made: {e}")
        case.addCleanup(harness.wait_until, self.remove, what="the group is empty")

    def remove(self):
        try:
            os.rmdir(self.path)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def enter(self):
        """For a process between fork and exec."""
        with open(os.path.join(self.path, "cgroup.procs"), "w", encoding="ascii") as f:
            f.write(str(os.getpid()))
