/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls, and the instructions that read clocks and random bytes: what --det (see
 * sim/repeatable.h) needs of Valgrind. */
#include "tool_int.h"

#include "sim/repeatable.h"

#include "libvex_guest_amd64.h"
#include "pub_tool_aspacemgr.h"
#include "pub_tool_machine.h"
#include "pub_tool_vki.h"
#include "pub_tool_vkiscnums.h"

static struct slw_sim_repeatable repeatable;

static bool peek(void *to, uint64_t address, size_t count)
{
    if (!VG_(am_is_valid_for_client)(address, count, VKI_PROT_READ))
        return false;
    VG_(memcpy)(to, (const void *)address, count);
    return true;
}

static bool poke(uint64_t address, const void *from, size_t count)
{
    if (!VG_(am_is_valid_for_client)(address, count, VKI_PROT_WRITE))
        return false;
    VG_(memcpy)((void *)address, from, count);
    return true;
}

#define SOCKET_TYPE 3 /* SO_TYPE */

static Int socket_option(Int socket, Int level, Int option, void *value, UInt *length)
{
    register UInt *r10 __asm__("r10") = value;
    register UInt *r8 __asm__("r8") = length;
    Long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((Long)__NR_getsockopt), "D"((Long)socket), "S"((Long)level),
                       "d"((Long)option), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return (Int)result;
}

static uint64_t real_ns(bool is_realtime)
{
    struct vki_timespec now;

    VG_(clock_gettime)(&now, is_realtime ? VKI_CLOCK_REALTIME : VKI_CLOCK_MONOTONIC);
    return (ULong)now.tv_sec * 1000000000u + (ULong)now.tv_nsec;
}

void make_repeatable(void)
{
    const struct slw_sim_repeatable_host to = {
        .peek = peek, .poke = poke, .instructions = instructions_executed, .real_ns = real_ns};

    slw_sim_repeatable_init(&repeatable, &to);
}

void answered_call(void)
{
    slw_sim_repeatable_called(&repeatable, SLW_SIM_REPEATABLE_ANY_CALL);
}

Bool has_timers(void)
{
    return repeatable.has_timers;
}

static ULong read_ticks(void)
{
    return slw_sim_repeatable_ticks(&repeatable);
}

static void read_ticks_and_cpu(VexGuestAMD64State *registers)
{
    const ULong ticks = read_ticks();

    registers->guest_RAX = (UInt)ticks;
    registers->guest_RCX = 0;
    registers->guest_RDX = ticks >> 32;
}

/* 32 bits, and one above them that says there were some. */
static ULong read_random(void)
{
    return (slw_sim_repeatable_random(&repeatable) & 0xffffffffu) | 1ull << 32;
}

void replace_helper(IRDirty *call)
{
    static const struct {
        const HChar *name;
        void *instead;
    } helpers[] = {
        {"amd64g_dirtyhelper_RDTSC", read_ticks},
        {"amd64g_dirtyhelper_RDTSCP", read_ticks_and_cpu},
        {"amd64g_dirtyhelper_RDRAND", read_random},
        {"amd64g_dirtyhelper_RDSEED", read_random},
    };

    for (UInt i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
        if (VG_(strcmp)(call->cee->name, helpers[i].name) == 0)
            call->cee = mkIRCallee(call->cee->regparms, helpers[i].name,
                                   VG_(fnptr_to_fnentry)(helpers[i].instead));
}

/* The C library of a client leaves by one of these two; the second is that of one thread, and if it
 * was not the last one, something runs after it (see thread_runs). */
static void look_at_exit(UInt number)
{
    if (number == __NR_exit_group || number == __NR_exit)
        mark_exit(True);
}

#define IN_PROGRESS 115 /* EINPROGRESS */

/* Not a name service that libc asks on its own, nor datagrams, which only choose an address. */
static Bool is_to_server(const UWord *arguments, SysRes result)
{
    static const HChar name_service[] = "/nscd/";
    UShort family = 0;
    HChar path[109] = "";
    Int type = 0;
    UInt length = sizeof(type);

    if (sr_isError(result) && sr_Err(result) != IN_PROGRESS)
        return False;
    if (socket_option((Int)arguments[0], VKI_SOL_SOCKET, SOCKET_TYPE, &type, &length) != 0 ||
        type != VKI_SOCK_STREAM || !peek(&family, arguments[1], sizeof(family)))
        return False;
    if (family != VKI_AF_UNIX)
        return family == VKI_AF_INET || family == VKI_AF_INET6;
    length = (UInt)arguments[2];
    if (length <= sizeof(family) || length > sizeof(family) + sizeof(path) - 1 ||
        !peek(path, arguments[1] + sizeof(family), length - sizeof(family)))
        return False;
    return !VG_(strstr)(path, name_service);
}

void before_syscall(ThreadId thread, UInt number, UWord *arguments, UInt count)
{
    (void)count;
    look_at_exit(number);
    if (options.repeatable) {
        slw_sim_repeatable_before(&repeatable, thread, number, arguments);
        answers_before(number, arguments);
    }
    keep_state();
    beside_before(thread, number);
}

void after_syscall(ThreadId thread, UInt number, UWord *arguments, UInt count, SysRes result)
{
    (void)count;
    beside_after(thread, number, result);
    answers_after(number, arguments, result);
    if (number == __NR_connect && is_to_server(arguments, result)) {
        slw_sim_counting_connects(&counting);
        answers_connected(arguments[0]);
    }
    const Long was = sr_isError(result) ? -(Long)sr_Err(result) : (Long)sr_Res(result);

    if (!options.repeatable)
        return;
    if (!is_in_tap(thread))
        slw_sim_repeatable_called(&repeatable, number);
    const Long is = slw_sim_repeatable_after(&repeatable, thread, number, arguments, was);

    if (is != was)
        VG_(set_shadow_regs_area)
    (thread, 0, offsetof(VexGuestAMD64State, guest_RAX), sizeof(is), (const UChar *)&is);
}
