/* SPDX-License-Identifier: MIT */
#include "workloads/cql/crc.h"

#include <zlib.h>

#define CRC24_START      0x875060u
#define CRC24_POLYNOMIAL 0x1974F0Bu

uint32_t slw_cql_crc24(const uint8_t *bytes, size_t length)
{
    uint32_t crc = CRC24_START;

    for (size_t i = 0; i < length; i++) {
        crc ^= (uint32_t)bytes[i] << 16;
        for (int bit = 0; bit < 8; bit++) {
            crc <<= 1;
            if (crc & 0x1000000u)
                crc ^= CRC24_POLYNOMIAL;
        }
    }
    return crc;
}

uint32_t slw_cql_crc32(const uint8_t *bytes, size_t length)
{
    static const uint8_t first[] = {0xfa, 0x2d, 0x55, 0xca};
    uLong crc = crc32(0, first, sizeof(first));

    return (uint32_t)crc32_z(crc, bytes, length);
}
