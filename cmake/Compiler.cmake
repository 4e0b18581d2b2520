# Warnings, visibility and sanitizers for every target of ours; quiet for packagers, strict for us.
# No -DNDEBUG: asserts guard programmer errors and stay (house style).
set(CMAKE_C_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")

# slw_plain_flags are for what runs inside other people's programs: no sanitizers there.
add_library(slw_plain_flags INTERFACE)
add_library(slw_flags INTERFACE)
target_link_libraries(slw_flags INTERFACE slw_plain_flags)
target_include_directories(slw_plain_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(slw_plain_flags INTERFACE _GNU_SOURCE SLW_VERSION="${PROJECT_VERSION}")
target_compile_options(slw_plain_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wwrite-strings
  -Wvla -Wundef -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum
  -Wimplicit-fallthrough -Wdouble-promotion -Wnull-dereference -fno-common -fvisibility=hidden
  $<IF:$<C_COMPILER_ID:GNU>,-Wcast-align=strict,-Wcast-align>)
# Assertions name the file from the top of the tree, whatever directory it was built in; those of
# generated code, which has no slw_flags, as well.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(SLW_DEV)
  target_compile_options(slw_plain_flags INTERFACE -Werror)
endif()
if(SLW_SANITIZE)
  target_compile_options(slw_flags INTERFACE
    -fsanitize=${SLW_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(slw_flags INTERFACE -fsanitize=${SLW_SANITIZE})
endif()

option(SLW_FUZZ "Build libFuzzer targets (clang); instruments every room" OFF)
if(SLW_FUZZ)
  target_compile_options(slw_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
