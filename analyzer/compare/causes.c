/* SPDX-License-Identifier: MIT */
/* Why the main metric changed: metrics, stages and functions that changed with it, each beyond its
 * own interval and in the same direction, with its share where that is arithmetic. Says what went
 * along with the change and never guesses at what did not show in a number. */
#include "analyzer/compare/comparison_int.h"
#include "analyzer/compare/words.h"
#include "analyzer/families.h"
#include "analyzer/format.h"
#include "analyzer/simulated.h"
#include "analyzer/text.h"
#include "base/arena.h"

#include <math.h>
#include <string.h>

#define MAX_CAUSES 16
#define SMALLEST   0.01 /* relative; less explains nothing */

/* What kind of change a rule explains. */
#define OF_CPU  1u
#define OF_TIME 2u /* latency, throughput, wall time */

/* How its share is computed from medians: part of what whole. */
enum share_of {
    NO_SHARE,
    OF_USER_AND_SYSTEM,
    OF_CYCLES, /* in logarithms: cycles = instructions / IPC */
    OF_SLOTS,
    OF_MAIN,
    OF_THREAD_TIME
};

struct rule {
    const char *id, *metric; /* "x.*": all metrics that start so */
    const char *lead, *tail; /* "B sends" 16.0 "requests per flush" */
    unsigned of;
    enum share_of share;
    double rank; /* added to the share: mechanisms before their effects */
};

static const struct rule rules[] = {
    {"batching", "requests_per_flush", "B sends ", " requests per flush", OF_CPU | OF_TIME,
     NO_SHARE, 3},
    {"system-calls", "syscalls_per_request", "B makes ", " system calls per request",
     OF_CPU | OF_TIME, NO_SHARE, 1.5},
    {"sends", "sends_per_request", "B makes ", " sends per request", OF_CPU | OF_TIME, NO_SHARE,
     1.4},
    {"prepares", "prepares_per_request", "B prepares ", " statements per request", OF_CPU | OF_TIME,
     NO_SHARE, 1.3},
    {"kernel-time", "system_per_request", "B spends ", " in the kernel per request", OF_CPU,
     OF_USER_AND_SYSTEM, 0},
    {"user-time", "user_per_request", "B spends ", " in user space per request", OF_CPU,
     OF_USER_AND_SYSTEM, 0},
    {"stage", "stage.*.cpu_per_request", "B spends ", " of ", OF_CPU, OF_MAIN, 0},
    {"instructions", "instructions_per_request", "B runs ", " instructions per request", OF_CPU,
     OF_CYCLES, 0},
    {"ipc", "ipc", "B runs ", " instructions per cycle", OF_CPU, OF_CYCLES, 0},
    {"slots", "slots.*", "B spends ", " ", OF_CPU, OF_SLOTS, -.2},
    {"cpu-time", "cpu_per_request", "B uses ", " of CPU time per request", OF_TIME, OF_THREAD_TIME,
     0},
    {"wait", "wait.*", "B spends ", " ", OF_TIME, OF_THREAD_TIME, 0},
    {"icache-misses", "icache_misses_per_request", "B takes ",
     " instruction-cache misses per request", OF_CPU, NO_SHARE, 0},
    {"branch-misses", "branch_misses_per_request", "B takes ", " branch misses per request", OF_CPU,
     NO_SHARE, 0},
    {"cache-misses", "cache_misses_per_request", "B takes ", " last-level cache misses per request",
     OF_CPU, NO_SHARE, 0},
    {"bytes-sent", "bytes_sent_per_request", "B sends ", " per request", OF_CPU | OF_TIME, NO_SHARE,
     0},
    {"switches", "voluntary_switches_per_request", "B leaves the CPU by itself ",
     " times per request", OF_CPU | OF_TIME, NO_SHARE, 0},
    {"page-faults", "page_faults_per_request", "B takes ", " page faults per request", OF_CPU,
     NO_SHARE, 0},
};

/* ---- what counts as evidence ---- */

static bool changed(const struct slw_metric_row *row)
{
    if (!row || !slw_metric_row_real(row))
        return false;
    return row->kind != SLW_PAIRS_RATIO || fabs(row->difference.estimate) > log1p(SMALLEST);
}

/* More instructions per cycle are a gain where something is explained. */
static bool is_gain(const struct slw_metric_row *row)
{
    const bool higher = row->better == SLW_BETTER_HIGHER || strcmp(row->metric, "ipc") == 0;

    return (row->difference.estimate > 0) == higher;
}

static unsigned kind_of(const struct slw_metric_row *row)
{
    static const char *const cpu[] = {"cpu_", "user_", "system_", "cycles_", "instructions_"};

    for (size_t i = 0; i < sizeof(cpu) / sizeof(cpu[0]); i++)
        if (strncmp(row->metric, cpu[i], strlen(cpu[i])) == 0)
            return OF_CPU;
    return OF_TIME;
}

/* One '*' stands for anything. */
static bool matches(const char *pattern, const char *metric)
{
    const char *star = strchr(pattern, '*');
    const size_t length = strlen(metric);

    if (!star)
        return strcmp(pattern, metric) == 0;
    const size_t head = (size_t)(star - pattern), tail = strlen(star + 1);
    return length >= head + tail && strncmp(pattern, metric, head) == 0 &&
           strcmp(metric + length - tail, star + 1) == 0;
}

/* ---- shares ---- */

static double delta(const struct slw_metric_row *row)
{
    if (!row || row->absent)
        return (double)NAN;
    return row->b_value.value - row->a_value.value;
}

static double delta_of(const struct slw_comparison *c, const char *metric)
{
    return delta(slw_comparison_find(c, metric));
}

static double in_logs(const struct slw_comparison *c, const struct slw_metric_row *row)
{
    const struct slw_metric_row *instructions = slw_comparison_find(c, "instructions_per_request");
    const struct slw_metric_row *ipc = slw_comparison_find(c, "ipc");

    if (!instructions || !ipc || instructions->absent || ipc->absent ||
        instructions->kind != SLW_PAIRS_RATIO || ipc->kind != SLW_PAIRS_RATIO)
        return (double)NAN;
    const double cycles = instructions->difference.estimate - ipc->difference.estimate;
    return (row == ipc ? -1 : 1) * row->difference.estimate / cycles;
}

/* A part that went against the whole, or beyond it, is no share. */
static double share_of(const struct slw_comparison *c, const struct rule *rule,
                       const struct slw_metric_row *row)
{
    double share = (double)NAN;

    if (rule->share == OF_USER_AND_SYSTEM)
        share = delta(row) / (delta_of(c, "user_per_request") + delta_of(c, "system_per_request"));
    else if (rule->share == OF_CYCLES)
        share = in_logs(c, row);
    else if (rule->share == OF_SLOTS)
        share = delta(row) / delta_of(c, "slots");
    else if (rule->share == OF_MAIN)
        share = delta(row) / delta(&c->rows[c->main_row]);
    else if (rule->share == OF_THREAD_TIME)
        share = delta(row) / delta_of(c, "thread_time_per_request");
    if (!isfinite(share) || share <= 0 || share > 1.1)
        return (double)NAN;
    return share < 1 ? share : 1;
}

/* ---- words ---- */

static void put_tail(struct slw_buf *out, const struct rule *rule, const struct slw_metric_row *row)
{
    slw_buf_puts(out, rule->tail);
    if (strchr(rule->metric, '*')) /* the name tells which */
        slw_text_clean(out, row->title);
}

static void put_cause(struct slw_buf *out, const struct rule *rule,
                      const struct slw_metric_row *row, double share)
{
    slw_buf_puts(out, rule->lead);
    slw_row_put_value(out, row, &row->b_value);
    put_tail(out, rule, row);
    slw_buf_puts(out, " instead of ");
    slw_row_put_value(out, row, &row->a_value);
    if (isfinite(share)) {
        slw_buf_puts(out, ", ");
        slw_format_percent(out, share);
        slw_buf_puts(out, rule->share == OF_SLOTS    ? " of the change in slots"
                          : rule->share == OF_CYCLES ? " of the change in cycles"
                                                     : " of the change");
    }
}

/* "16.0 requests per flush instead of 1.0: 94 % fewer system calls" */
static void put_effect_of_batching(struct slw_buf *out, const struct slw_comparison *c)
{
    static const struct {
        const char *metric, *words;
    } effects[] = {{"syscalls_per_request", "system calls per request"},
                   {"sends_per_request", "sends per request"}};

    for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
        const struct slw_metric_row *row = slw_comparison_find(c, effects[i].metric);

        if (!changed(row) || row->kind != SLW_PAIRS_RATIO)
            continue;
        slw_buf_puts(out, ", which makes ");
        slw_row_put_size(out, row);
        slw_buf_printf(out, "%s%s",
                       expm1(row->difference.estimate) >= 1 ? " the "
                       : row->difference.estimate < 0       ? " fewer "
                                                            : " more ",
                       effects[i].words);
        return;
    }
}

/* ---- the list ---- */

struct draft {
    struct slw_cause cause;
    double rank;
};

static int add(struct slw_comparison *c, struct draft *drafts, size_t *count, const char *id,
               struct slw_buf *text, double share, double rank)
{
    struct draft fresh = {.cause = {.id = id, .share = share}, .rank = rank};
    size_t at = *count;

    fresh.cause.text = slw_comparison_text(c, text);
    if (!fresh.cause.text)
        return -SLW_E_NOMEM;
    if (isfinite(share))
        fresh.rank += share;
    if (*count == MAX_CAUSES) {
        if (drafts[at - 1].rank >= fresh.rank)
            return 0;
        at--;
    } else {
        (*count)++;
    }
    for (; at > 0 && drafts[at - 1].rank < fresh.rank; at--)
        drafts[at] = drafts[at - 1];
    drafts[at] = fresh;
    return 0;
}

static bool batching_explains(const struct slw_comparison *c, bool gain)
{
    const struct slw_metric_row *row = slw_comparison_find(c, "requests_per_flush");

    return changed(row) && is_gain(row) == gain;
}

/* Fewer calls are the effect of batching, not another reason. */
static bool told_by_batching(const struct rule *rule, bool batching)
{
    return batching && (strcmp(rule->id, "system-calls") == 0 || strcmp(rule->id, "sends") == 0);
}

static int apply(struct slw_comparison *c, const struct rule *rule, bool gain, struct draft *drafts,
                 size_t *count)
{
    const bool batching = batching_explains(c, gain);

    for (size_t i = 0; i < c->row_count; i++) {
        const struct slw_metric_row *row = &c->rows[i];
        struct slw_buf text = {0};

        if (i == c->main_row || !matches(rule->metric, row->metric) || !changed(row) ||
            is_gain(row) != gain || told_by_batching(rule, batching))
            continue;
        const double share = share_of(c, rule, row);
        put_cause(&text, rule, row, share);
        if (strcmp(rule->id, "batching") == 0)
            put_effect_of_batching(&text, c);
        if (add(c, drafts, count, rule->id, &text, share, rule->rank) < 0)
            return -SLW_E_NOMEM;
    }
    return 0;
}

/* ---- functions ---- */

#define NAMED_FUNCTIONS 2
#define NAME_COLUMNS    48

/* Change of all sampled weight per request; functions are those that changed most. */
static double sampled_change(const struct slw_comparison *c)
{
    double whole = 0;

    for (size_t i = 0; i < c->function_count; i++)
        whole += c->functions[i].b - c->functions[i].a;
    return whole;
}

static const char *file_of(const struct slw_function_change *f)
{
    const char *slash = strrchr(f->module, '/');

    return slash ? slash + 1 : f->module;
}

static int add_sampled(struct slw_comparison *c, struct draft *drafts, size_t *count,
                       const char *id, const char *what, double change)
{
    const double share = change / sampled_change(c);
    struct slw_buf text = {0};

    if (!isfinite(share) || share < SMALLEST || share > 1)
        return 0;
    slw_buf_printf(&text, "B spends %s in ", change < 0 ? "less" : "more");
    slw_text_fit(&text, what, NAME_COLUMNS);
    slw_buf_puts(&text, ", ");
    slw_format_percent(&text, share);
    slw_buf_printf(&text, " of the change in %s%s", slw_simulated_is(c->in.a.run) ? "" : "sampled ",
                   slw_comparison_weight(c));
    return add(c, drafts, count, id, &text, share, -.1);
}

/* Those that allocate together, and the ones that changed most. */
static int add_functions(struct slw_comparison *c, bool gain, struct draft *drafts, size_t *count)
{
    double allocator = 0;
    size_t named = 0;
    int rc = 0;

    for (size_t i = 0; i < c->function_count && rc == 0; i++) {
        const struct slw_function_change *f = &c->functions[i];
        const double change = f->b - f->a;

        if (!f->real || (change < 0) != gain)
            continue;
        if (slw_family_has(SLW_FAMILY_ALLOCATOR, f->function, file_of(f)))
            allocator += change;
        else if (named++ < NAMED_FUNCTIONS)
            rc = add_sampled(c, drafts, count, "function",
                             f->function[0] ? f->function : file_of(f), change);
    }
    if (rc < 0 || allocator == 0)
        return rc;
    return add_sampled(c, drafts, count, "allocation", "memory allocation", allocator);
}

int slw_comparison_causes(struct slw_comparison *c, struct slw_error *err)
{
    const struct slw_metric_row *main = &c->rows[c->main_row];
    struct draft drafts[MAX_CAUSES];
    size_t count = 0;
    int rc = 0;

    if (!slw_metric_row_real(main) || main->kind != SLW_PAIRS_RATIO)
        return 0;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && rc == 0; i++)
        if (rules[i].of & kind_of(main))
            rc = apply(c, &rules[i], is_gain(main), drafts, &count);
    if (rc == 0 && kind_of(main) == OF_CPU)
        rc = add_functions(c, is_gain(main), drafts, &count);
    c->causes = slw_arena_array(c->arena, count + 1, sizeof(c->causes[0]));
    if (rc < 0 || !c->causes)
        return slw_comparison_nomem(err);
    for (size_t i = 0; i < count; i++)
        c->causes[i] = drafts[i].cause;
    c->cause_count = count;
    return 0;
}
