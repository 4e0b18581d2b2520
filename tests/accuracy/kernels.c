/* SPDX-License-Identifier: MIT */
/* Programs of which one knows where the pipeline slots go. Not linked with slotwise: it is what the
 * tests measure where there is a PMU.
 *
 *   kernels adds|chase|branches|footprint|divide ROUNDS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHASE_BYTES  ((size_t)256 << 20) /* larger than any L3 of a core's own cluster */
#define CHASE_STRIDE 256  /* two pairs of lines: the neighbour prefetcher is no help */
#define CODE_BLOCKS  8192 /* of 128 bytes: 1 MiB of code, no L1 holds it */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13; /* xorshift64, Marsaglia 2003 */
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Additions that do not wait for each other: as many as the core retires in a cycle. */
static void adds(uint64_t rounds)
{
    uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8;

    for (; rounds > 0; rounds--) {
#if defined(__aarch64__)
        __asm__ volatile(".rept 8\n add %0, %0, #1\n add %1, %1, #1\n add %2, %2, #1\n"
                         "add %3, %3, #1\n add %4, %4, #1\n add %5, %5, #1\n add %6, %6, #1\n"
                         "add %7, %7, #1\n .endr"
                         : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f), "+r"(g), "+r"(h));
#elif defined(__x86_64__)
        __asm__ volatile(".rept 8\n add $1, %0\n add $1, %1\n add $1, %2\n add $1, %3\n"
                         "add $1, %4\n add $1, %5\n add $1, %6\n add $1, %7\n .endr"
                         : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f), "+r"(g), "+r"(h)
                         :
                         : "cc");
#endif
    }
}

/* Each load waits for the one before, and misses every cache. */
static int chase(uint64_t rounds)
{
    const size_t count = CHASE_BYTES / CHASE_STRIDE, step = CHASE_STRIDE / sizeof(void *);
    void **memory = malloc(CHASE_BYTES);
    uint32_t *order = malloc(count * sizeof(*order));
    uint64_t state = 88172645463325252u;

    if (!memory || !order) {
        free(order);
        free(memory);
        return 1;
    }
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (size_t i = count - 1; i > 0; i--) { /* Fisher and Yates */
        size_t k = next_random(&state) % (i + 1);
        uint32_t other = order[k];

        order[k] = order[i];
        order[i] = other;
    }
    for (size_t i = 0; i < count; i++)
        memory[order[i] * step] = &memory[order[(i + 1) % count] * step];
    void **at = memory;
    for (; rounds > 0; rounds--) {
        at = *at;
        __asm__ volatile("" : "+r"(at));
    }
    free(order);
    free(memory);
    return 0;
}

/* A branch that nobody can foretell, in every round. */
static void branches(uint64_t rounds)
{
    uint64_t state = 88172645463325252u;

    for (; rounds > 0; rounds--) {
        if (next_random(&state) & 1)
            __asm__ volatile("nop\n nop");
        else
            __asm__ volatile("nop\n nop\n nop");
    }
}

/* Each division waits for the one before. */
static void divide(uint64_t rounds)
{
    uint64_t value = UINT64_MAX / 3;

    for (; rounds > 0; rounds--) {
#if defined(__aarch64__)
        __asm__ volatile("udiv %0, %1, %0" : "+r"(value) : "r"(UINT64_MAX));
#elif defined(__x86_64__)
        uint64_t low = UINT64_MAX, high = 0;

        __asm__ volatile("div %2" : "+a"(low), "+d"(high) : "r"(value) : "cc");
        value = low;
#endif
        value |= 1;
    }
}

/* Blocks of code that jump to each other all over a mebibyte: block i goes on at 5 i + 2731, which
 * comes by every block before it comes back. */
void code_blocks(uint64_t jumps);
#define STR(x)  STR_(x)
#define STR_(x) #x
#if defined(__aarch64__)
__asm__(".text\n.global code_blocks\n.type code_blocks, %function\ncode_blocks:\n"
        "b blocks\n.balign 128\nblocks:\n.set index, 0\n"
        ".rept " STR(CODE_BLOCKS) "\n"
                                  ".balign 128\n add x1, x1, #1\n add x2, x2, #1\n subs x0, x0, "
                                  "#1\n b.ne 1f\n ret\n"
                                  "1: b blocks + 128 * ((index * 5 + 2731) % " STR(
                                      CODE_BLOCKS) ")\n"
                                                   ".set index, index + 1\n.endr\n.size "
                                                   "code_blocks, .-code_blocks\n");
#elif defined(__x86_64__)
__asm__(".text\n.global code_blocks\n.type code_blocks, @function\ncode_blocks:\n"
        "jmp blocks\n.balign 128\nblocks:\n.set index, 0\n"
        ".rept " STR(
            CODE_BLOCKS) "\n"
                         ".balign 128\n add $1, %rax\n add $1, %rcx\n dec %rdi\n jne 1f\n ret\n"
                         "1: jmp blocks + 128 * ((index * 5 + 2731) % " STR(
                             CODE_BLOCKS) ")\n"
                                          ".set index, index + 1\n.endr\n.size code_blocks, "
                                          ".-code_blocks\n");
#endif

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fputs("usage: kernels adds|chase|branches|footprint|divide ROUNDS\n", stderr);
        return 64;
    }
    uint64_t rounds = strtoull(argv[2], NULL, 10);

    if (rounds == 0)
        return 64;
    if (strcmp(argv[1], "adds") == 0)
        adds(rounds);
    else if (strcmp(argv[1], "chase") == 0)
        return chase(rounds);
    else if (strcmp(argv[1], "branches") == 0)
        branches(rounds);
    else if (strcmp(argv[1], "footprint") == 0)
        code_blocks(rounds);
    else if (strcmp(argv[1], "divide") == 0)
        divide(rounds);
    else
        return 64;
    return 0;
}
