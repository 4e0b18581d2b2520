/* SPDX-License-Identifier: MIT */
#ifndef SLW_BASE_INT128_H
#define SLW_BASE_INT128_H

__extension__ typedef unsigned __int128 slw_u128;

#endif
