/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Valgrind tool "slotwise": options, and what is registered with Valgrind's core. Started by
 * slotwise; see docs/simulated.md for running it by hand. */
#include "tool_int.h"

/* Client requests, for a program that says itself when to count (see valgrind.h), and for the
 * preloaded library, which names the functions it stands in front of. */
enum {
    REQUEST_START = VG_USERREQ_TOOL_BASE('S', 'W'),
    REQUEST_STOP,
    REQUEST_STANDS_FOR,
    REQUEST_CONNECTS, /* a connection that is replayed: the kernel sees none */
    REQUEST_COUNTING
};

struct options options = {.core_name = "unnamed", .out_file = "slotwise-sim.%p"};
struct slw_sim_config config;
struct slw_sim_counting counting;
struct slw_sim_host host;

static UInt *counting_flag; /* of the tap, whether it counts requests; NULL: no tap */

/* Begins a line of the host's caches, as a set of a simulated cache is often as large as one. */
static void *allocate(size_t bytes)
{
    return (void *)at_host_line((UWord)VG_(calloc)("sim.core", 1, bytes + HOST_LINE - 1));
}

static void broken(const char *what)
{
    VG_(tool_panic)(what);
}

static Bool take_option(const HChar *argument)
{
    const HChar *start = NULL;

    if VG_STR_CLO (argument, "--core", options.core_file) {
    } else if VG_STR_CLO (argument, "--core-name", options.core_name) {
    } else if VG_STR_CLO (argument, "--out", options.out_file) {
    } else if VG_BINT_CLO (argument, "--period", options.period, 0, 1000000000) {
    } else if VG_BINT_CLO (argument, "--detail", options.detail, 0, 1000000000) {
    } else if VG_BOOL_CLO (argument, "--det", options.repeatable) {
    } else if VG_STR_CLO (argument, "--start", start) {
        options.start = slw_sim_start_named(start);
        return options.start < SLW_SIM_START_COUNT;
    } else {
        return False;
    }
    return True;
}

static void print_usage(void)
{
    VG_(printf)
    ("    --core=FILE         description of the core, NAME VALUE lines (required)\n"
     "    --core-name=NAME    what the output calls it\n"
     "    --out=FILE          [slotwise-sim.%%p] %%p: process number\n"
     "    --period=N --detail=M  time M of every N instructions [0: all]\n"
     "    --start=whole|connect|request|auto  when to start counting [whole]\n"
     "    --det=no|yes        a clock and random bytes that repeat [no]\n");
}

static void print_debug_usage(void)
{
    VG_(printf)("    (none)\n");
}

/* Valgrind says what is wrong, and may go on. */
#define BAD_OPTION(...)                                                                            \
    do {                                                                                           \
        VG_(fmsg_bad_option)(__VA_ARGS__);                                                         \
        VG_(exit)(1);                                                                              \
    } while (0)

static void read_core(void)
{
    static HChar text[65536];
    const HChar *why = NULL;
    SysRes file;

    if (!options.core_file)
        BAD_OPTION("--core", "is required\n");
    file = VG_(open)(options.core_file, VKI_O_RDONLY, 0);
    if (sr_isError(file))
        BAD_OPTION("--core", "cannot open %s\n", options.core_file);
    const Int length = VG_(read)((Int)sr_Res(file), text, sizeof(text));

    VG_(close)((Int)sr_Res(file));
    if (length < 0)
        BAD_OPTION("--core", "cannot read %s\n", options.core_file);
    const size_t line = slw_sim_config_parse(text, (size_t)length, &config, &why);

    if (line)
        BAD_OPTION("--core", "%s:%lu: %s\n", options.core_file, (UWord)line, why);
}

static void let_tap_count(bool on)
{
    if (counting_flag)
        *counting_flag = on;
}

static void options_done(void)
{
    if (options.detail > options.period)
        BAD_OPTION("--detail", "is more than --period\n");
    if (options.period && !options.detail)
        BAD_OPTION("--period", "needs --detail\n");
    read_core();
    host = (struct slw_sim_host){.allocate = allocate, .broken = broken};
    make_repeatable();
    counting = (struct slw_sim_counting){.host = {.core_of = core_of,
                                                  .thread_limit = MAX_THREADS,
                                                  .forget_beside = beside_forget,
                                                  .let_tap_count = let_tap_count},
                                         .stages = new_stages(),
                                         .start = options.start,
                                         .period = (ULong)options.period,
                                         .detail = (ULong)options.detail};
    slw_sim_counting_init(&counting);
}

static void child_forked(ThreadId thread)
{
    mark_child();
    forget_parent(thread);
}

static void client_ends(Int status)
{
    (void)status;
    finish_threads();
    write_output();
}

static void stop_counting(void)
{
    if (!slw_sim_counting_may_stop(&counting))
        return;
    finish_running();
    mark_exit(True); /* it said itself that this is all */
    write_output();
    options.out_file = NULL; /* written: what comes after does not count */
    slw_sim_counting_stops(&counting);
}

static Bool client_request(ThreadId thread, UWord *arguments, UWord *ret_value)
{
    (void)thread;
    *ret_value = 0;
    if (arguments[0] == REQUEST_START)
        slw_sim_counting_requested(&counting);
    else if (arguments[0] == REQUEST_STOP)
        stop_counting();
    else if (arguments[0] == REQUEST_STANDS_FOR)
        tap_stands_for(arguments[1]);
    else if (arguments[0] == REQUEST_CONNECTS)
        slw_sim_counting_connects(&counting);
    else if (arguments[0] == REQUEST_COUNTING)
        counting_flag = (UInt *)arguments[1];
    return arguments[0] >= REQUEST_START && arguments[0] <= REQUEST_COUNTING;
}

static void register_tool(void)
{
    VG_(details_name)("slotwise");
    VG_(details_version)(SLW_VERSION);
    VG_(details_description)("a described core, simulated");
    VG_(details_copyright_author)("GNU GPL version 2 or later");
    VG_(details_bug_reports_to)("the authors of slotwise");
    VG_(details_avg_translation_sizeB)(400);
    VG_(basic_tool_funcs)(options_done, instrument, client_ends);
    VG_(needs_command_line_options)(take_option, print_usage, print_debug_usage);
    VG_(needs_client_requests)(client_request);
    VG_(needs_superblock_discards)(translation_goes);
    VG_(needs_syscall_wrapper)(before_syscall, after_syscall);
    VG_(track_start_client_code)(thread_runs);
    VG_(track_pre_thread_ll_exit)(thread_ends);
    VG_(atfork)(NULL, NULL, child_forked);
    /* One superblock is one run of instructions with one way in. */
    VG_(clo_vex_control).iropt_unroll_thresh = 0;
    VG_(clo_vex_control).guest_chase = False;
}

VG_DETERMINE_INTERFACE_VERSION(register_tool)
