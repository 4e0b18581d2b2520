/* SPDX-License-Identifier: MIT */
/* The code to hand to perf_event_open for an event of a model. The model's own code always decides;
 * libpfm4's, where it knows the event, is a second opinion. Not for: opening events (collector). */
#ifndef SLW_MODELS_ENCODE_H
#define SLW_MODELS_ENCODE_H

#include "models/model.h"

enum slw_encoding {
    SLW_ENCODING_MODEL,     /* libpfm4 has no say: no name, or a PMU it does not see here */
    SLW_ENCODING_CONFIRMED, /* libpfm4 encodes the same */
    SLW_ENCODING_DISAGREES  /* libpfm4 encodes something else: worth a note in the run */
};

struct slw_model_code {
    uint32_t type;
    uint64_t config, config1;
    enum slw_encoding encoding;
    uint64_t libpfm_config, libpfm_config1; /* what libpfm4 says, unless SLW_ENCODING_MODEL */
};

/* libpfm_pmu as in struct slw_model; NULL: libpfm4 is not asked. Initialises libpfm4, which keeps
 * state of its own and looks at the CPU it runs on: names of other PMUs encode only under its
 * LIBPFM_ENCODE_INACTIVE. Not thread safe. */
void slw_model_event_encode(const struct slw_model_event *e, const char *libpfm_pmu,
                            struct slw_model_code *ret_code);

#endif
