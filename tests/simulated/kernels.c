/* SPDX-License-Identifier: MIT */
/* Loops whose answer is known: each is held up by one thing and hardly anything else. The simulated
 * tier counts between the two client requests; run natively they do nothing.
 *
 * usage: kernels NAME [ROUNDS] */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <valgrind/valgrind.h>

enum { REQUEST_START = VG_USERREQ_TOOL_BASE('S', 'W'), REQUEST_STOP };

#define LINE 64u
#define PAGE 4096u

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
    void **at = data;

    for (long i = 0; i < rounds; i++)
        at = *at;
    __asm__ volatile("" ::"r"(at));
}

static void branches(long rounds, void *data)
{
    const uint8_t *random = data;

    for (long i = 0; i < rounds; i++) {
        if (random[i & 0xfffff] & 1)
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

/* One store to each line, in an order no prefetcher follows. */
static void stores(long rounds, void *data)
{
    uint8_t *const bytes = data;
    uint64_t at = 1;

    for (long i = 0; i < rounds; i++) {
        at = at * 6364136223846793005u + 1442695040888963407u;
        *(volatile uint64_t *)(void *)(bytes + (at >> 38) * LINE) = at;
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

/* What is stored is loaded by the next round. */
static void forward(long rounds, void *data)
{
    for (long i = 0; i < rounds; i++)
        __asm__ volatile("addq $1, (%0)" ::"r"(data) : "memory");
}

static void *map(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

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

/* A ring through all of `count` places, `step` bytes apart, in random order (Sattolo). */
static void *make_ring(size_t count, size_t step)
{
    uint8_t *bytes = map(count * step);
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

static void *much_memory(void)
{
    return map((size_t)LINE << 26);
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
        VALGRIND_DO_CLIENT_REQUEST_STMT(REQUEST_START, 0, 0, 0, 0, 0);
        k->run(rounds, data);
        VALGRIND_DO_CLIENT_REQUEST_STMT(REQUEST_STOP, 0, 0, 0, 0, 0);
        return 0;
    }
    (void)fprintf(stderr, "usage: kernels NAME [ROUNDS]\n");
    return 64;
}
