/* SPDX-License-Identifier: MIT */
#include "analyzer/bar.h"

#include "analyzer/facts.h"
#include "analyzer/format.h"
#include "analyzer/waiting.h"
#include "base/arena.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define LEVEL1_SLACK 0.02 /* what level 1 may be off 100 % by, as in topdown.c */

/* A piece of the time on a CPU before it is time: key, words, letter and fraction. */
struct piece {
    const char *key, *words;
    char letter;
    double fraction;
};
struct pieces {
    struct piece all[SLW_MAX_BAR_NODES + 1];
    size_t count;
};

static void add_piece(struct pieces *p, const char *key, const char *words, char letter,
                      double fraction)
{
    assert(p->count < SLW_MAX_BAR_NODES + 1);
    p->all[p->count++] =
        (struct piece){.key = key, .words = words, .letter = letter, .fraction = fraction};
}

/* ---- the pipeline ---- */

static bool is_level1(const struct slw_report_node *n)
{
    return n->level == 1 && n->parent < 0;
}

static char letter_of(const char *node)
{
    static const struct {
        const char *name;
        char letter;
    } letters[] = {{"frontend_bound", 'F'},
                   {"bad_speculation", 'S'},
                   {"backend_bound", 'B'},
                   {"retiring", 'R'},
                   {"smt_contention", 'T'}};

    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
        if (strcmp(letters[i].name, node) == 0)
            return letters[i].letter;
    return 'X';
}

static const char *why_unusable(const struct slw_report_node *n)
{
    if (n->value.absent)
        return n->value.absent;
    if (n->value.from.source != SLW_SOURCE_HARDWARE)
        return "the pipeline was not measured in this execution but simulated";
    if (n->mismeasured || slw_format_implausible(n))
        return "level 1 is mismeasured";
    return n->thin ? "too little of level 1 was counted" : NULL;
}

/* Level 1 may divide the time only if it is a whole, was measured, and is of one privilege level.
 */
static const char *check_tree(const struct slw_report *r, size_t *ret_count,
                              enum slw_mode *ret_mode)
{
    size_t count = 0;

    if (r->core_count > 0)
        return "there are several kinds of core, each with slots of its own";
    for (size_t i = 0; i < r->node_count; i++) {
        if (!is_level1(&r->nodes[i]))
            continue;
        const char *why = why_unusable(&r->nodes[i]);
        if (why)
            return why;
        if (count > 0 && r->nodes[i].mode != *ret_mode)
            return "level 1 was counted in several privilege levels";
        *ret_mode = r->nodes[i].mode;
        count++;
    }
    if (count == 0)
        return r->topdown.reason ? r->topdown.reason : "no pipeline slots were counted";
    if (count > SLW_MAX_BAR_NODES - 1)
        return "level 1 has too many parts";
    if (!r->topdown.have_sum || fabs(r->topdown.level1_sum - 1) > LEVEL1_SLACK)
        return "level 1 does not add up";
    *ret_count = count;
    return NULL;
}

static int add_nodes(struct pieces *p, const struct slw_report *r, const char *where, double whole)
{
    for (size_t i = 0; i < r->node_count; i++) {
        const struct slw_report_node *n = &r->nodes[i];

        if (!is_level1(n))
            continue;
        const char *words =
            slw_arena_printf(r->arena, "%s: %s", where, n->title ? n->title : n->name);
        if (!words)
            return -SLW_E_NOMEM;
        add_piece(p, n->name, words, letter_of(n->name),
                  whole * fmax(n->value.value, 0) / r->topdown.level1_sum);
    }
    return 0;
}

/* ---- the time on a CPU ---- */

static bool user_part(const struct slw_facts *f, double *ret)
{
    double both = f->user.value + f->kernel.value;

    if (f->split_absent || !(both > 0))
        return false;
    *ret = f->user.value / both;
    return true;
}

static int divide_cpu(struct slw_bar *bar, const struct slw_report *r, struct pieces *p)
{
    enum slw_mode mode = SLW_MODE_ALL;
    size_t nodes = 0;
    double user = 0;
    const bool modes = user_part(r->facts, &user);

    bar->split_absent = check_tree(r, &nodes, &mode);
    if (!bar->split_absent && mode == SLW_MODE_KERNEL)
        bar->split_absent = "only the kernel's slots were counted";
    if (!bar->split_absent && mode == SLW_MODE_USER && !modes)
        bar->split_absent = "only user mode was counted, and how much of the time that is, is "
                            "not known";
    if (!bar->split_absent) {
        bar->split = mode == SLW_MODE_USER ? SLW_BAR_USER_TOPDOWN : SLW_BAR_TOPDOWN;
        if (mode == SLW_MODE_USER)
            add_piece(p, "kernel", "on-CPU: kernel", 'k', 1 - user);
        return add_nodes(p, r, mode == SLW_MODE_USER ? "on-CPU, user" : "on-CPU",
                         mode == SLW_MODE_USER ? user : 1);
    }
    bar->split = modes ? SLW_BAR_MODES : SLW_BAR_WHOLE;
    if (modes) {
        add_piece(p, "user", "on-CPU: user space", 'u', user);
        add_piece(p, "kernel", "on-CPU: kernel", 'k', 1 - user);
    } else {
        add_piece(p, "on_cpu", slw_wait_words(SLW_WAIT_ON_CPU), '#', 1);
    }
    return 0;
}

/* ---- all of it ---- */

static void add_part(struct slw_bar *bar, const struct piece *p, enum slw_wait state, uint64_t ns)
{
    if (ns == 0)
        return;
    bar->parts[bar->part_count++] = (struct slw_bar_part){
        .key = p->key, .words = p->words, .letter = p->letter, .state = state, .ns = ns};
}

/* Whole nanoseconds; what rounding leaves goes to the last piece, so that they sum exactly. */
static void add_on_cpu(struct slw_bar *bar, const struct pieces *pieces, uint64_t ns)
{
    uint64_t left = ns;

    for (size_t i = 0; i < pieces->count; i++) {
        const double wanted = floor((double)ns * pieces->all[i].fraction + 0.5);
        uint64_t mine = wanted >= (double)left ? left : (uint64_t)wanted;

        if (i + 1 == pieces->count)
            mine = left;
        add_part(bar, &pieces->all[i], SLW_WAIT_ON_CPU, mine);
        left -= mine;
    }
}

static void add_waits(struct slw_bar *bar, const struct slw_waiting *w)
{
    static const struct piece states[] = {
#define SLW_WAIT(id, key, words) [SLW_WAIT_##id] = {#key, words, 0, 1},
#include "record/waits.def"
#undef SLW_WAIT
    };
    static const char letters[] = "#raseldzpco?"; /* in the order of waits.def */
    _Static_assert(sizeof(letters) - 1 == SLW_WAIT_COUNT, "a letter for each state");
    struct slw_waiting_part parts[SLW_WAIT_COUNT];
    const size_t count = slw_waiting_parts(w, parts);

    for (size_t i = 0; i < count; i++) {
        struct piece p = states[parts[i].state];

        p.letter = letters[parts[i].state];
        if (parts[i].state != SLW_WAIT_ON_CPU)
            add_part(bar, &p, parts[i].state, parts[i].ns);
    }
}

static void divide_by_requests(struct slw_bar *bar, const struct slw_run *run)
{
    const struct slw_maybe_u64 *n = &run->requests;

    bar->per_request = bar->wall;
    bar->per_request.absent = n->absent       ? n->absent
                              : n->value == 0 ? "no request was observed"
                                              : NULL;
    bar->per_request.value = bar->per_request.absent ? 0 : bar->wall.value / (double)n->value;
    for (size_t i = 0; i < bar->part_count; i++) {
        bar->parts[i].share = (double)bar->parts[i].ns / bar->wall.value;
        if (!bar->per_request.absent)
            bar->parts[i].per_request_ns = (double)bar->parts[i].ns / (double)n->value;
    }
}

static int make(struct slw_bar *bar, const struct slw_report *r)
{
    const struct slw_waiting *w = &r->run->waiting[0];
    struct pieces pieces = {0};

    if (divide_cpu(bar, r, &pieces) < 0)
        return -SLW_E_NOMEM;
    add_on_cpu(bar, &pieces, w->ns[SLW_WAIT_ON_CPU]);
    add_waits(bar, w);
    for (size_t i = 0; i < bar->part_count; i++)
        bar->wall.value += (double)bar->parts[i].ns;
    bar->wall.unit = "ns";
    bar->wall.from = w->from;
    bar->wall.coverage = 1;
    bar->thread_count = w->thread_count;
    bar->lost_threads = w->lost_threads;
    divide_by_requests(bar, r->run);
    if (bar->part_count == 0)
        bar->absent = "the threads were not seen for any time";
    return 0;
}

int slw_bar_fill(struct slw_report *r, struct slw_error *err)
{
    struct slw_bar *bar = slw_arena_alloc(r->arena, sizeof(*bar));

    assert(r->facts);
    if (!bar)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a report");
    r->bar = bar;
    if (r->run->waiting_count == 0) {
        bar->absent = "what the threads waited for was not measured";
        bar->wall.absent = bar->per_request.absent = bar->split_absent = bar->absent;
        return 0;
    }
    return make(bar, r) < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory for a report") : 0;
}
