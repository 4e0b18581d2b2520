# Cross-build for arm64 Linux with Debian's cross compiler: one static program, which needs nothing
# of the machine it runs on. SLW_SYSROOT holds the libraries; scripts/guest/fetch makes it.
#   cmake -S . -B build-arm64 -DCMAKE_TOOLCHAIN_FILE=cmake/aarch64-linux-gnu.cmake \
#     -DSLW_SYSROOT=CACHE/sysroot -DSLW_MODELC=build/models/modelc -DSLW_STATIC=ON -DSLW_TESTS=OFF
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
# Configure-time trial projects are new to the variable without this.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SLW_SYSROOT)

# Not CMAKE_SYSROOT: the C library is the cross compiler's own.
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH ${SLW_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(ENV{PKG_CONFIG_DIR} "")
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${SLW_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${SLW_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig)
