/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Valgrind reads the symbols and the debug information of every file that is mapped for execution,
 * for messages of its own. Nobody asks for them here: slotwise names functions itself, afterwards.
 * Reading them was two thirds of the CPU time of the shortest runs and most of the memory of all.
 * Valgrind has no option to leave them, so the linker puts this in place of its function (--wrap,
 * in CMakeLists.txt); a release without a function of that name reads them again. */
#include "tool_int.h"

/* As in pub_core_debuginfo.h, which is not among the headers for tools. */
ULong __wrap_vgPlain_di_notify_mmap(Addr address, Bool may_be_shared, Int file);

/* What was read for a mapping: nothing. */
ULong __wrap_vgPlain_di_notify_mmap(Addr address, Bool may_be_shared, Int file)
{
    (void)address, (void)may_be_shared, (void)file;
    return 0;
}
