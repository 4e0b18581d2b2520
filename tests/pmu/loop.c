/* SPDX-License-Identifier: MIT */
/* Work whose instructions are known: a loop of four instructions, called through three functions.
 * Not linked with slotwise: it is what the tests measure, in the emulated machine and on real ones.
 *
 *   loop N               N rounds
 *   loop -t THREADS N    N rounds in each of THREADS threads
 *   loop -w N...         one thread for each N, with so many rounds
 *   loop -g N...         the same, but the threads wait for SIGUSR1 first
 *   loop -f CHILDREN N   N rounds in each of CHILDREN processes
 *   loop -m TURNS N      TURNS times N rounds and then LONG_ROUNDS of a loop of six instructions
 *   loop -u CMD ARG...   run CMD as a user without rights */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WORKERS 64
#define NOBODY      65534
/* With 250000 rounds of hot_loop before them a turn is 1452274 instructions: at 4 cycles each that
 * is 11.618 of the tests' periods of 500009 cycles. By the golden ratio the samples of many turns
 * fall evenly on the turn. */
#define LONG_ROUNDS 75379

/* Rounds of exactly four and of exactly six instructions, in frames of their own. */
void hot_loop(uint64_t rounds);
void long_loop(uint64_t rounds);
#if defined(__aarch64__)
__asm__(".text\n.global hot_loop\n.type hot_loop, %function\n"
        "hot_loop:\n"
        "stp x29, x30, [sp, #-16]!\n mov x29, sp\n"
        "1: nop\n nop\n subs x0, x0, #1\n b.ne 1b\n"
        "ldp x29, x30, [sp], #16\n ret\n"
        ".size hot_loop, .-hot_loop\n"
        ".global long_loop\n.type long_loop, %function\n"
        "long_loop:\n"
        "stp x29, x30, [sp, #-16]!\n mov x29, sp\n"
        "1: nop\n nop\n nop\n nop\n subs x0, x0, #1\n b.ne 1b\n"
        "ldp x29, x30, [sp], #16\n ret\n"
        ".size long_loop, .-long_loop\n");
#elif defined(__x86_64__)
__asm__(".text\n.global hot_loop\n.type hot_loop, @function\n"
        "hot_loop:\n"
        "push %rbp\n mov %rsp, %rbp\n"
        "1: nop\n nop\n dec %rdi\n jne 1b\n"
        "pop %rbp\n ret\n"
        ".size hot_loop, .-hot_loop\n"
        ".global long_loop\n.type long_loop, @function\n"
        "long_loop:\n"
        "push %rbp\n mov %rsp, %rbp\n"
        "1: nop\n nop\n nop\n nop\n dec %rdi\n jne 1b\n"
        "pop %rbp\n ret\n"
        ".size long_loop, .-long_loop\n");
#endif

/* Something after each call keeps it from being a jump, which would leave no frame. */
__attribute__((noinline)) static void inner(uint64_t rounds)
{
    hot_loop(rounds);
    __asm__ volatile("");
}

__attribute__((noinline)) static void middle(uint64_t rounds)
{
    inner(rounds);
    __asm__ volatile("");
}

__attribute__((noinline)) static void outer(uint64_t rounds)
{
    middle(rounds);
    __asm__ volatile("");
}

static void *work(void *rounds)
{
    outer(*(const uint64_t *)rounds);
    return NULL;
}

static int in_threads(int count, uint64_t rounds)
{
    pthread_t threads[MAX_WORKERS];

    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, &rounds) != 0)
            return 1;
    for (int i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
    return 0;
}

static pthread_barrier_t gate;

static void *work_later(void *rounds)
{
    (void)pthread_barrier_wait(&gate);
    return work(rounds);
}

static int one_by_one(int count, char **rounds, int wait)
{
    pthread_t threads[MAX_WORKERS];
    uint64_t numbers[MAX_WORKERS];
    sigset_t signals;
    int got;

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    (void)pthread_barrier_init(&gate, NULL, (unsigned)count + 1);
    for (int i = 0; i < count; i++) {
        numbers[i] = strtoull(rounds[i], NULL, 10);
        if (pthread_create(&threads[i], NULL, wait ? work_later : work, &numbers[i]) != 0)
            return 1;
    }
    if (wait) {
        (void)sigwait(&signals, &got);
        (void)pthread_barrier_wait(&gate);
    }
    for (int i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
    return 0;
}

static int in_children(int count, uint64_t rounds)
{
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();

        if (pid < 0)
            return 1;
        if (pid == 0) {
            outer(rounds);
            _exit(0);
        }
    }
    while (wait(NULL) > 0)
        ;
    return 0;
}

static int in_turns(int turns, uint64_t rounds)
{
    for (int i = 0; i < turns; i++) {
        hot_loop(rounds);
        long_loop(LONG_ROUNDS);
    }
    return 0;
}

static int as_nobody(char **command)
{
    if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0) {
        perror("loop");
        return 1;
    }
    (void)execvp(command[0], command);
    perror(command[0]);
    return 127;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "-u") == 0)
        return as_nobody(argv + 2);
    if (argc == 2) {
        outer(strtoull(argv[1], NULL, 10));
        return 0;
    }
    if (argc > 2 && argc - 2 <= MAX_WORKERS &&
        (strcmp(argv[1], "-w") == 0 || strcmp(argv[1], "-g") == 0))
        return one_by_one(argc - 2, argv + 2, argv[1][1] == 'g');
    int count = argc == 4 ? atoi(argv[2]) : 0;

    bool turns = argc == 4 && strcmp(argv[1], "-m") == 0;

    if (count < 1 || (count > MAX_WORKERS && !turns)) {
        (void)fputs("usage: loop [-t THREADS | -f CHILDREN | -m TURNS] N | loop -w|-g N... | "
                    "loop -u CMD ARG...\n",
                    stderr);
        return 64;
    }
    uint64_t rounds = strtoull(argv[3], NULL, 10);

    if (turns)
        return in_turns(count, rounds);

    return strcmp(argv[1], "-t") == 0 ? in_threads(count, rounds) : in_children(count, rounds);
}
