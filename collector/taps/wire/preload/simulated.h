/* SPDX-License-Identifier: MIT */
/* Telling a carrier of the simulated tier which functions this library stands in front of, so that
 * it can leave us out: the client is what is simulated. Anywhere else it is a few instructions that
 * do nothing. Only for the preloaded library. */
#ifndef SLW_COLLECTOR_TAPS_WIRE_PRELOAD_SIMULATED_H
#define SLW_COLLECTOR_TAPS_WIRE_PRELOAD_SIMULATED_H

#include <stdint.h>

/* As sim/valgrind/tool.c has it. */
#define SLW_SIM_REQUEST_STANDS_FOR UINT64_C(0x53570002) /* 'S' 'W', 2 */
#define SLW_SIM_REQUEST_CONNECTS   UINT64_C(0x53570003)
#define SLW_SIM_REQUEST_COUNTING   UINT64_C(0x53570004)

static inline void slw_simulated_request(uint64_t number, uint64_t argument)
{
#if defined(__x86_64__)
    /* A client request as Valgrind defines it (valgrind.h): rotations that add up to nothing, with
     * the address of the request in rax. */
    uint64_t request[6] = {number, argument};
    uint64_t result = 0;

    __asm__ volatile("rolq $3, %%rdi\n\trolq $13, %%rdi\n\trolq $61, %%rdi\n\trolq $51, %%rdi\n\t"
                     "xchgq %%rbx, %%rbx"
                     : "=d"(result)
                     : "a"(request), "0"(result)
                     : "cc", "memory");
#else
    (void)number, (void)argument;
#endif
}

static inline void slw_simulated_stands_for(const void *function)
{
    slw_simulated_request(SLW_SIM_REQUEST_STANDS_FOR, (uintptr_t)function);
}

/* Where it stands whether requests are counted now: those before counting begins in the simulation
 * are not to be. */
static inline void slw_simulated_counting(const void *flag)
{
    slw_simulated_request(SLW_SIM_REQUEST_COUNTING, (uintptr_t)flag);
}

/* The client connects, without a system call. */
static inline void slw_simulated_connects(void)
{
    slw_simulated_request(SLW_SIM_REQUEST_CONNECTS, 0);
}

#endif
