/* SPDX-License-Identifier: MIT */
/* Options of `slotwise profile` that every command understands which measures a client. Their
 * values are read by slw_profile_measuring and slw_profile_tap_wire. */
#ifndef SLW_CLI_PROFILE_OPTIONS_H
#define SLW_CLI_PROFILE_OPTIONS_H

#include "cli/options.h"
#include "cli/render.h"

/* Names of values, for the rows below. */
const char *slw_profile_call_graph(size_t i);
const char *slw_profile_offcpu(size_t i);
const char *slw_profile_timers(size_t i);
const char *slw_profile_yes_or_no(size_t i);
const char *slw_profile_backend(size_t i);
const char *slw_profile_wire_route(size_t i);
const char *slw_simulate_core_name(size_t i);
const char *slw_simulate_carrier_name(size_t i);
const char *slw_simulate_start_name(size_t i);

#define SLW_OPTION_FREQUENCY                                                                       \
    {                                                                                              \
        .name = "frequency", .letter = 'F', .kind = SLW_OPTION_NUMBER, .value = "HZ",              \
        .text = "Samples per second and CPU (default 997)."                                        \
    }

#define SLW_OPTION_TIMERS                                                                          \
    {                                                                                              \
        .name = "timers", .kind = SLW_OPTION_CHOICE, .choices = slw_profile_timers,                \
        .text = "What takes samples of the CPU clock: cpu is one timer for each CPU and a BPF "    \
                "program that keeps the client's samples, task is timers that the kernel sets "    \
                "whenever it switches to the client, which costs that more; auto (default) is "    \
                "cpu where it is permitted."                                                       \
    }

#define SLW_OPTION_CALL_GRAPH                                                                      \
    {                                                                                              \
        .name = "call-graph", .kind = SLW_OPTION_CHOICE, .choices = slw_profile_call_graph,        \
        .text =                                                                                    \
            "How callers are found: dwarf copies registers and the top of the stack with each "    \
            "sample and unwinds them later, fp follows frame pointers, lbr reads branch records, " \
            "none takes the sampled function only; auto is dwarf where the kernel copies stacks, " \
            "else fp (default auto)."                                                              \
    }

#define SLW_OPTION_STACK_SIZE                                                                      \
    {                                                                                              \
        .name = "stack-size", .kind = SLW_OPTION_SIZE, .value = "BYTES",                           \
        .text = "Bytes of stack to copy with each sample: 8K, 24K (default), 32K, at most 65528. " \
                "The report says how many stacks were longer."                                     \
    }

#define SLW_OPTION_SPOOL_SIZE                                                                      \
    {                                                                                              \
        .name = "spool-size", .kind = SLW_OPTION_SIZE, .value = "BYTES",                           \
        .text = "Room on the disk for raw samples with copied stacks (default 4G). From half of "  \
                "it on fewer are kept, each of which stands for several."                          \
    }

#define SLW_OPTION_PER_FUNCTION                                                                    \
    {                                                                                              \
        .name = "per-function",                                                                    \
        .text =                                                                                    \
            "Read level-1 counters with every sample, for top-down per function (page faults and " \
            "context switches where there is no PMU). Takes counters from the totals."             \
    }

#define SLW_OPTION_OFFCPU                                                                          \
    {                                                                                              \
        .name = "offcpu", .kind = SLW_OPTION_CHOICE, .choices = slw_profile_offcpu,                \
        .text = "Tell what threads wait for: yes; syscalls counts system calls as well, stacks "   \
                "also tells "                                                                      \
                "who waits (default: yes where the kernel permits BPF)."                           \
    }

#define SLW_OPTION_STAGES                                                                          \
    {                                                                                              \
        .name = "stages", .kind = SLW_OPTION_CHOICE, .choices = slw_profile_yes_or_no,             \
        .text = "Look at the stages the client marks. Each mark then takes about a microsecond "   \
                "of the client's CPU time (profile: yes; where versions are compared that would "  \
                "pass for their difference: no)."                                                  \
    }

#define SLW_OPTION_NO_SAMPLING                                                                     \
    {                                                                                              \
        .name = "no-sampling", .text = "Count only; no stacks, no flame graph."                    \
    }

#define SLW_OPTION_BACKEND                                                                         \
    {                                                                                              \
        .name = "backend", .kind = SLW_OPTION_CHOICE, .choices = slw_profile_backend,              \
        .text = "Measure with this backend or fail (default: the best that works here)."           \
    }

#define SLW_OPTION_MODEL                                                                           \
    {                                                                                              \
        .name = "model", .kind = SLW_OPTION_TEXT, .value = "NAME|FILE",                            \
        .choices = slw_model_builtin_name_or_null,                                                 \
        .text = "CPU model that names the events (default: the one of this CPU); see 'slotwise "   \
                "models list'."                                                                    \
    }

#define SLW_OPTION_LEVEL                                                                           \
    {                                                                                              \
        .name = "level", .kind = SLW_OPTION_NUMBER, .value = "N",                                  \
        .text =                                                                                    \
            "Deepest top-down level to count (default 1; deeper levels share counters); 0: none."  \
    }

#define SLW_OPTION_NO_MULTIPLEX                                                                    \
    {                                                                                              \
        .name = "no-multiplex",                                                                    \
        .text =                                                                                    \
            "Count each group of hardware events in an execution (or window) of its own instead "  \
            "of letting them take turns on the counters."                                          \
    }

#define SLW_OPTION_RING_SIZE                                                                       \
    {                                                                                              \
        .name = "ring-size", .kind = SLW_OPTION_SIZE, .value = "BYTES",                            \
        .text =                                                                                    \
            "Buffer for samples per CPU, rounded up to a power of two pages: 512K, 16M (default: " \
            "chosen by the collector). Larger ones lose fewer samples. With --wire bpf also the "  \
            "buffer for what goes over sockets."                                                   \
    }

#define SLW_OPTION_WIRE                                                                            \
    {                                                                                              \
        .name = "wire", .kind = SLW_OPTION_CHOICE, .choices = slw_profile_wire_route,              \
        .text = "How database requests are counted: preload puts a library into the command, bpf " \
                "copies what any client moves over sockets, no counts none, auto (default) takes " \
                "preload where it works, else bpf."                                                \
    }

#define SLW_OPTION_NO_WIRE                                                                         \
    {                                                                                              \
        .name = "no-wire", .text = "Do not count database requests; the same as --wire no."        \
    }

#define SLW_OPTIONS_SIMULATE                                                                       \
    {.name = "simulate",                                                                           \
     .text = "Run the command on a described core instead of counting on this one: the same "      \
             "report without a PMU, exact and repeatable, of user mode only, and many times "      \
             "slower (docs/simulated.md)."},                                                       \
        {.name = "core",                                                                           \
         .kind = SLW_OPTION_TEXT,                                                                  \
         .value = "NAME|FILE",                                                                     \
         .choices = slw_simulate_core_name,                                                        \
         .text = "With --simulate: the core (default: the one most like this CPU)."},              \
        {.name = "carrier",                                                                        \
         .kind = SLW_OPTION_CHOICE,                                                                \
         .choices = slw_simulate_carrier_name,                                                     \
         .text = "With --simulate: what follows the command (default: the first that works)."},    \
        {.name = "record-server",                                                                  \
         .kind = SLW_OPTION_TEXT,                                                                  \
         .value = "FOLDER",                                                                        \
         .text = "With --simulate: save there what servers answer, for --replay."},                \
        {.name = "replay",                                                                         \
         .kind = SLW_OPTION_TEXT,                                                                  \
         .value = "FOLDER",                                                                        \
         .text = "With --simulate: answer the client from there, without a server: the same "      \
                 "counts every time."},                                                            \
        {.name = "full",                                                                           \
         .text = "With --simulate: time every instruction, not 2,000 of every 50,000; caches, "    \
                 "predictors and counts of events follow all of them either way."},                \
        {.name = "start",                                                                          \
         .kind = SLW_OPTION_CHOICE,                                                                \
         .choices = slw_simulate_start_name,                                                       \
         .text =                                                                                   \
             "With --simulate: when counting begins: at the first connection to a server or "      \
             "mark of a stage, with the program where there is none (auto, default), with the "    \
             "first instruction of all (whole), or at the first connection (connect)."},           \
    {                                                                                              \
        .name = "no-det", .text = "With --simulate: leave clocks and random bytes as they are."    \
    }

/* Where values are compared, chance in which instructions were timed would be taken for a change.
 */
#define SLW_OPTION_SAMPLED                                                                         \
    {                                                                                              \
        .name = "sampled",                                                                         \
        .text = "With --simulate: time 2,000 of every 50,000 instructions, as profile does, and "  \
                "not all of them (--full, default): faster, and values have an interval again."    \
    }

#define SLW_OPTION_LABEL                                                                           \
    {                                                                                              \
        .name = "label", .kind = SLW_OPTION_TEXT, .value = "KEY=VALUE",                            \
        .text = "Mark the run; shown in reports. May be repeated.", .repeated = true               \
    }

#endif
