/* SPDX-License-Identifier: MIT */
/* Signals are global to a process, so this is the one place with state of its own. */
#include "cli/profile_int.h"

#include "base/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop_signal;
static volatile sig_atomic_t give_up_next;
static char farewell[4352]; /* written from the handler, so it is formatted before */

static void handle(int number)
{
    if (give_up_next) {
        (void)slw_write_all(STDERR_FILENO, farewell, strlen(farewell));
        _exit(128 + number);
    }
    stop_signal = number;
    give_up_next = 1;
}

static void catch_signal(int number)
{
    struct sigaction action = {.sa_handler = handle}, old;

    /* no SA_RESTART: waiting must end */
    if (sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
        return;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

const volatile sig_atomic_t *slw_signals_catch(const char *fmt, ...)
{
    char words[4096];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    (void)snprintf(farewell, sizeof(farewell), "\nslotwise: %s\n", words);
    catch_signal(SIGINT);
    catch_signal(SIGTERM);
    catch_signal(SIGHUP);
    return &stop_signal;
}

void slw_signals_analysing(void)
{
    give_up_next = 1;
}
