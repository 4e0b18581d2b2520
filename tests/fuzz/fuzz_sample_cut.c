/* SPDX-License-Identifier: MIT */
/* Any bytes as a sample: a cut lies within the record and leaves less of it. The first three bytes
 * choose what the event asks for. */
#include "collector/call_graph.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_BYTES 65528

static void check(int ok)
{
    if (!ok)
        abort();
}

static struct perf_event_attr attr_of(const uint8_t *choice)
{
    const bool group = choice[0] & 2;
    struct perf_event_attr attr = {.sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP |
                                                  PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
                                                  PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD};

    slw_call_graph_ask((enum slw_call_graph)(choice[1] % (SLW_CALL_GRAPH_LBR + 1)), 4096, &attr);
    if (choice[0] & 1)
        attr.sample_type |= PERF_SAMPLE_READ;
    attr.read_format = (group ? PERF_FORMAT_GROUP : 0U) | (choice[2] & 0x7);
    return attr;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct perf_event_header header = {.type = PERF_RECORD_SAMPLE};
    struct slw_sample_cut cut;

    if (size < 3 || size > MAX_BYTES - sizeof(header))
        return 0;
    const struct perf_event_attr attr = attr_of(data);
    header.size = (uint16_t)(sizeof(header) + size - 3);
    struct perf_event_header *record = malloc(header.size); /* so that a byte too far is seen */
    if (!record)
        return 0;
    *record = header;
    memcpy(record + 1, data + 3, size - 3);
    if (slw_sample_cut(&attr, record, &cut)) {
        check(cut.stack_size_at + sizeof(uint64_t) <= cut.kept_bytes);
        check(cut.kept_bytes < header.size && cut.kept_bytes % 8 == 0);
        check(cut.filled <= cut.kept_bytes);
    }
    check(slw_sample_period_at(&attr) == 48);
    free(record);
    return 0;
}
