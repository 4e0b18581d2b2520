/* SPDX-License-Identifier: MIT */
/* What a page says of a run beyond its JSON report. */
#include "analyzer/page/page_int.h"
#include "analyzer/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>

static json_t *known(int value, int unknown)
{
    return value == unknown ? json_null() : json_integer(value);
}

static json_t *cpu_json(struct slw_json *j, const struct slw_cpu *cpu)
{
    json_t *o = json_object();

    slw_json_put_text(j, o, "arch", cpu->arch);
    slw_json_put_text(j, o, "vendor", cpu->vendor);
    slw_json_put_text(j, o, "name", cpu->name);
    slw_json_put(j, o, "family", known(cpu->family, -1));
    slw_json_put(j, o, "model", known(cpu->model, -1));
    slw_json_put(j, o, "stepping", known(cpu->stepping, -1));
    slw_json_put_text(j, o, "microcode", cpu->microcode);
    slw_json_put(j, o, "online",
                 cpu->online_count > 0 ? json_integer(cpu->online_count) : json_null());
    slw_json_put(j, o, "smt", cpu->smt < 0 ? json_null() : json_boolean(cpu->smt));
    return o;
}

static json_t *host_json(struct slw_json *j, const struct slw_host *h)
{
    json_t *o = json_object();

    slw_json_put_text(j, o, "hostname", h->hostname);
    slw_json_put_text(j, o, "os", h->os);
    slw_json_put_text(j, o, "kernel", h->kernel);
    slw_json_put_text(j, o, "hypervisor", h->hypervisor);
    slw_json_put_text(j, o, "governor", h->governor);
    slw_json_put(j, o, "perf_event_paranoid", known(h->perf_event_paranoid, INT_MIN));
    slw_json_put(j, o, "cpu", cpu_json(j, &h->cpu));
    return o;
}

/* [low, high, count] in ns; the highest bucket holds all above it. */
static json_t *latencies_json(struct slw_json *j, const struct slw_run *run, enum slw_latency_of of)
{
    json_t *array = json_array();

    for (size_t i = 0; i < run->latency_count; i++) {
        const struct slw_latency *l = &run->latencies[i];
        json_t *bucket = l->of == of ? json_array() : NULL;

        if (l->of != of)
            continue;
        slw_json_push(j, bucket, slw_json_integer(l->low_ns));
        slw_json_push(j, bucket, slw_json_integer(l->high_ns));
        slw_json_push(j, bucket, slw_json_integer(l->count));
        slw_json_push(j, array, bucket);
    }
    return array;
}

/* The requests during which samples were taken: of a run of rounds those of all that were sampled.
 * NULL in *ret_absent when known. */
static uint64_t sampled_requests(const struct slw_run *run, const char **ret_absent)
{
    uint64_t sum = 0;
    size_t sampled = 0;

    *ret_absent = run->requests.absent;
    if (run->round_count == 0)
        return run->requests.value;
    for (size_t i = 0; i < run->round_count; i++) {
        const struct slw_round *r = &run->rounds[i];

        if (!r->sampled)
            continue;
        sampled++;
        *ret_absent = r->requests.absent;
        if (r->requests.absent || __builtin_add_overflow(sum, r->requests.value, &sum))
            break;
    }
    if (sampled == 0)
        *ret_absent = "no round was sampled";
    return sum;
}

json_t *slw_page_run_json(struct slw_json *j, const struct slw_report *report)
{
    const struct slw_run *run = report->run;
    struct slw_maybe_u64 requests = {0};
    json_t *o = json_object(), *latencies = json_object();

    requests.value = sampled_requests(run, &requests.absent);
    if (!requests.absent && requests.value == 0)
        requests.absent = "there were no requests";
    slw_json_put(j, o, "started_realtime_ns",
                 run->started_realtime_ns ? slw_json_integer(run->started_realtime_ns)
                                          : json_null());
    slw_json_put(j, o, "host", host_json(j, &run->host));
    slw_json_put(j, latencies, "request", latencies_json(j, run, SLW_LATENCY_REQUEST));
    slw_json_put(j, latencies, "batch", latencies_json(j, run, SLW_LATENCY_BATCH));
    slw_json_put(j, o, "latencies", latencies);
    slw_json_put_maybe(j, o, "sampled_requests", &requests);
    return o;
}
