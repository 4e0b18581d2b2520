/* SPDX-License-Identifier: MIT */
/* What a report has to say differently where the numbers are those of a described core, and not of
 * the CPU the client ran on. Not for: making them (sim/, collector/simulate.h). */
#ifndef SLW_ANALYZER_SIMULATED_H
#define SLW_ANALYZER_SIMULATED_H

#include "analyzer/report.h"
#include "base/buf.h"

/* In the words of where: clocks and random bytes were left as they are. */
#define SLW_SIMULATED_VARIES "not repeatable"
/* A part of the instructions was timed: it is of a sample. Counts of what all of them did are not.
 */
#define SLW_SIMULATED_PART "% timed"

/* Was the client run on a described core? */
bool slw_simulated_is(const struct slw_run *run);

/* "reference core HASWELL, user mode": what stands at every such number; "" for none. */
const char *slw_simulated_where(const struct slw_run *run);

/* One clause: the kernel took longer than the simulated code would have, or how the two compare is
 * not known. Nothing where the kernel matters little. */
void slw_simulated_kernel(struct slw_buf *out, const struct slw_run *run);

/* Would another execution count the same? Of a client that talks to a live server nobody knows:
 * what arrives when is the server's doing. */
bool slw_simulated_repeats(const struct slw_run *run);

/* Is the number, of this provenance, from a sample of the instructions? */
bool slw_simulated_sampled(const struct slw_provenance *from);

/* What is assumed to compare simulated cycles with the time the kernel took. */
#define SLW_SIMULATED_GHZ 3.0

/* What the mark of provenance means in this report: format.h, and where it is known the core. */
void slw_simulated_mark_meaning(struct slw_buf *out, const struct slw_run *run, char letter);

#endif
