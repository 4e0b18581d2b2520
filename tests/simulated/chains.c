/* SPDX-License-Identifier: MIT */
/* Chains of one kind of instruction, each waiting for the one before it (`_apart`: independent, one
 * after the other in the divider): what it takes by itself, natively and on the simulated core.
 *
 * usage: chains [NAME [ROUNDS [TIMES]]]     as kernels.c; without a name, the names
 */
#include "timed.h"

#include <string.h>

/* The state a chain goes through: the first of these words points to itself. */
struct state {
    uint64_t words[32];
    double factor[2];
};

#define CHAIN(name, code)                                                                          \
    static void name(long rounds, void *data)                                                      \
    {                                                                                              \
        const struct state *s = data;                                                              \
        const uint64_t high = UINT64_C(0xf) << 60, three = 3;                                      \
        uint64_t value = s->words[0], index = 0;                                                   \
                                                                                                   \
        __asm__ volatile("movsd (%0), %%xmm0\n movsd 8(%0), %%xmm1" ::"r"(s->factor)               \
                         : "xmm0", "xmm1");                                                        \
        for (long i = 0; i < rounds; i++)                                                          \
            __asm__ volatile(".rept 16\n" code "\n.endr"                                           \
                             : "+a"(value), "+c"(index)                                            \
                             : [at] "r"(s->words), [three] "r"(three), [high] "r"(high)            \
                             : "rdx", "xmm0", "xmm1", "xmm2", "cc", "memory");                     \
    }

CHAIN(multiply, "imul %%rax, %%rax")
CHAIN(multiply_wide, "mul %%rax")
CHAIN(divide_32, "xor %%edx, %%edx\n div %k[three]\n or $-0x10000000, %%eax")
CHAIN(divide_32_apart, "xor %%edx, %%edx\n mov $-1, %%eax\n div %k[three]")
CHAIN(divide_64, "xor %%edx, %%edx\n div %[three]\n or %[high], %%rax")
CHAIN(divide_64_apart, "xor %%edx, %%edx\n mov $-1, %%rax\n div %[three]")
CHAIN(add_double, "addsd %%xmm1, %%xmm0")
CHAIN(multiply_double, "mulsd %%xmm1, %%xmm0")
CHAIN(divide_double, "divsd %%xmm1, %%xmm0")
CHAIN(divide_double_apart, "movapd %%xmm0, %%xmm2\n divsd %%xmm1, %%xmm2")
CHAIN(add_atomically, "lock addq $1, 64(%[at])")
CHAIN(exchange_add, "lock xadd %%rax, 64(%[at])")
CHAIN(compare_exchange, "lock cmpxchg %%rax, 64(%[at])")
CHAIN(exchange, "xchg %%rax, 64(%[at])")
CHAIN(load, "mov (%%rax), %%rax")
CHAIN(load_indexed, "mov (%%rax,%%rcx,1), %%rax")
CHAIN(load_scaled, "mov (%%rax,%%rcx,8), %%rax")
CHAIN(load_vector, "movq (%%rax), %%xmm0\n movq %%xmm0, %%rax")
CHAIN(to_vector_and_back, "movq %%rax, %%xmm0\n movq %%xmm0, %%rax")
CHAIN(add_vectors, "paddq %%xmm1, %%xmm0")
CHAIN(stored_vector, "movdqa %%xmm0, 64(%[at])\n movdqa 64(%[at]), %%xmm0")
CHAIN(stored_byte, "movb %%al, 64(%[at])\n movzbl 64(%[at]), %%eax")
CHAIN(stored_register, "movq %%rax, 64(%[at])\n movq 64(%[at]), %%rax")
CHAIN(stored_register_narrower, "movq %%rax, 64(%[at])\n movl 64(%[at]), %%eax")

static const struct chain {
    const char *name;
    void (*run)(long rounds, void *data);
} chains[] = {
    {"multiply", multiply},
    {"multiply_wide", multiply_wide},
    {"divide_32", divide_32},
    {"divide_32_apart", divide_32_apart},
    {"divide_64", divide_64},
    {"divide_64_apart", divide_64_apart},
    {"add_double", add_double},
    {"multiply_double", multiply_double},
    {"divide_double", divide_double},
    {"divide_double_apart", divide_double_apart},
    {"add_atomically", add_atomically},
    {"exchange_add", exchange_add},
    {"compare_exchange", compare_exchange},
    {"exchange", exchange},
    {"load", load},
    {"load_indexed", load_indexed},
    {"load_scaled", load_scaled},
    {"load_vector", load_vector},
    {"to_vector_and_back", to_vector_and_back},
    {"add_vectors", add_vectors},
    {"stored_vector", stored_vector},
    {"stored_byte", stored_byte},
    {"stored_register", stored_register},
    {"stored_register_narrower", stored_register_narrower},
};

enum { CHAIN_COUNT = sizeof(chains) / sizeof(chains[0]) };

static int list(void)
{
    for (size_t i = 0; i < CHAIN_COUNT; i++)
        (void)puts(chains[i].name);
    return 0;
}

int main(int argc, char **argv)
{
    static struct state state __attribute__((aligned(64))) = {.factor = {1.5, 1.0000001}};

    state.words[0] = (uintptr_t)state.words;
    if (argc < 2)
        return list();
    for (size_t i = 0; i < CHAIN_COUNT; i++) {
        const long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 2000;

        if (strcmp(argv[1], chains[i].name) != 0)
            continue;
        chains[i].run(rounds / 10 + 1, &state);
        if (argc > 3)
            print_times(chains[i].run, &state, rounds, strtol(argv[3], NULL, 10));
        else
            run_counted(chains[i].run, &state, rounds);
        return 0;
    }
    (void)fprintf(stderr, "usage: chains [NAME [ROUNDS [TIMES]]]\n");
    return 64;
}
