// SPDX-License-Identifier: MIT
// A client whose time is in calls that the compiler expands in place, in templates and in namespaces.
#include <cstdint>
#include <cstdlib>

namespace db
{
template <class T> inline __attribute__((always_inline)) T mix(T x, T i)
{
    return x * 5 + i;
}

inline __attribute__((always_inline)) uint64_t decode_rows(uint64_t rows, uint64_t x)
{
    for (uint64_t i = 0; i < rows; i++)
        x = mix<uint64_t>(x, i) ^ (x >> 3);
    return x;
}

struct Client {
    uint64_t state = 7;
    __attribute__((noinline)) uint64_t run(uint64_t rows)
    {
        state = decode_rows(rows, state);
        return state;
    }
};
} // namespace db

int main(int argc, char **argv)
{
    db::Client client;
    volatile uint64_t sum = 0;

    for (uint64_t left = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 400; left > 0; left--)
        sum = sum + client.run(1000000);
    return 0;
}
