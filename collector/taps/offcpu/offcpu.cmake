# The BPF program becomes a header that holds its object code ("skeleton"); sources of the tap.
set(off_dir ${CMAKE_CURRENT_SOURCE_DIR}/taps/offcpu)
target_sources(slw_collector PRIVATE ${off_dir}/classes.c ${off_dir}/initial.c ${off_dir}/spool_stacks.c
  ${off_dir}/sums.c ${off_dir}/switch_table.c ${off_dir}/switches.c)
if(NOT SLW_BPF)
  target_sources(slw_collector PRIVATE ${off_dir}/no_bpf.c)
  return()
endif()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)")
  set(off_arch arm64)
else()
  set(off_arch x86)
endif()
set(off_out ${CMAKE_BINARY_DIR}/generated/collector/taps/offcpu)
file(MAKE_DIRECTORY ${off_out})
# <asm/types.h> is in the folder of the multiarch tuple, which clang does not search for bpf.
set(off_asm)
if(CMAKE_LIBRARY_ARCHITECTURE)
  set(off_asm -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE})
endif()
set(off_bpf_includes)
foreach(dir IN LISTS LIBBPF_INCLUDE_DIRS)
  list(APPEND off_bpf_includes -I${dir})
endforeach()
add_custom_command(
  OUTPUT ${off_out}/offcpu.skel.h
  COMMAND ${BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter
    -fdebug-prefix-map=${CMAKE_SOURCE_DIR}/= -D__TARGET_ARCH_${off_arch} -I${CMAKE_SOURCE_DIR}
    ${off_bpf_includes} ${off_asm}
    -MD -MF ${off_out}/offcpu.bpf.d -MT ${off_out}/offcpu.skel.h
    -c ${off_dir}/offcpu.bpf.c -o ${off_out}/offcpu.bpf.o
  COMMAND ${BPFTOOL} gen object ${off_out}/offcpu.linked.o ${off_out}/offcpu.bpf.o
  COMMAND ${BPFTOOL} gen skeleton ${off_out}/offcpu.linked.o name slw_offcpu_bpf
    > ${off_out}/offcpu.skel.h.new
  COMMAND ${CMAKE_COMMAND} -E rename ${off_out}/offcpu.skel.h.new ${off_out}/offcpu.skel.h
  DEPENDS ${off_dir}/offcpu.bpf.c
  DEPFILE ${off_out}/offcpu.bpf.d
  COMMENT "Compiling the BPF program of the off-CPU tap"
  VERBATIM)
add_custom_target(slw_offcpu_skeleton DEPENDS ${off_out}/offcpu.skel.h)
add_dependencies(slw_collector slw_offcpu_skeleton)
target_sources(slw_collector PRIVATE ${off_dir}/bpf.c)
# SYSTEM: the generated header does not keep to our warnings.
target_include_directories(slw_collector SYSTEM PRIVATE ${CMAKE_BINARY_DIR}/generated)
target_link_libraries(slw_collector PUBLIC PkgConfig::LIBBPF PkgConfig::ELFUTILS)
