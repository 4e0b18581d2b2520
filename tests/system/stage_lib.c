/* SPDX-License-Identifier: MIT */
/* A shared library that marks a stage of its own, and one the client marks too. */
#define SLOTWISE_STAGE_PROVIDER stagelib
#include "slotwise/stage.h"

__attribute__((visibility("default"))) void lib_work(unsigned long batch);

void lib_work(unsigned long batch)
{
    SLOTWISE_STAGE_BEGIN(library, batch);
    SLOTWISE_STAGE_END(library);
}
