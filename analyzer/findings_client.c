/* SPDX-License-Identifier: MIT */
/* Rules about what the client's CPU time goes to: families of code, faults, switches. */
#include "analyzer/facts.h"
#include "analyzer/findings_int.h"
#include "analyzer/format.h"
#include "analyzer/side.h"
#include "analyzer/verdict.h"

#define STARTUP_SHARE      0.30
#define MIN_WALL_NS        UINT64_C(100000000) /* shorter runs are mostly process start */
#define SWITCHES_PER_CPU_S 5000.0 /* a sleep every 200 us of work; a request costs 10 to 100 us */
#define MAJOR_FAULTS       100
#define MAJOR_FAULTS_PER_S 50.0 /* per CPU second: at 100 us each 0.5 % of the time, and waits */

bool slw_find_mostly_waiting(const struct slw_report *r, struct slw_evidence *e)
{
    const struct slw_facts *f = r->facts;
    enum slw_target_kind kind = r->run->command.kind;
    struct slw_buf *out = e->out;
    double cpus;

    if ((kind != SLW_TARGET_COMMAND && kind != SLW_TARGET_PID) || !slw_facts_busy(f, &cpus) ||
        cpus >= SLW_WAITING_BELOW_CPUS || f->wall_ns.value < MIN_WALL_NS)
        return false;
    if (r->side->kind == SLW_SIDE_SERVER)
        return false; /* waits-for-server says for what */
    e->weight = 1 - cpus;
    e->of_wall = true;
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

bool slw_find_switches_often(const struct slw_report *r, struct slw_evidence *e)
{
    struct slw_buf *out = e->out;
    const struct slw_facts *f = r->facts;
    double per_s;

    if (!rate(f, &f->context_switches, &per_s) || per_s < SWITCHES_PER_CPU_S)
        return false;
    slw_evidence_count(out, f->context_switches.value, "context switch", "context switches");
    slw_buf_puts(out, " in ");
    slw_format_ns(out, f->cpu_ns.value);
    slw_buf_puts(out, " of CPU time: one every ");
    slw_format_ns(out, f->cpu_ns.value / f->context_switches.value);
    return true;
}

bool slw_find_durable_commits(const struct slw_report *r, struct slw_evidence *e)
{
    return slw_evidence_family(r, SLW_FAMILY_COMMIT, SLW_HEAVY_SHARE,
                               "is below fsync, fdatasync or their like", e);
}

bool slw_find_socket_calls(const struct slw_report *r, struct slw_evidence *e)
{
    return slw_evidence_family(r, SLW_FAMILY_SOCKET, 3 * SLW_HEAVY_SHARE,
                               "is below socket sends and receives", e);
}

bool slw_find_polling(const struct slw_report *r, struct slw_evidence *e)
{
    return slw_evidence_family(r, SLW_FAMILY_POLL, SLW_HEAVY_SHARE,
                               "is below poll, select or epoll_wait", e);
}

bool slw_find_lock_contention(const struct slw_report *r, struct slw_evidence *e)
{
    return slw_evidence_family(r, SLW_FAMILY_LOCK, SLW_HEAVY_SHARE, "is below futex calls", e);
}

bool slw_find_major_faults(const struct slw_report *r, struct slw_evidence *e)
{
    struct slw_buf *out = e->out;
    const struct slw_facts *f = r->facts;
    double per_s;

    if (!rate(f, &f->major_faults, &per_s) || f->major_faults.value < MAJOR_FAULTS ||
        per_s < MAJOR_FAULTS_PER_S)
        return false;
    slw_evidence_count(out, f->major_faults.value, "major fault", "major faults");
    slw_buf_puts(out, " in ");
    slw_format_ns(out, f->cpu_ns.value);
    slw_buf_puts(out, " of CPU time");
    return true;
}

bool slw_find_allocator_heavy(const struct slw_report *r, struct slw_evidence *e)
{
    return slw_evidence_family(r, SLW_FAMILY_ALLOCATOR, SLW_HEAVY_SHARE,
                               "is in malloc, free and their helpers", e);
}

bool slw_find_copy_heavy(const struct slw_report *r, struct slw_evidence *e)
{
    return slw_evidence_family(r, SLW_FAMILY_COPY, SLW_HEAVY_SHARE, "is in memcpy and its like", e);
}

bool slw_find_crypto_heavy(const struct slw_report *r, struct slw_evidence *e)
{
    return slw_evidence_family(r, SLW_FAMILY_CRYPTO, SLW_HEAVY_SHARE,
                               "is in cryptographic libraries", e);
}

bool slw_find_startup_heavy(const struct slw_report *r, struct slw_evidence *e)
{
    return slw_evidence_family(r, SLW_FAMILY_LOADER, STARTUP_SHARE,
                               "is below execve and the dynamic loader", e);
}

bool slw_find_serialization_hot(const struct slw_report *r, struct slw_evidence *e)
{
    return slw_evidence_family(r, SLW_FAMILY_SERIALIZATION, SLW_HEAVY_SHARE,
                               "is in encoding and decoding (JSON, protobuf, base64, UTF-8 ...)",
                               e);
}

bool slw_find_compression_hot(const struct slw_report *r, struct slw_evidence *e)
{
    return slw_evidence_family(r, SLW_FAMILY_COMPRESSION, SLW_HEAVY_SHARE,
                               "is in compression libraries", e);
}
