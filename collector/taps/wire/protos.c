/* SPDX-License-Identifier: MIT */
#include "collector/taps/proto.h"

#define SLW_PROTO(name) extern const struct slw_proto slw_proto_##name;
#include "collector/taps/protos.def"
#undef SLW_PROTO

const struct slw_proto *const slw_protos[] = {
#define SLW_PROTO(name) &slw_proto_##name,
#include "collector/taps/protos.def"
#undef SLW_PROTO
};
const size_t slw_proto_count = sizeof(slw_protos) / sizeof(slw_protos[0]);
