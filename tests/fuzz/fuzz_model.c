/* SPDX-License-Identifier: MIT */
/* Any bytes either load as a model or are refused with a place, in the text or in the model it is
 * based on; what loads can be evaluated. */
#include "models/model.h"
#include "models/model_int.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void use(const struct slw_model *m)
{
    static struct slw_model_input inputs[SLW_MODEL_MAX_EVENTS];
    static struct slw_model_value values[SLW_MODEL_MAX_NODES];
    bool needed[SLW_MODEL_MAX_EVENTS] = {false};

    for (int state = 0; state < 4; state++) {
        const struct slw_model_vars vars = {.smt_on = state & 1, .single_task = state >> 1};
        for (size_t i = 0; i < m->event_count; i++)
            inputs[i].value = (double)(i * 7919 % 1000);
        slw_model_evaluate(m, inputs, &vars, values);
        for (size_t i = 0; i < m->node_count; i++) {
            if (values[i].have ? !isfinite(values[i].value) : !values[i].missing)
                abort();
            slw_model_needs(m, i, needed);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_error err = {0};
    struct slw_model *m = NULL;
    char *copy = malloc(size ? size : 1); /* exact size, so that a read past the end is seen */

    if (!copy)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    if (slw_model_parse(copy, size, "fuzz", &m, &err) < 0) {
        if (m || !*err.text || (err.code != SLW_E_NOMEM && !*err.where))
            abort();
    } else {
        use(m);
    }
    slw_model_free(m);
    free(copy);
    return 0;
}
