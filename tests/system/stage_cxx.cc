// SPDX-License-Identifier: MIT
// The marks from C++: in templates and inline functions, and when exceptions leave a stage.
#include "slotwise/stage.h"

#include <cstdlib>
#include <stdexcept>

namespace client
{
template <typename T> T work(T value)
{
    SLOTWISE_STAGE(generic, value);
    if (value % 3 == 0)
        throw std::runtime_error("left");
    return value;
}

inline void both(unsigned n)
{
    SLOTWISE_STAGE_BEGIN(plain, n);
    SLOTWISE_STAGE_END(plain);
}
} // namespace client

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 1;

    for (unsigned i = 1; i <= count; i++) {
        try {
            (void)client::work(i);
            (void)client::work(static_cast<unsigned long>(i));
        } catch (const std::runtime_error &) {
        }
        client::both(i);
    }
    return 0;
}
