/* SPDX-License-Identifier: MIT */
/* The stack of the first thread of a stopped process, by slotwise's own unwinder: return addresses,
 * leaf first, one on a line, then how it ended. For test_unwind.py, which asks gdb the same. */
#include "analyzer/symbols.h"
#include "analyzer/unwind/tables.h"
#include "base/arena.h"

#include <elf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#define STACK_BYTES ((size_t)1 << 20)
#define MAX_FRAMES  512

#if defined(__x86_64__)
static bool take_registers(pid_t pid, struct slw_stack_copy *c)
{
    struct user_regs_struct r;
    struct iovec v = {&r, sizeof(r)};

    if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v) < 0)
        return false;
    const unsigned long long values[] = {r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi, r.rbp, r.rsp,
                                         r.r8,  r.r9,  r.r10, r.r11, r.r12, r.r13, r.r14, r.r15};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        c->registers[i] = values[i];
    c->known = 0xffff;
    c->ip = r.rip;
    c->machine = SLW_CFI_X86_64;
    return true;
}
#else
static bool take_registers(pid_t pid, struct slw_stack_copy *c)
{
    struct user_pt_regs r;
    struct iovec v = {&r, sizeof(r)};

    if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v) < 0)
        return false;
    for (size_t i = 0; i < 31; i++)
        c->registers[i] = r.regs[i];
    c->registers[SLW_ARM_SP] = r.sp;
    c->known = UINT32_MAX;
    c->ip = r.pc;
    c->machine = SLW_CFI_AARCH64;
    return true;
}
#endif

static void tell_map(struct slw_procstate *procs, pid_t pid, const char *line)
{
    unsigned long start, end, offset, inode;
    unsigned major, minor;
    char mode[8], path[4096] = "";

    if (sscanf(line, "%lx-%lx %7s %lx %x:%x %lu %4095[^\n]", &start, &end, mode, &offset, &major,
               &minor, &inode, path) < 7 ||
        mode[2] != 'x')
        return;
    const struct slw_perf_record r = {.kind = SLW_PERF_MMAP,
                                      .misc = PERF_RECORD_MISC_USER,
                                      .pid = pid,
                                      .tid = pid,
                                      .cpu = -1,
                                      .mmap = {.start = start,
                                               .length = end - start,
                                               .offset = offset,
                                               .major = major,
                                               .minor = minor,
                                               .inode = inode,
                                               .path = path}};
    if (slw_procstate_apply(procs, &r) < 0)
        exit(1);
}

static void tell_maps(struct slw_procstate *procs, pid_t pid)
{
    char path[64], line[8192];

    (void)snprintf(path, sizeof(path), "/proc/%d/maps", pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        tell_map(procs, pid, line);
    if (f)
        (void)fclose(f);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the iovec says where to write */
static size_t copy_stack(pid_t pid, uint64_t from, uint8_t *to)
{
    size_t done = 0, page;

    for (; done < STACK_BYTES; done += page) {
        page = 4096 - (from + done) % 4096;
        struct iovec local = {to + done, page};
        struct iovec remote = {(void *)(uintptr_t)(from + done), page};
        if (done + page > STACK_BYTES ||
            process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t)page)
            break;
    }
    return done;
}

static void print_stack(struct slw_unwind_tables *t, const struct slw_stack_copy *c)
{
    static const char *const keys[] = {
#define SLW_UNWOUND(id, key, words) #key,
#include "record/unwound.def"
#undef SLW_UNWOUND
    };
    static struct slw_unwound_frame frames[MAX_FRAMES];
    struct slw_unwound u = slw_unwind(c, slw_unwind_tables_find, t, frames, MAX_FRAMES);

    for (size_t i = 0; i < u.depth; i++)
        printf("0x%llx\n", (unsigned long long)frames[i].address);
    printf("%s\n", keys[u.end]);
}

static int peek(pid_t pid, struct slw_procstate *procs, struct slw_unwind_tables *t)
{
    static uint8_t stack[STACK_BYTES];
    struct slw_stack_copy c = {.bytes = stack, .full = true};
    const struct slw_task *task = slw_procstate_task(procs, pid, pid);

    tell_maps(procs, pid);
    if (!task || !take_registers(pid, &c))
        return 1;
    c.length =
        copy_stack(pid, c.registers[c.machine == SLW_CFI_X86_64 ? SLW_X86_RSP : SLW_ARM_SP], stack);
    const struct slw_unwind_space space =
        slw_unwind_space(procs, slw_procstate_task(procs, pid, pid));
    slw_unwind_tables_enter(t, &space);
    print_stack(t, &c);
    return 0;
}

int main(int argc, char **argv)
{
    pid_t pid = argc == 2 ? atoi(argv[1]) : 0;
    const struct slw_symbols_options opts = {.debug_dir = NULL};
    struct slw_modules modules = {.arena = slw_arena_new()};
    int status;

    if (pid <= 0 || ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) < 0) {
        perror("stack_peek");
        return 1;
    }
    struct slw_procstate *procs = slw_procstate_new(&modules, NULL);
    struct slw_unwind_tables *t = slw_unwind_tables_new(&modules, &opts);
    status = procs && t ? peek(pid, procs, t) : 1;
    (void)ptrace(PTRACE_DETACH, pid, NULL, (void *)(uintptr_t)SIGSTOP);
    slw_unwind_tables_free(t);
    slw_procstate_free(procs);
    slw_modules_release(&modules);
    slw_arena_free(modules.arena);
    return status;
}
