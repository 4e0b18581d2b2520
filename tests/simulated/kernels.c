/* SPDX-License-Identifier: MIT */
/* Loops whose answer is known: each is held up by one thing and hardly anything else. The simulated
 * tier counts between the two client requests; run natively they do nothing. Each goes on where it
 * was before.
 *
 * usage: kernels NAME [ROUNDS [TIMES]]
 * TIMES: run natively so often, in turn with a chain of additions, and print the CPU time of a
 * round, and how many additions fit into one of 1 ns. */
#include "timed.h"

#include <string.h>
#include <sys/mman.h>

#define LINE      64u
#define PAGE      4096u
#define MUCH_LOG2 22u /* lines: 256 MiB, past every cache described */

/* Independent work for every kind of port: nothing waits. */
static void adds(long rounds, void *data)
{
    for (long i = 0; i < rounds; i++)
        __asm__ volatile("add $1, %%eax\n add $1, %%ebx\n mov (%0), %%r8\n paddd %%xmm0, %%xmm1\n"
                         "add $1, %%ecx\n add $1, %%edx\n mov (%0), %%r9\n paddd %%xmm0, %%xmm2\n"
                         "add $1, %%esi\n add $1, %%edi\n mov (%0), %%r10\n paddd %%xmm0, %%xmm3\n"
                         "add $1, %%r11\n add $1, %%r12\n mov (%0), %%r13\n paddd %%xmm0, %%xmm4\n"
                         :
                         : "r"(data)
                         : "eax", "ebx", "ecx", "edx", "esi", "edi", "r8", "r9", "r10", "r11",
                           "r12", "r13", "xmm1", "xmm2", "xmm3", "xmm4");
}

/* Each load says where the next one goes. */
static void follow(long rounds, void *data)
{
    static void **last;
    void **at = last ? last : data;

    for (long i = 0; i < rounds; i++)
        at = *at;
    __asm__ volatile("" ::"r"(at));
    last = at;
}

/* The same, and each place is noted down: a store has to wait for the load before it. */
static void follow_and_note(long rounds, void *data)
{
    static void *noted;
    void **at = noted ? noted : data;

    for (long i = 0; i < rounds; i++) {
        at = *at;
        __asm__ volatile("mov %1, %0" : "=m"(noted) : "r"(at));
    }
}

static void branches(long rounds, void *data)
{
    const uint8_t *random = data;
    static size_t at;

    for (long i = 0; i < rounds; i++) {
        if (random[at++ & 0xfffff] & 1)
            __asm__ volatile("add $3, %%eax" ::: "eax");
        else
            __asm__ volatile("sub $1, %%eax" ::: "eax");
    }
}

/* 2048 blocks of 256 bytes, of which one line is code, entered by taken jumps: the L1i holds none.
 */
__asm__(".text\n.p2align 6\nmuch_code:\n.rept 2048\n"
        "lea 1(%rax,%rcx), %rax\n lea 3(%rdx,%rsi), %rdx\n jmp 1f\n.p2align 8\n1:\n"
        ".endr\nret\n");

static void code(long rounds, void *data)
{
    (void)data;
    for (long i = 0; i < rounds; i++)
        __asm__ volatile("call much_code" ::
                             : "rax", "rdx", "r8", "r9", "r10", "r11", "cc", "memory");
}

static void divide(long rounds, void *data)
{
    uint64_t value = ~UINT64_C(0);

    (void)data;
    for (long i = 0; i < rounds; i++)
        __asm__ volatile("xor %%edx, %%edx\n div %1\n or %2, %0\n"
                         : "+a"(value)
                         : "r"(UINT64_C(3)), "r"(UINT64_C(0xf) << 60)
                         : "rdx");
}

static void multiply(long rounds, void *data)
{
    uint64_t value = 3;

    (void)data;
    for (long i = 0; i < rounds; i++)
        __asm__ volatile("imul %0, %0\n imul %0, %0\n imul %0, %0\n imul %0, %0\n" : "+r"(value));
}

/* One store to each line, in an order no prefetcher follows; the pages are there. */
static void stores(long rounds, void *data)
{
    uint8_t *const bytes = data;
    static uint64_t at = 1;

    for (long i = 0; i < rounds; i++) {
        at = at * 6364136223846793005u + 1442695040888963407u;
        *(volatile uint64_t *)(void *)(bytes + (at >> (64 - MUCH_LOG2)) * LINE) = at;
    }
}

/* 64 KiB of long instructions that no micro-op cache holds and no prefetcher is late with. */
__asm__(".text\n.p2align 6\nlong_code:\n.rept 16384\n"
        ".byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0\n"
        ".endr\nret\n");

static void decode(long rounds, void *data)
{
    (void)data;
    for (long i = 0; i < rounds; i++)
        __asm__ volatile("call long_code" ::: "memory");
}

/* What is stored is loaded by the next round. Of general registers, cores that rename memory would
 * do without the load. */
static void forward(long rounds, void *data)
{
    for (long i = 0; i < rounds; i++)
        __asm__ volatile("movq (%0), %%xmm0\n paddq %%xmm1, %%xmm0\n movq %%xmm0, (%0)\n"
                         :
                         : "r"(data)
                         : "xmm0", "memory");
}

static void *map(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
                   -1, 0);

    if (p == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return p;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* A ring through all of `count` places of `bytes`, `step` apart, in random order (Sattolo). */
static void *ring_in(uint8_t *bytes, size_t count, size_t step)
{
    uint32_t *order = map(count * sizeof(*order));
    uint64_t state = 88172645463325252u;

    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (size_t i = count - 1; i > 0; i--) {
        const size_t j = next_random(&state) % i;
        const uint32_t was = order[i];

        order[i] = order[j];
        order[j] = was;
    }
    for (size_t i = 0; i < count; i++)
        *(void **)(void *)(bytes + order[i] * step) = bytes + order[(i + 1) % count] * step;
    return bytes;
}

static void *make_ring(size_t count, size_t step)
{
    return ring_in(map(count * step), count, step);
}

static void *line(void)
{
    return map(PAGE);
}

static void *random_bytes(void)
{
    uint8_t *bytes = map(1 << 20);
    uint64_t state = 88172645463325252u;

    for (size_t i = 0; i < 1 << 20; i++)
        bytes[i] = (uint8_t)(next_random(&state) >> 33);
    return bytes;
}

static void *memory_ring(void)
{
    return make_ring((size_t)1 << 20, LINE); /* 64 MiB: past every cache described */
}

/* One line of each of 6144 pages, at another place in each: caches hold them, TLBs do not. */
static void *page_ring(void)
{
    return make_ring(6144, PAGE + LINE);
}

/* One line of each of so many pages that the second TLB does not hold them, and the L2 their
 * tables. */
static void *more_pages(void)
{
    return make_ring(5000, PAGE + LINE);
}

/* The same in huge pages, so that no page is looked for: where the machine has them. */
static void *huge_ring(size_t lines)
{
    const size_t huge = (size_t)1 << 21;
    uint8_t *bytes =
        mmap(NULL, lines * LINE + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (bytes == MAP_FAILED || madvise(bytes, lines * LINE + huge, MADV_HUGEPAGE) != 0) {
        perror("huge pages");
        exit(1);
    }
    return ring_in(bytes + (huge - (uintptr_t)bytes % huge), lines, LINE);
}

static void *huge_ring_of_2_mib(void)
{
    return huge_ring((size_t)1 << 15);
}

static void *huge_ring_of_128_mib(void)
{
    return huge_ring((size_t)1 << 21);
}

static void *much_memory(void)
{
    return map((size_t)LINE << MUCH_LOG2);
}

static const struct kernel {
    const char *name;
    void (*run)(long rounds, void *data);
    void *(*make)(void);
    long rounds;
} kernels[] = {
    {"adds", adds, line, 30000},
    {"chase", follow, memory_ring, 20000},
    {"branches", branches, random_bytes, 100000},
    {"code", code, line, 15},
    {"divide", divide, line, 20000},
    {"multiply", multiply, line, 50000},
    {"stores", stores, much_memory, 50000},
    {"pages", follow, page_ring, 60000},
    {"decode", decode, line, 12},
    {"forward", forward, line, 50000},
    {"noted", follow_and_note, memory_ring, 20000},
    /* Of use to compare with a machine only. */
    {"clock", clock_of_adds, line, 5000},
    {"walks", follow, more_pages, 60000},
    {"third", follow, huge_ring_of_2_mib, 20000},
    {"memory", follow, huge_ring_of_128_mib, 20000},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(kernels) / sizeof(kernels[0]); i++) {
        const struct kernel *k = &kernels[i];

        if (strcmp(argv[1], k->name) != 0)
            continue;
        void *data = k->make();
        const long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : k->rounds;

        k->run(rounds / 10 + 1, data); /* warm: cold misses are another question */
        if (argc > 3) {
            print_times(k->run, data, rounds, strtol(argv[3], NULL, 10));
            return 0;
        }
        run_counted(k->run, data, rounds);
        return 0;
    }
    (void)fprintf(stderr, "usage: kernels NAME [ROUNDS [TIMES]]\n");
    return 64;
}
