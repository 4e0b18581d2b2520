/* SPDX-License-Identifier: MIT */
#include "analyzer/findings.h"

#include "analyzer/facts.h"
#include "analyzer/format.h"
#include "analyzer/verdict.h"
#include "base/arena.h"

#include <assert.h>
#include <string.h>

/* A rule writes its evidence and returns true, or stays silent and returns false. */
typedef bool (*evidence)(const struct slw_report *r, struct slw_buf *out);

#define UNCERTAIN_HALF_WIDTH                                                                       \
    0.03                        /* of the hottest function: wider than 3 points is worth saying    \
                                 */
#define LOST_SHARE         0.01 /* bias no larger than this is below the interval anyway */
#define STACKLESS_SHARE    0.20
#define UNSYMBOLIZED_SHARE 0.20
#define HEAVY_SHARE        0.10 /* a family below a tenth is not where to start */
#define STARTUP_SHARE      0.30
#define MIN_WALL_NS        UINT64_C(100000000) /* shorter runs are mostly process start */
#define SWITCHES_PER_CPU_S 5000.0 /* a sleep every 200 us of work; a request costs 10 to 100 us */
#define MAJOR_FAULTS       100
#define MAJOR_FAULTS_PER_S 50.0 /* per CPU second: at 100 us each 0.5 % of the time, and waits */

static void put_n(struct slw_buf *out, uint64_t n, const char *one, const char *many)
{
    slw_format_integer(out, n);
    slw_buf_printf(out, " %s", n == 1 ? one : many);
}

/* ---- the measurement ---- */

static bool few_samples(const struct slw_report *r, struct slw_buf *out)
{
    if (r->function_count == 0 || !r->functions[0].self_share.have_interval)
        return false;
    const struct slw_share *s = &r->functions[0].self_share;
    if (s->high - s->low <= 2 * UNCERTAIN_HALF_WIDTH)
        return false;
    put_n(out, r->samples, "sample", "samples");
    slw_buf_puts(out, "; the hottest function's share is ");
    slw_format_share(out, s);
    slw_buf_puts(out, " at 95 % confidence");
    return true;
}

static bool lost_samples(const struct slw_report *r, struct slw_buf *out)
{
    uint64_t lost = r->run->losses.lost_samples, records = r->run->losses.lost_records;
    uint64_t all = r->facts->expected_samples;

    if (lost == 0 && records == 0)
        return false;
    if (records == 0 && (double)lost < LOST_SHARE * (double)all)
        return false;
    if (lost > 0) {
        put_n(out, lost, "sample", "samples");
        slw_buf_puts(out, " lost of ");
        slw_format_integer(out, all);
    }
    if (records > 0) {
        slw_buf_puts(out, lost > 0 ? "; " : "");
        put_n(out, records, "record", "records");
        slw_buf_puts(out, " dropped because a ring was full");
    }
    return true;
}

static bool throttled(const struct slw_report *r, struct slw_buf *out)
{
    if (r->run->losses.throttled == 0)
        return false;
    slw_buf_puts(out, "sampling stood still ");
    put_n(out, r->run->losses.throttled, "time", "times");
    return true;
}

static bool no_user_stacks(const struct slw_report *r, struct slw_buf *out)
{
    uint64_t without = r->run->losses.no_user_stack;

    if (r->samples == 0 || (double)without < STACKLESS_SHARE * (double)r->samples)
        return false;
    if (r->sampling && r->sampling->call_graph && strcmp(r->sampling->call_graph, "none") == 0)
        return false; /* nobody asked for stacks */
    put_n(out, without, "sample", "samples");
    slw_buf_puts(out, " of ");
    slw_format_integer(out, r->samples);
    slw_buf_puts(out, " have at most one user frame");
    return true;
}

static bool heavy(const struct slw_report *r, const struct slw_share *s, double least,
                  const char *what, struct slw_buf *out)
{
    /* The interval's lower end must say so too, or a handful of samples would give advice. */
    if (!s->have || s->value < least || s->low < least / 2)
        return false;
    slw_format_share(out, s);
    slw_buf_printf(out, " of the %s %s", slw_verdict_whole(r), what);
    return true;
}

static bool no_symbols(const struct slw_report *r, struct slw_buf *out)
{
    return heavy(r, &r->facts->unsymbolized, UNSYMBOLIZED_SHARE, "has no function name", out);
}

/* ---- the client ---- */

static bool mostly_waiting(const struct slw_report *r, struct slw_buf *out)
{
    const struct slw_facts *f = r->facts;
    enum slw_target_kind kind = r->run->command.kind;
    double cpus;

    if ((kind != SLW_TARGET_COMMAND && kind != SLW_TARGET_PID) || !slw_facts_busy(f, &cpus) ||
        cpus >= SLW_WAITING_BELOW_CPUS || f->wall_ns.value < MIN_WALL_NS)
        return false;
    slw_format_ns(out, f->cpu_ns.value);
    slw_buf_puts(out, " of CPU time in ");
    slw_format_ns(out, f->wall_ns.value);
    slw_buf_printf(out, ": %.2f CPUs busy", cpus);
    return true;
}

/* events per second of CPU time; false when unknown or when there is too little CPU time. */
static bool rate(const struct slw_facts *f, const struct slw_maybe_u64 *events, double *ret)
{
    if (events->absent || f->cpu_ns.absent || f->cpu_ns.value < 1000000)
        return false;
    *ret = (double)events->value / ((double)f->cpu_ns.value / 1e9);
    return true;
}

static bool switches_often(const struct slw_report *r, struct slw_buf *out)
{
    const struct slw_facts *f = r->facts;
    double per_s;

    if (!rate(f, &f->context_switches, &per_s) || per_s < SWITCHES_PER_CPU_S)
        return false;
    put_n(out, f->context_switches.value, "context switch", "context switches");
    slw_buf_puts(out, " in ");
    slw_format_ns(out, f->cpu_ns.value);
    slw_buf_puts(out, " of CPU time: one every ");
    slw_format_ns(out, f->cpu_ns.value / f->context_switches.value);
    return true;
}

static bool family(const struct slw_report *r, enum slw_family which, double least,
                   const char *what, struct slw_buf *out)
{
    return heavy(r, &r->facts->family[which], least, what, out);
}

static bool durable_commits(const struct slw_report *r, struct slw_buf *out)
{
    return family(r, SLW_FAMILY_COMMIT, HEAVY_SHARE, "is below fsync, fdatasync or their like",
                  out);
}

static bool socket_calls(const struct slw_report *r, struct slw_buf *out)
{
    return family(r, SLW_FAMILY_SOCKET, 3 * HEAVY_SHARE, "is below socket sends and receives", out);
}

static bool polling(const struct slw_report *r, struct slw_buf *out)
{
    return family(r, SLW_FAMILY_POLL, HEAVY_SHARE, "is below poll, select or epoll_wait", out);
}

static bool lock_contention(const struct slw_report *r, struct slw_buf *out)
{
    return family(r, SLW_FAMILY_LOCK, HEAVY_SHARE, "is below futex calls", out);
}

static bool major_faults(const struct slw_report *r, struct slw_buf *out)
{
    const struct slw_facts *f = r->facts;
    double per_s;

    if (!rate(f, &f->major_faults, &per_s) || f->major_faults.value < MAJOR_FAULTS ||
        per_s < MAJOR_FAULTS_PER_S)
        return false;
    put_n(out, f->major_faults.value, "major fault", "major faults");
    slw_buf_puts(out, " in ");
    slw_format_ns(out, f->cpu_ns.value);
    slw_buf_puts(out, " of CPU time");
    return true;
}

static bool allocator_heavy(const struct slw_report *r, struct slw_buf *out)
{
    return family(r, SLW_FAMILY_ALLOCATOR, HEAVY_SHARE, "is in malloc, free and their helpers",
                  out);
}

static bool copy_heavy(const struct slw_report *r, struct slw_buf *out)
{
    return family(r, SLW_FAMILY_COPY, HEAVY_SHARE, "is in memcpy and its like", out);
}

static bool crypto_heavy(const struct slw_report *r, struct slw_buf *out)
{
    return family(r, SLW_FAMILY_CRYPTO, HEAVY_SHARE, "is in cryptographic libraries", out);
}

static bool startup_heavy(const struct slw_report *r, struct slw_buf *out)
{
    return family(r, SLW_FAMILY_LOADER, STARTUP_SHARE, "is below execve and the dynamic loader",
                  out);
}

/* ---- the table ---- */

struct rule {
    const char *id;
    evidence evidence;
    const char *title, *advice;
};

/* clang-format off */
static const struct rule rules[] = {
#define SLW_FINDING(id, evidence, title, advice) {id, evidence, title, advice},
#include "analyzer/findings.def"
#undef SLW_FINDING
};
/* clang-format on */
#define RULE_COUNT (sizeof(rules) / sizeof(rules[0]))

static int apply(struct slw_report *r, const struct rule *rule)
{
    struct slw_buf out = {0};
    bool fired = rule->evidence(r, &out);
    bool failed = slw_buf_failed(&out);

    if (fired && !failed) {
        const char *text = slw_arena_strdup(r->arena, out.data);
        failed = text == NULL;
        if (text)
            r->findings[r->finding_count++] = (struct slw_finding){
                .id = rule->id, .title = rule->title, .evidence = text, .advice = rule->advice};
    }
    slw_buf_release(&out);
    return failed ? -SLW_E_NOMEM : 0;
}

int slw_findings_fill(struct slw_report *r, struct slw_error *err)
{
    assert(r->facts);
    r->findings = slw_arena_array(r->arena, RULE_COUNT, sizeof(*r->findings));
    if (!r->findings)
        return slw_fail(err, SLW_E_NOMEM, "no memory for findings");
    for (size_t i = 0; i < RULE_COUNT; i++)
        if (apply(r, &rules[i]) < 0)
            return slw_fail(err, SLW_E_NOMEM, "no memory for findings");
    return 0;
}
