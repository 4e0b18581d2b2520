/* SPDX-License-Identifier: MIT */
/* The two checksums of the frames of native protocol v5. Source: native_protocol_v5.spec, sections
 * 2.1 and 2.2; the start of the CRC32 is that of org.apache.cassandra.net.Crc. */
#ifndef SLW_WORKLOADS_CQL_CRC_H
#define SLW_WORKLOADS_CQL_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Of the header, whose bytes are taken in the order they travel: polynomial 0x1974F0B, start
 * 0x875060. */
uint32_t slw_cql_crc24(const uint8_t *bytes, size_t length);

/* Of the payload: CRC-32 (IEEE 802.3) as if the bytes FA 2D 55 CA came first. */
uint32_t slw_cql_crc32(const uint8_t *bytes, size_t length);

#endif
