/* SPDX-License-Identifier: MIT */
/* Records in, sums out. */
#include "collector/taps/offcpu/switches.h"

#include <linux/perf_event.h>
#include <string.h>

/* The sample_id of our attr: PERF_SAMPLE_TID | PERF_SAMPLE_TIME, at the end of each record. */
struct sample_id {
    uint32_t pid, tid;
    uint64_t time_ns;
};

struct task_record { /* PERF_RECORD_FORK and EXIT */
    struct perf_event_header header;
    uint32_t pid, parent_pid, tid, parent_tid;
    uint64_t time_ns;
};

struct comm_record { /* and the sample_id */
    struct perf_event_header header;
    uint32_t pid, tid;
    char comm[];
};

static struct slw_off_switched *find(struct slw_off_switch_table *t, uint32_t pid, uint32_t tid)
{
    for (uint32_t i = 0; i < SLW_OFF_MAX_SWITCHED; i++) {
        struct slw_off_switched *s = &t->threads[(tid + i) % SLW_OFF_MAX_SWITCHED];

        if (s->known && s->tid == (int32_t)tid)
            return s;
        if (s->known)
            continue;
        *s = (struct slw_off_switched){.known = true, .pid = (int32_t)pid, .tid = (int32_t)tid};
        return s;
    }
    t->lost_threads++;
    return NULL;
}

static void take_switch(struct slw_off_switch_table *t, const struct sample_id *id, uint16_t misc)
{
    struct slw_off_switched *s = find(t, id->pid, id->tid);
    bool in = (misc & PERF_RECORD_MISC_SWITCH_OUT) == 0;

    if (!s || id->time_ns < t->start_ns || (s->ended && id->time_ns >= s->ended_ns))
        return;
    if (s->ins + s->outs == 0 || id->time_ns < s->first_ns) {
        s->first_ns = id->time_ns;
        s->first_in = in;
    }
    if (id->time_ns >= s->last_ns) {
        s->last_ns = id->time_ns;
        s->last_in = in;
    }
    *(in ? &s->in_sum_ns : &s->out_sum_ns) += id->time_ns - t->start_ns;
    s->ins += in;
    s->outs += !in;
    s->preempted += (misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT) != 0;
}

static void take_task(struct slw_off_switch_table *t, const struct task_record *r)
{
    struct slw_off_switched *s = find(t, r->pid, r->tid);

    if (!s)
        return;
    if (r->header.type == PERF_RECORD_FORK) {
        const struct slw_off_switched *parent = find(t, r->parent_pid, r->parent_tid);

        s->forked = true;
        s->born_ns = r->time_ns;
        if (parent)
            memcpy(s->comm, parent->comm, sizeof(s->comm));
    } else {
        s->ended = true;
        s->ended_ns = r->time_ns;
    }
}

/* A command is followed from its exec, which no FORK tells. */
static void take_comm(struct slw_off_switch_table *t, const struct comm_record *r,
                      const struct sample_id *id)
{
    struct slw_off_switched *s = find(t, r->pid, r->tid);
    size_t room = r->header.size - sizeof(*r) - sizeof(*id);

    if (!s)
        return;
    memset(s->comm, 0, sizeof(s->comm));
    memcpy(s->comm, r->comm, room < sizeof(s->comm) ? room : sizeof(s->comm) - 1);
    s->comm[sizeof(s->comm) - 1] = '\0';
    if ((r->header.misc & PERF_RECORD_MISC_COMM_EXEC) && !s->forked) {
        s->forked = true;
        s->born_ns = id->time_ns;
    }
}

void slw_off_switch_record(struct slw_off_switch_table *t, const struct perf_event_header *record)
{
    const char *bytes = (const char *)record;
    struct sample_id id;
    struct task_record task;

    if (record->size < sizeof(*record) + sizeof(id))
        return;
    memcpy(&id, bytes + record->size - sizeof(id), sizeof(id));
    if (record->type == PERF_RECORD_SWITCH) {
        take_switch(t, &id, record->misc);
    } else if (record->type == PERF_RECORD_LOST) {
        t->lost_records++;
    } else if ((record->type == PERF_RECORD_FORK || record->type == PERF_RECORD_EXIT) &&
               record->size >= sizeof(task)) {
        memcpy(&task, bytes, sizeof(task));
        take_task(t, &task);
    } else if (record->type == PERF_RECORD_COMM &&
               record->size > sizeof(struct comm_record) + sizeof(id)) {
        take_comm(t, (const struct comm_record *)record, &id);
    }
}

bool slw_off_switch_sum(const struct slw_off_switch_table *t, const struct slw_off_switched *s,
                        uint64_t end_ns, struct slw_waiting *ret_waiting)
{
    uint64_t start = s->forked && s->born_ns > t->start_ns ? s->born_ns - t->start_ns : 0;
    uint64_t end = (s->ended && s->ended_ns < end_ns ? s->ended_ns : end_ns) - t->start_ns;
    bool none = s->ins + s->outs == 0;
    bool began_on = !none && !s->first_in, ends_on = !none && s->last_in;
    /* Without a switch, only one that was seen to begin by exec is known to have run. */
    uint64_t on =
        none ? 0 : s->out_sum_ns + (ends_on ? end : 0) - s->in_sum_ns - (began_on ? start : 0);

    if (end < start || s->ins + began_on != s->outs + ends_on || on > end - start || none)
        return false;
    *ret_waiting = (struct slw_waiting){
        .pid = s->pid,
        .tid = s->tid,
        .comm = s->comm[0] ? s->comm : NULL,
        .from = {.source = SLW_SOURCE_SOFTWARE, .detail = "context-switch records"},
        .wall_ns = end - start,
        .syscalls = {.absent = "not counted without BPF"},
        .thread_count = 1};
    ret_waiting->ns[SLW_WAIT_ON_CPU] = on;
    ret_waiting->ns[SLW_WAIT_UNSPLIT] = end - start - on;
    ret_waiting->waits[SLW_WAIT_UNSPLIT] = s->outs - s->preempted;
    ret_waiting->waits[SLW_WAIT_RUNNABLE] = s->preempted;
    return true;
}
