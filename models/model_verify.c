/* SPDX-License-Identifier: MIT */
/* The self-checks of a model: the formulas must give what the recording gave. */
#include "models/model_int.h"

#include <math.h>

static void check_inputs(const struct slw_model *m, const struct slw_model_check *c,
                         struct slw_model_input *inputs)
{
    for (size_t i = 0; i < m->event_count; i++)
        inputs[i] = (struct slw_model_input){.absent = ""};
    for (size_t i = 0; i < c->input_count; i++)
        inputs[slw_model_find_event(m, c->input_names[i])] =
            (struct slw_model_input){.value = c->input_values[i]};
}

static int check_value(struct slw_loader *l, const struct slw_json *at,
                       const struct slw_model_check *c, size_t i, const struct slw_model_value *v)
{
    if (!v->have)
        return slw_json_fail_key(l->doc, at, SLW_E_FORMAT,
                                 "check fails: %s has no value (%s), expected %.6g",
                                 c->expect_names[i], v->missing, c->expect_values[i]);
    if (v->mismeasured || fabs(v->value - c->expect_values[i]) > c->expect_tolerances[i])
        return slw_json_fail_key(
            l->doc, at, SLW_E_FORMAT, "check fails: %s is %.9g%s, expected %.9g within %.3g",
            c->expect_names[i], v->value, v->mismeasured ? " (mismeasured)" : "",
            c->expect_values[i], c->expect_tolerances[i]);
    return 0;
}

static int verify(struct slw_loader *l, const struct slw_json *at, const struct slw_model_check *c)
{
    struct slw_model_input inputs[SLW_MODEL_MAX_EVENTS];
    struct slw_model_value values[SLW_MODEL_MAX_NODES];
    const struct slw_model_vars vars = {.smt_on = c->smt_on, .single_task = c->single_task};
    const struct slw_json expect = slw_json_member(at, "expect");
    int rc = 0;

    check_inputs(l->model, c, inputs);
    slw_model_evaluate(l->model, inputs, &vars, values);
    for (size_t i = 0; rc >= 0 && i < c->expect_count; i++) {
        const struct slw_json member = slw_json_member(&expect, c->expect_names[i]);
        const int node = slw_model_find_node(l->model, c->expect_names[i]);

        rc = check_value(l, &member, c, i, &values[node]);
    }
    return rc;
}

int slw_verify_checks(struct slw_loader *l, const struct slw_json *at)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < l->model->check_count; i++) {
        const struct slw_json e = slw_json_element(at, i);
        rc = verify(l, &e, &l->model->checks[i]);
    }
    return rc;
}
