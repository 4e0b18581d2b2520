# clang-tidy as part of compiling, so that only what changed is looked at again. Its settings and
# what is switched off, with reasons, are in /.clang-tidy. Generated code lives in the build tree,
# where nearer settings make clang-tidy look for next to nothing: nobody edits that code.
option(SLW_TIDY "Run clang-tidy with the compiler" OFF)
option(SLW_TIDY_TESTS "Run it on the tests and benches too, which doubles its time" OFF)
option(SLW_TIDY_PATHS "Let it follow paths (clang-analyzer-*), which is most of its time" OFF)
if(SLW_TIDY)
  find_program(CLANG_TIDY clang-tidy REQUIRED)
  set(CMAKE_C_CLANG_TIDY ${CLANG_TIDY} --quiet
    --extra-arg=-I${CMAKE_SOURCE_DIR} --extra-arg=-include${CMAKE_SOURCE_DIR}/cmake/tidy_model.h)
  if(NOT SLW_TIDY_PATHS)
    list(APPEND CMAKE_C_CLANG_TIDY --checks=-clang-analyzer-*)
  endif()
  set_source_files_properties(base/error.c PROPERTIES COMPILE_DEFINITIONS SLW_DEFINES_ERRORS)
  file(WRITE ${CMAKE_BINARY_DIR}/.clang-tidy "Checks: '-*,misc-definitions-in-headers'\n")
endif()
