/* SPDX-License-Identifier: MIT */
/* What the kernel makes of a file that is executed: QEMU takes an ELF file and nothing else, so its
 * launcher and the plugin have to know. Private to sim/qemu/. */
#ifndef SLW_SIM_QEMU_PROGRAM_H
#define SLW_SIM_QEMU_PROGRAM_H

#include <limits.h>

enum slw_qemu_program_kind {
    SLW_QEMU_UNREADABLE, /* errno says why */
    SLW_QEMU_FOREIGN,    /* of another machine, or no program at all */
    SLW_QEMU_ELF,        /* of x86-64 */
    SLW_QEMU_SCRIPT      /* "#!", whose interpreter is such a program */
};

/* Longer first lines the kernel cuts off. Source: linux/binfmts.h, BINPRM_BUF_SIZE. */
enum { SLW_QEMU_SCRIPT_LINE = 256 };

struct slw_qemu_program {
    enum slw_qemu_program_kind kind;
    /* Of a script, also of one that is FOREIGN because of its interpreter. */
    char interpreter[SLW_QEMU_SCRIPT_LINE];
    char argument[SLW_QEMU_SCRIPT_LINE]; /* "": none; all that follows is one, as the kernel has it
                                          */
};

void slw_qemu_look_at_program(const char *path, struct slw_qemu_program *ret_program);

#endif
