/* SPDX-License-Identifier: MIT */
#include "collector/taps/socket/flows_int.h"

#include <string.h>

static uint32_t *bucket_of(struct slw_flows *f, uint64_t inode)
{
    return &f->buckets[(inode * UINT64_C(0x9e3779b97f4a7c15)) >> 51]; /* 13 bits */
}
_Static_assert(BUCKETS == 1 << 13, "bits of a hash");

struct flow *slw_flow_find(struct slw_flows *f, uint64_t inode)
{
    for (uint32_t i = *bucket_of(f, inode); i != 0; i = f->flows[i - 1].next)
        if (f->flows[i - 1].inode == inode)
            return &f->flows[i - 1];
    return NULL;
}

void slw_flow_take_out(struct slw_flows *f, struct flow *flow)
{
    uint32_t *at = bucket_of(f, flow->inode), index = (uint32_t)(flow - f->flows) + 1;

    while (*at != index)
        at = &f->flows[*at - 1].next;
    *at = flow->next;
    flow->used = false;
    flow->next = f->free;
    f->free = index;
}

struct flow *slw_flow_take(struct slw_flows *f, uint64_t inode, uint32_t pid)
{
    struct flow *flow;

    if (f->free != 0) {
        flow = &f->flows[f->free - 1];
        f->free = flow->next;
    } else if (f->touched < SLW_MAX_FLOWS) {
        flow = &f->flows[f->touched++];
    } else {
        return NULL;
    }
    memset(flow, 0, offsetof(struct flow, conn));
    flow->used = true;
    flow->inode = inode;
    flow->pid = pid;
    flow->next = *bucket_of(f, inode);
    *bucket_of(f, inode) = (uint32_t)(flow - f->flows) + 1;
    return flow;
}
