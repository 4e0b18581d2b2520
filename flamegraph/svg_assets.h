/* SPDX-License-Identifier: MIT */
/* The scripts and the style of svg/, joined and embedded at build time. */
#ifndef SLW_FLAMEGRAPH_SVG_ASSETS_H
#define SLW_FLAMEGRAPH_SVG_ASSETS_H

#include <stddef.h>

extern const char slw_svg_script[];
extern const size_t slw_svg_script_length;
extern const char slw_svg_style[];
extern const size_t slw_svg_style_length;

#endif
