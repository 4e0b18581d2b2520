/* SPDX-License-Identifier: MIT */
#include <stdio.h>

int main(void)
{
    puts("slotwise " SLW_VERSION);
    return 0;
}
