/* SPDX-License-Identifier: MIT */
#include "analyzer/node_interval.h"

#include "record/replicates.h"

#include <math.h>
#include <string.h>

/* ---- counted part of the time ---- */

/* CPU time of the target, the time there was for counting; 0: unknown. */
static double target_ns(const struct slw_report *r)
{
    for (size_t i = 0; i < r->row_count; i++)
        if (strcmp(r->rows[i].name, "task-clock") == 0 && !r->rows[i].total.absent)
            return (double)r->rows[i].events;
    return 0;
}

/* Stretches of time the count is from; 0: unknown. Threads that ran side by side may have done the
 * same: together they are no more than the time that passed. */
static double slices_of(const struct slw_report *r, const struct slw_input_cell *c)
{
    double ns = c->running_ns > 0 ? (double)c->running_ns : c->coverage * target_ns(r);

    if (!r->run->wall_ns.absent && r->run->wall_ns.value > 0)
        ns = fmin(ns, c->coverage * (double)r->run->wall_ns.value);
    return ns > 0 ? fmax(ns / SLW_TURN_NS, 1) : 0;
}

/* Is this the first of the chosen cells that was counted in its stretch of time? */
static bool new_stretch(const struct slw_node_inputs *in, size_t event)
{
    const struct slw_input_cell *c = in->chosen[event];

    for (size_t i = 0; i < event && c->group >= 0; i++) {
        const struct slw_input_cell *other = in->chosen[i];
        if (in->needed[i] && other && !other->absent && other->coverage < 1 &&
            other->group == c->group)
            return false;
    }
    return true;
}

static void set_partial(const struct slw_node_inputs *in, struct slw_report_node *n)
{
    struct slw_partial p = {.value = n->value.value,
                            .low = n->node->low,
                            .high = n->node->high,
                            .coverage = 1,
                            .slices = (double)INFINITY};

    for (size_t i = 0; i < in->report->model->event_count; i++) {
        const struct slw_input_cell *c = in->chosen[i];

        if (!in->needed[i] || !c || c->absent || c->coverage >= 1)
            continue;
        p.coverage = fmin(p.coverage, c->coverage);
        p.slices = fmin(p.slices, slices_of(in->report, c));
        p.sources += new_stretch(in, i);
    }
    if (p.sources == 0 || p.coverage <= 0 || p.slices < 1 || p.low >= p.high || !isfinite(p.high))
        return;
    n->value.interval = slw_interval_of_partial(&p);
}

/* ---- eight bits ---- */

#define FIRST_LEVEL1 0x8000 /* codes of the four parts that make all slots */
#define LAST_LEVEL1  0x8300

static bool is_field(const struct slw_node_inputs *in, size_t event)
{
    return in->needed[event] && in->report->model->events[event].role == SLW_EVENT_PERF_METRIC &&
           !in->inputs[event].absent;
}

static double slots_of(const struct slw_node_inputs *in)
{
    double sum = 0;

    for (size_t i = 0; i < in->report->model->event_count; i++) {
        const uint64_t code = in->report->model->events[i].config;
        if (is_field(in, i) && code >= FIRST_LEVEL1 && code <= LAST_LEVEL1)
            sum += in->inputs[i].value;
    }
    return sum;
}

/* How much the node moves when one field does. */
static double moved(const struct slw_node_inputs *in, size_t index, size_t event, double step,
                    double value)
{
    const struct slw_model_vars vars = {.smt_on = in->report->run->host.cpu.smt == 1};
    const double counted = in->inputs[event].value;
    double most = 0;

    for (int side = -1; side <= 1; side += 2) {
        in->inputs[event].value = fmax(counted + side * step, 0);
        slw_model_evaluate(in->report->model, in->inputs, &vars, in->scratch);
        if (in->scratch[index].have && isfinite(in->scratch[index].value))
            most = fmax(most, fabs(in->scratch[index].value - value));
    }
    in->inputs[event].value = counted;
    return most;
}

/* The fields may all be off in the worst direction: what each of them does is added. */
static double quantum_of(const struct slw_node_inputs *in, size_t index, double value)
{
    const double step = slots_of(in) * SLW_METRIC_STEP;
    double sum = 0;

    for (size_t i = 0; i < in->report->model->event_count && step > 0; i++)
        if (is_field(in, i))
            sum += moved(in, index, i, step, value);
    return sum;
}

/* ---- a sample of the instructions ---- */

/* How many replicates all counts of the formula have that have any; 0: none, or they do not fit. */
static size_t replicate_count(const struct slw_node_inputs *in)
{
    const struct slw_report *r = in->report;
    size_t count = 0;

    for (size_t i = 0; i < r->model->event_count; i++) {
        const struct slw_input_cell *cell = in->needed[i] ? in->chosen[i] : NULL;
        const size_t own = cell ? r->run->counts[cell->count_index].replicate_count : 0;

        if (own == 0)
            continue;
        if (!cell->whole || cell->absent || (count > 0 && own != count))
            return 0;
        count = own;
    }
    return count;
}

/* The inputs as they would be without one subsample: all of a formula are without the same one. */
static void use_replicate(const struct slw_node_inputs *in, size_t replicate)
{
    for (size_t i = 0; i < in->report->model->event_count; i++) {
        const struct slw_input_cell *cell = in->needed[i] ? in->chosen[i] : NULL;

        if (!cell || in->inputs[i].absent)
            continue;
        const struct slw_count *c = &in->report->run->counts[cell->count_index];

        in->inputs[i].value =
            c->replicate_count > 0 ? (double)c->replicates[replicate] : (double)cell->events;
    }
}

static double sample_half_of(const struct slw_node_inputs *in, size_t index, double value)
{
    const struct slw_model_vars vars = slw_inputs_vars(in->report->run);
    const size_t count = replicate_count(in);
    double squares = 0;

    if (count < 2)
        return 0;
    for (size_t k = 0; k < count; k++) {
        use_replicate(in, k);
        slw_model_evaluate(in->report->model, in->inputs, &vars, in->scratch);
        const double apart = in->scratch[index].have ? in->scratch[index].value - value : 0;

        squares += isfinite(apart) ? apart * apart : 0;
    }
    for (size_t i = 0; i < in->report->model->event_count; i++)
        if (in->needed[i] && in->chosen[i] && !in->inputs[i].absent)
            in->inputs[i].value = (double)in->chosen[i]->events;
    return slw_student_t(count - 1) * slw_replicates_error(squares, count);
}

void slw_node_interval(const struct slw_node_inputs *in, size_t index, struct slw_report_node *n)
{
    if (n->value.absent || n->mismeasured)
        return;
    set_partial(in, n);
    n->quantum = quantum_of(in, index, n->value.value);
    if (n->quantum > 0)
        slw_interval_widen(&n->value.interval, n->value.value, n->quantum, SLW_INTERVAL_BITS);
    n->sample_half = sample_half_of(in, index, n->value.value);
    if (n->sample_half > 0)
        slw_interval_widen(&n->value.interval, n->value.value, n->sample_half, SLW_INTERVAL_SAMPLE);
    if (n->value.interval.have)
        slw_interval_clip(&n->value.interval, n->value.value, n->node->low, n->node->high);
}
