/* SPDX-License-Identifier: MIT */
/* A JIT compiler of one function: it makes a loop in anonymous memory, says so in
 * /tmp/perf-PID.map or in DIRECTORY/jit-PID.dump, and spins there. With a SECOND name it forgets
 * the function after half of the time, and makes one of that name at the same address.
 *
 * usage: jit_client MILLISECONDS map|dump|none NAME [DIRECTORY [SECOND]] */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifdef __x86_64__
static const uint8_t loop[] = {0x48, 0x83, 0xef, 0x01, 0x75, 0xfa, 0xc3}; /* sub; jne; ret */
#else
static const uint32_t loop[] = {0xf1000400, 0x54ffffe1, 0xd65f03c0}; /* subs; b.ne; ret */
#endif

static void put(FILE *f, const void *bytes, size_t count)
{
    if (fwrite(bytes, count, 1, f) != 1)
        exit(1);
}

static void write_map(const void *code, const char *name)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
    FILE *f = fopen(path, "w");
    if (!f)
        exit(1);
    (void)fprintf(f, "%lx %zx %s\n", (unsigned long)(uintptr_t)code, sizeof(loop), name);
    (void)fclose(f);
}

/* Source: linux tools/perf/Documentation/jitdump-specification.txt */
static FILE *open_dump(const char *directory)
{
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/jit-%d.dump", directory, getpid());
    FILE *f = fopen(path, "w+");
    if (!f)
        exit(1);
    const uint32_t pid = (uint32_t)getpid();
    const uint32_t header[] = {0x4a695444, 1, 40, EM_X86_64, 0, pid, 0, 0, 0, 0};

    put(f, header, sizeof(header));
    (void)fflush(f);
    /* A recorder learns of the file by this mapping. */
    if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(f), 0) == MAP_FAILED)
        exit(1);
    return f;
}

static void write_load(FILE *f, const void *code, const char *name)
{
    const uint32_t pid = (uint32_t)getpid();
    const uint64_t address = (uintptr_t)code, body[] = {address, address, sizeof(loop), 0};
    const uint32_t bytes = (uint32_t)(16 + 40 + strlen(name) + 1 + sizeof(loop));
    const uint32_t load[] = {0, bytes}, ids[] = {pid, pid};
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    const uint64_t ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
    put(f, load, sizeof(load));
    put(f, &ns, sizeof(ns));
    put(f, ids, sizeof(ids));
    put(f, body, sizeof(body));
    put(f, name, strlen(name) + 1);
    put(f, loop, sizeof(loop));
    (void)fflush(f);
}

/* Of work, that a busy machine leaves as much of it. */
static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void spin(const void *code, double seconds)
{
    void (*run)(uint64_t);

    memcpy(&run, &code, sizeof(run));
    for (double end = now() + seconds; now() < end;)
        run(1000000);
}

int main(int argc, char **argv)
{
    FILE *dump = NULL;

    if (argc < 4)
        return 64;
    void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED)
        return 1;
    memcpy(code, loop, sizeof(loop));
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0)
        return 1;
    __builtin___clear_cache((char *)code, (char *)code + sizeof(loop));
    if (strcmp(argv[2], "map") == 0)
        write_map(code, argv[3]);
    else if (strcmp(argv[2], "dump") == 0)
        dump = open_dump(argc > 4 ? argv[4] : "/tmp");
    if (dump)
        write_load(dump, code, argv[3]);
    const double seconds = atof(argv[1]) / 1000;
    spin(code, argc > 5 ? seconds / 2 : seconds);
    if (dump && argc > 5) {
        write_load(dump, code, argv[5]);
        spin(code, seconds / 2);
    }
    return 0;
}
