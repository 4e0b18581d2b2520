/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes what was counted, in the format of docs/simulated.md: under another name first, so that a
 * file of the right name is a whole one. */
#include "tool_int.h"

struct out {
    VgFile *file;
    ULong lines;
};

#define LINE(out, ...)                                                                             \
    do {                                                                                           \
        (void)VG_(fprintf)((out)->file, __VA_ARGS__);                                              \
        (out)->lines++;                                                                            \
    } while (0)

/* Spaces, control characters and '%' as %xx, so that a name is one word whatever it holds. */
static void put_escaped(const struct out *out, const HChar *s)
{
    for (; *s; s++) {
        const UChar c = (UChar)*s;

        if (c <= ' ' || c >= 0x7f || c == '%')
            (void)VG_(fprintf)(out->file, "%%%02x", c);
        else
            (void)VG_(fprintf)(out->file, "%c", c);
    }
}

static const HChar *start_name(void)
{
    switch (options.start) {
    case START_AT_CONNECT:
        return "connect";
    case START_AT_REQUEST:
        return "request";
    case START_AUTO:
        return "auto";
    default:
        return "whole";
    }
}

static const HChar *began_name(void)
{
    static const HChar *const names[] = {[BEGAN_WHOLE] = "whole",
                                         [BEGAN_PROGRAM] = "program",
                                         [BEGAN_CONNECT] = "connect",
                                         [BEGAN_REQUEST] = "request"};

    return names[began_with()];
}

static void put_head(struct out *out)
{
    LINE(out, "slotwise-sim 1\n");
    LINE(out, "carrier valgrind " SLW_SIM_VALGRIND_VERSION "\n");
    (void)VG_(fprintf)(out->file, "core ");
    put_escaped(out, options.core_name);
    LINE(out, "\n");
    LINE(out, "width %u\n", config.width);
    LINE(out, "sample %d %d\n", options.period, options.detail);
    LINE(out, "start %s\n", start_name());
    LINE(out, "started %d\n", has_started() ? 1 : 0);
    LINE(out, "repeatable %d\n", options.repeatable ? 1 : 0);
    LINE(out, "process %d\n", VG_(getpid)());
    LINE(out, "began %s\n", began_name());
    const struct beside b = beside_now();

    LINE(out, "beside %llu %llu %llu %llu\n", b.kernel_ns, b.switches, b.bytes_in, b.bytes_out);
}

static void put_objects(struct out *out)
{
    for (UInt i = 1; i <= object_count(); i++) {
        const struct object *o = object_at(i);

        (void)VG_(fprintf)(out->file, "object %u %llx %llx %llx ", i, (ULong)o->start,
                           (ULong)o->end, o->offset);
        put_escaped(out, o->path);
        LINE(out, "\n");
    }
}

static void put_node(struct out *out, const struct slw_sim_node *n)
{
    (void)VG_(fprintf)(out->file, "node %u %u %u %llx %llu %llu", n->id,
                       n->parent ? n->parent->id : 0, n->object, (ULong)n->function,
                       (ULong)n->instructions, (ULong)n->l1i_misses);
    for (UInt i = 0; i < SLW_SIM_SLOT_COUNT; i++)
        (void)VG_(fprintf)(out->file, " %llu", (ULong)n->slots[i]);
    LINE(out, "\n");
}

static void put_thread(struct out *out, UInt number)
{
    struct slw_sim_totals t;

    slw_sim_finish(core_of(number), &t);
    LINE(out, "thread %u %llu %llu %llu %llu\n", number, (ULong)t.cycles,
         (ULong)t.detailed_instructions, (ULong)t.calls_unfollowed, (ULong)t.node_count);
    for (UInt i = 0; i < SLW_SIM_EVENT_COUNT; i++)
        LINE(out, "event %s %llu\n", slw_sim_event_names[i], (ULong)t.events[i]);
    for (UInt i = 0; i < SLW_SIM_SLOT_COUNT; i++)
        LINE(out, "slots %s %llu\n", slw_sim_slot_names[i], (ULong)t.slots[i]);
    for (const struct slw_sim_node *n = slw_sim_root(core_of(number)); n; n = slw_sim_next_node(n))
        put_node(out, n);
}

/* A forked child that executes nothing else would write over its parent's file. */
static HChar *final_name(Bool is_fork)
{
    HChar *name = VG_(expand_file_name)("--out", options.out_file);

    if (!is_fork || VG_(strstr)(options.out_file, "%p"))
        return name;
    HChar *own = VG_(malloc)("sim.name", VG_(strlen)(name) + 16);

    VG_(sprintf)(own, "%s.%d", name, VG_(getpid)());
    return own;
}

void write_output(Bool is_fork)
{
    struct out out = {0};

    if (!options.out_file)
        return;
    const HChar *name = final_name(is_fork);
    HChar *partial = VG_(malloc)("sim.name", VG_(strlen)(name) + 8);

    VG_(sprintf)(partial, "%s.part", name);
    out.file = VG_(fopen)(partial, VKI_O_CREAT | VKI_O_WRONLY | VKI_O_TRUNC, 0600);
    if (!out.file) {
        VG_(umsg)("cannot write %s\n", partial);
        return;
    }
    put_head(&out);
    put_objects(&out);
    for (UInt i = 0; i < MAX_THREADS; i++)
        if (core_of(i))
            put_thread(&out, i);
    LINE(&out, "end %llu\n", out.lines);
    VG_(fclose)(out.file);
    if (VG_(rename)(partial, name) != 0)
        VG_(umsg)("cannot write %s\n", name);
}
