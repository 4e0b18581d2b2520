/* SPDX-License-Identifier: MIT */
#include "analyzer/disassembler.h"

#include <capstone/capstone.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

/* ---- the library ---- */

/* Named as in capstone.h without "cs_". */
#define FUNCTIONS(X)                                                                               \
    X(cs_err, open, (cs_arch, cs_mode, csh *))                                                     \
    X(cs_err, close, (csh *))                                                                      \
    X(cs_insn *, malloc, (csh))                                                                    \
    X(bool, disasm_iter, (csh, const uint8_t **, size_t *, uint64_t *, cs_insn *))                 \
    X(void, free, (cs_insn *, size_t))

struct capstone {
#define X(type, name, parameters) type(*name) parameters;
    FUNCTIONS(X)
#undef X
};

#ifdef SLW_STATIC
static int load(struct capstone *ret_capstone, struct slw_error *err)
{
    (void)err;
#define X(type, name, parameters) ret_capstone->name = cs_##name;
    FUNCTIONS(X)
#undef X
    return 0;
}
#else
#include "base/library.h"

#define TEXT(x)   #x
#define NUMBER(x) TEXT(x)
#define LIBRARY   "libcapstone.so." NUMBER(CS_API_MAJOR)
#define DEBIAN    "libcapstone" NUMBER(CS_API_MAJOR)

/* It stays loaded: functions are mostly shown several at a time. */
static int load(struct capstone *ret_capstone, struct slw_error *err)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    int rc = 0;

    if (!library) {
        slw_error_hint(err, "apt-get install " DEBIAN);
        return slw_fail(err, SLW_E_UNSUPPORTED,
                        "showing instructions needs " LIBRARY ", which is not there");
    }
#define X(type, name, parameters)                                                                  \
    rc = rc < 0 ? rc : slw_library_find(library, LIBRARY, "cs_" #name, &ret_capstone->name, err);
    FUNCTIONS(X)
#undef X
    (void)dlclose(library);
    return rc;
}
#endif

/* ---- decoding ---- */

struct slw_disassembler {
    struct capstone capstone;
    csh handle; /* 0: not open */
    cs_insn *insn;
};

static cs_err begin(struct slw_disassembler *d, unsigned machine)
{
    cs_err failed = CS_ERR_ARCH;

    if (machine == EM_X86_64)
        failed = d->capstone.open(CS_ARCH_X86, CS_MODE_64, &d->handle);
    else if (machine == EM_AARCH64)
        failed = d->capstone.open(CS_ARCH_ARM64, CS_MODE_ARM, &d->handle);
    if (failed != CS_ERR_OK)
        return failed;
    d->insn = d->capstone.malloc(d->handle);
    return d->insn ? CS_ERR_OK : CS_ERR_MEM;
}

int slw_disassembler_open(unsigned machine, struct slw_disassembler **ret_disassembler,
                          struct slw_error *err)
{
    struct slw_disassembler *d = calloc(1, sizeof(*d));
    int rc = d ? load(&d->capstone, err) : -SLW_E_NOMEM;
    const cs_err failed = rc == 0 ? begin(d, machine) : CS_ERR_OK;

    if (rc == 0 && failed == CS_ERR_OK) {
        *ret_disassembler = d;
        return 0;
    }
    slw_disassembler_close(d);
    if (rc == -SLW_E_UNSUPPORTED)
        return rc;
    if (rc == -SLW_E_NOMEM || failed == CS_ERR_MEM)
        return slw_fail(err, SLW_E_NOMEM, "no memory to decode instructions");
    return slw_fail(err, SLW_E_NODATA, "instructions of this architecture are not decoded");
}

void slw_disassembler_close(struct slw_disassembler *d)
{
    if (!d)
        return;
    if (d->insn)
        d->capstone.free(d->insn, 1);
    if (d->handle)
        (void)d->capstone.close(&d->handle);
    free(d);
}

bool slw_disassemble(struct slw_disassembler *d, const uint8_t **code, size_t *left,
                     uint64_t *address, struct slw_instruction *ret_instruction)
{
    if (!d->capstone.disasm_iter(d->handle, code, left, address, d->insn))
        return false;
    *ret_instruction = (struct slw_instruction){d->insn->size, d->insn->mnemonic, d->insn->op_str};
    return true;
}
