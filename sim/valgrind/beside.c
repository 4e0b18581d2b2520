/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel did for the client: not simulated, so it stands beside. CPU time is read before
 * and after each system call; it holds what Valgrind needs around one, which is about a
 * microsecond. Page faults are not in it, nor are calls that map memory: around those Valgrind
 * does more, for its list of mappings and its translations. */
#include "tool_int.h"

#include "pub_tool_vki.h"
#include "pub_tool_vkiscnums.h"

/* Source: linux/time.h, linux/resource.h. */
#define THREAD_CPU_TIME 3
#define USAGE_SELF      0
#define USAGE_WORDS     18 /* struct rusage: two times of two words, then counts */
#define USAGE_SWITCHES  16 /* ru_nvcsw */

static struct slw_sim_beside beside;
static ULong begin_ns[MAX_THREADS];
static ULong switches_before;

UWord ask_kernel(UWord number, UWord first, UWord second, UWord third)
{
    UWord result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory");
    return result;
}

static ULong cpu_ns(void)
{
    ULong time[2] = {0, 0};

    (void)ask_kernel(__NR_clock_gettime, THREAD_CPU_TIME, (UWord)time, 0);
    return time[0] * 1000000000ull + time[1];
}

static ULong switches(void)
{
    ULong usage[USAGE_WORDS] = {0};

    (void)ask_kernel(__NR_getrusage, USAGE_SELF, (UWord)usage, 0);
    return usage[USAGE_SWITCHES];
}

Bool call_receives(UInt number)
{
    return number == __NR_read || number == __NR_readv || number == __NR_pread64 ||
           number == __NR_recvfrom || number == __NR_recvmsg;
}

Bool call_sends(UInt number)
{
    return number == __NR_write || number == __NR_writev || number == __NR_pwrite64 ||
           number == __NR_sendto || number == __NR_sendmsg;
}

static Bool maps_memory(UInt number)
{
    return number == __NR_mmap || number == __NR_munmap || number == __NR_mremap ||
           number == __NR_mprotect || number == __NR_brk || number == __NR_execve;
}

void beside_before(ThreadId thread, UInt number)
{
    if (thread < MAX_THREADS)
        begin_ns[thread] = maps_memory(number) ? 0 : cpu_ns();
}

void beside_after(ThreadId thread, UInt number, SysRes result)
{
    if (thread < MAX_THREADS && begin_ns[thread]) {
        beside.kernel_ns += cpu_ns() - begin_ns[thread];
        begin_ns[thread] = 0;
    }
    if (sr_isError(result))
        return;
    if (call_receives(number))
        beside.bytes_in += sr_Res(result);
    else if (call_sends(number))
        beside.bytes_out += sr_Res(result);
}

void beside_forget(void)
{
    beside = (struct slw_sim_beside){0};
    switches_before = switches();
}

/* In the child of a fork: its clocks begin anew, also in the call it was made by. */
void beside_forget_parent(void)
{
    VG_(memset)(begin_ns, 0, sizeof(begin_ns));
    beside_forget();
}

struct slw_sim_beside beside_now(void)
{
    beside.switches = switches() - switches_before;
    return beside;
}
