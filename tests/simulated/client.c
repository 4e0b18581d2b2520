/* SPDX-License-Identifier: MIT */
/* A client with bad habits, for the carrier: threads that end, a fork, an exec, signals and
 * longjmp, deep recursion, code made at run time, a crash.
 *
 * usage: client WHAT [PROGRAM]     (to execute instead of /bin/true) */
#include <cpuid.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

static volatile uint64_t sink;
static const char *program = "/bin/true";
static sigjmp_buf there;

static void *work(void *rounds)
{
    for (uintptr_t i = 0; i < (uintptr_t)rounds; i++)
        sink += i;
    return NULL;
}

static int threads(void)
{
    for (int round = 0; round < 3; round++) {
        pthread_t t[4];

        for (uintptr_t i = 0; i < 4; i++)
            if (pthread_create(&t[i], NULL, work, (void *)((i + 1) * 1000)) != 0)
                return 1;
        for (int i = 0; i < 4; i++)
            (void)pthread_join(t[i], NULL);
    }
    return 0;
}

static int forks(void)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        (void)work((void *)5000);
        _exit(3);
    }
    return waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3 ? 0 : 1;
}

static int executes(void)
{
    (void)execl(program, "true", (char *)NULL);
    return 1;
}

/* By the folder it is in, and what is open. */
static int executes_in_folder(void)
{
    const int folder = open("/bin", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char name[] = "true", *const arguments[] = {name, NULL};

    (void)syscall(SYS_execveat, folder, name, arguments, environ, 0);
    return 1;
}

static int executes_open_file(void)
{
    const int file = open(program, O_RDONLY | O_CLOEXEC);
    char name[] = "true", *const arguments[] = {name, NULL};

    (void)syscall(SYS_execveat, file, "", arguments, environ, AT_EMPTY_PATH);
    return 1;
}

static void on_fault(int number)
{
    (void)number;
    siglongjmp(there, 1);
}

static int faults(void)
{
    volatile int *nothing = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)signal(SIGSEGV, on_fault);
    for (volatile int i = 0; i < 20; i++)
        if (sigsetjmp(there, 1) == 0)
            *nothing = i;
    return 0;
}

__attribute__((noinline)) static uint64_t deep(unsigned levels)
{
    const uint64_t below = levels ? deep(levels - 1) : 0;

    sink += below;
    return below + 1;
}

static int recursion(void)
{
    return deep(10000) == 10001 ? 0 : 1;
}

/* mov $N, %eax; ret - written over and over. */
static int makes_code_often(uint32_t rounds)
{
    uint8_t *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    for (uint32_t i = 0; i < rounds; i++) {
        uint32_t (*made)(void);

        code[0] = 0xb8;
        memcpy(code + 1, &i, sizeof(i));
        code[5] = 0xc3;
        memcpy(&made, &(void *){code}, sizeof(made));
        __builtin___clear_cache((char *)code, (char *)code + 6);
        if (made() != i)
            return 1;
    }
    return 0;
}

static int makes_code(void)
{
    return makes_code_often(50);
}

static int makes_much_code(void)
{
    return makes_code_often(40000);
}

static int makes_more_code(void)
{
    return makes_code_often(120000);
}

static int crashes(void)
{
    (void)work((void *)5000);
    (void)raise(SIGABRT);
    return 0;
}

/* What a virtual clock and fixed random bytes make the same every time. */
static int looks_at_clock(void)
{
    struct timespec now;
    uint8_t random[16];
    FILE *f = fopen("/dev/urandom", "rb");

    if (!f || fread(random, 1, sizeof(random), f) != sizeof(random) ||
        clock_gettime(CLOCK_REALTIME, &now) != 0)
        return 1;
    (void)fclose(f);
    (void)printf("%lld.%09ld ", (long long)now.tv_sec, now.tv_nsec);
    for (unsigned i = 0; i < sizeof(random); i++)
        (void)printf("%02x", random[i]);
    (void)printf("\n");
    return (void)work((void *)(uintptr_t)(1000 + random[0] * 10)), 0;
}

static struct timespec soon(clockid_t clock)
{
    struct timespec at;

    (void)clock_gettime(clock, &at);
    at.tv_nsec += 20000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

/* Waits for moments that come, of two clocks, and tells how late it is. */
static int waits(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    struct timespec at = soon(CLOCK_MONOTONIC);

    if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0)
        return 1;
    at = soon(CLOCK_REALTIME);
    (void)pthread_mutex_lock(&mutex);
    if (pthread_cond_timedwait(&never, &mutex, &at) != ETIMEDOUT)
        return 2;
    at = soon(CLOCK_MONOTONIC);
    if (pthread_cond_clockwait(&never, &mutex, CLOCK_MONOTONIC, &at) != ETIMEDOUT)
        return 3;
    struct timespec span = {.tv_nsec = 5000000};

    if (ppoll(NULL, 0, &span, NULL) != 0 || pselect(0, NULL, NULL, NULL, &span, NULL) != 0)
        return 4;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    (void)printf("%lld.%09ld\n", (long long)at.tv_sec, at.tv_nsec);
    return 0;
}

/* Asks again and again until a moment has come, and tells how often it asked. */
static int sets_timer(void)
{
    return alarm(1000) == 0 ? 0 : 1;
}

static int spins(void)
{
    const struct timespec at = soon(CLOCK_MONOTONIC);
    struct timespec now = {0};
    unsigned asked = 0;

    for (; now.tv_sec < at.tv_sec || (now.tv_sec == at.tv_sec && now.tv_nsec < at.tv_nsec); asked++)
        if (poll(NULL, 0, 0) != 0 || clock_gettime(CLOCK_MONOTONIC, &now) != 0)
            return 1;
    (void)printf("%u\n", asked);
    return 0;
}

__attribute__((target("rdrnd"))) static unsigned long long hardware_random(void)
{
    unsigned long long value = 0;
    unsigned a = 0, b = 0, c = 0, d = 0;

    if (__get_cpuid(1, &a, &b, &c, &d) && (c & bit_RDRND))
        (void)_rdrand64_step(&value);
    return value;
}

static int ticks(void)
{
    unsigned cpu = 0;
    const unsigned long long first = __rdtsc();
    const unsigned long long second = __rdtscp(&cpu);

    (void)printf("%llu %llu %llx %lld\n", first, second, hardware_random(), (long long)time(NULL));
    return second > first ? 0 : 1;
}

static int virtual_fork(void)
{
    int status = 0;
    const pid_t child = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): tested */

    if (child == 0) {
        (void)execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    return waitpid(child, &status, 0) == child && status == 0 ? 0 : 1;
}

static int loads_library(void)
{
    for (int i = 0; i < 5; i++) {
        void *library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
        double (*cosine)(double);
        void *symbol = library ? dlsym(library, "cos") : NULL;

        if (!symbol)
            return 1;
        memcpy(&cosine, &symbol, sizeof(symbol));
        if (cosine(0) < 1 || dlclose(library) != 0)
            return 1;
    }
    return 0;
}

__attribute__((target("avx2,fma"))) static double wide(const double *a)
{
    __m256d sum = _mm256_setzero_pd();

    for (int i = 0; i < 64; i += 4)
        sum = _mm256_fmadd_pd(_mm256_loadu_pd(a + i), _mm256_loadu_pd(a + i), sum);
    double parts[4];

    _mm256_storeu_pd(parts, sum);
    return parts[0] + parts[1] + parts[2] + parts[3];
}

static int wide_vectors(void)
{
    double a[64];

    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return 0;
    for (int i = 0; i < 64; i++)
        a[i] = i % 4;
    for (int i = 0; i < 100; i++)
        if (wide(a) < 223 || wide(a) > 225)
            return 1;
    return 0;
}

static int endless(void)
{
    while (sink < UINT64_MAX)
        (void)work((void *)1000);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } habits[] = {
        {"threads", threads},
        {"fork", forks},
        {"exec", executes},
        {"exec_in_folder", executes_in_folder},
        {"exec_open_file", executes_open_file},
        {"faults", faults},
        {"deep", recursion},
        {"makes_code", makes_code},
        {"makes_much_code", makes_much_code},
        {"makes_more_code", makes_more_code},
        {"crash", crashes},
        {"clock", looks_at_clock},
        {"waits", waits},
        {"spins", spins},
        {"sets_timer", sets_timer},
        {"ticks", ticks},
        {"endless", endless},
        {"vfork", virtual_fork},
        {"dlopen", loads_library},
        {"avx2", wide_vectors},
    };

    if (argc > 2)
        program = argv[2];
    for (size_t i = 0; argc > 1 && i < sizeof(habits) / sizeof(habits[0]); i++)
        if (strcmp(argv[1], habits[i].name) == 0)
            return habits[i].run();
    return 64;
}
