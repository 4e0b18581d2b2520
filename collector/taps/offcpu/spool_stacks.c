/* SPDX-License-Identifier: MIT */
#include "collector/taps/offcpu/spool_stacks.h"

#include "collector/spool.h"
#include "record/stacks.h"

#include <string.h>
#include <time.h>

#define EVENT_ID UINT64_C(0x756370666666) /* the kernel counts its own up from 1 */

static const struct perf_event_attr attr = {
    .type = PERF_TYPE_SOFTWARE,
    .size = sizeof(attr),
    .config = PERF_COUNT_SW_BPF_OUTPUT,
    .sample_period = 1,
    .sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
                   PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN,
    .sample_id_all = 1,
    .use_clockid = 1,
    .clockid = CLOCK_MONOTONIC,
};
static const uint64_t event_id = EVENT_ID;
static const struct slw_spool_event event = {
    .attr = &attr, .name = SLW_EVENT_OFFCPU, .ids = &event_id, .id_count = 1};

const struct slw_spool_event *slw_off_spool_event(void)
{
    return &event;
}

/* PERF_RECORD_SAMPLE with the sample_type above. Source: perf_event_open(2). */
struct sample {
    struct perf_event_header header;
    uint64_t id, ip;
    uint32_t pid, tid;
    uint64_t time_ns;
    uint32_t cpu, reserved;
    uint64_t period;
    uint64_t ip_count;
    uint64_t ips[2 * (1 + SLW_OFF_STACK_DEPTH)]; /* each part after its context mark */
};

static void add_part(struct sample *s, uint64_t context, const uint64_t *ips)
{
    if (ips[0] == 0)
        return;
    s->ips[s->ip_count++] = context;
    for (int i = 0; i < SLW_OFF_STACK_DEPTH && ips[i] != 0; i++)
        s->ips[s->ip_count++] = ips[i];
}

int slw_off_spool_stack(struct slw_spool *spool, const struct slw_off_stack_key *key,
                        const struct slw_off_stack_sum *sum, const uint64_t *kernel_ips,
                        const uint64_t *user_ips)
{
    struct sample s = {.header = {.type = PERF_RECORD_SAMPLE, .misc = PERF_RECORD_MISC_USER},
                       .id = EVENT_ID,
                       .ip = kernel_ips[0] ? kernel_ips[0] : user_ips[0],
                       .pid = key->pid,
                       .tid = key->tid,
                       .time_ns = sum->last_ns,
                       .period = sum->ns};
    uint64_t written;

    if (kernel_ips[0])
        s.header.misc = PERF_RECORD_MISC_KERNEL;
    add_part(&s, (uint64_t)PERF_CONTEXT_KERNEL, kernel_ips);
    add_part(&s, (uint64_t)PERF_CONTEXT_USER, user_ips);
    s.header.size = (uint16_t)(offsetof(struct sample, ips) + s.ip_count * sizeof(s.ips[0]));
    struct iovec part = {.iov_base = &s, .iov_len = s.header.size};
    int rc = slw_spool_write(spool, &part, 1, &written);
    if (rc < 0 && !slw_spool_full(spool))
        slw_spool_cut(spool, written);
    return rc;
}
