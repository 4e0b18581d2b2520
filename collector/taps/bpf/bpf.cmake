# slw_bpf_program(FOLDER SOURCE...): the BPF program FOLDER/NAME.bpf.c, NAME being the last part of
# the folder's, becomes a header that holds its object code ("skeleton"), for the sources that load
# it; without BPF, FOLDER/no_bpf.c stands in for them.
if(SLW_BPF)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)")
    set(bpf_arch arm64)
  else()
    set(bpf_arch x86)
  endif()
  # <asm/types.h> is in the folder of the multiarch tuple, or of the cross compiler's headers; clang
  # searches neither for bpf.
  set(bpf_includes)
  if(CMAKE_LIBRARY_ARCHITECTURE)
    set(bpf_includes -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
      -idirafter /usr/${CMAKE_LIBRARY_ARCHITECTURE}/include)
  endif()
  foreach(dir IN LISTS LIBBPF_INCLUDE_DIRS)
    list(APPEND bpf_includes -I${dir})
  endforeach()
  target_sources(slw_collector PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/taps/bpf/load.c
    ${CMAKE_CURRENT_SOURCE_DIR}/taps/bpf/uprobes.c)
  # SYSTEM: the generated headers do not keep to our warnings.
  target_include_directories(slw_collector SYSTEM PRIVATE ${CMAKE_BINARY_DIR}/generated)
  target_link_libraries(slw_collector PUBLIC PkgConfig::LIBBPF PkgConfig::ELFUTILS)
endif()

function(slw_bpf_program folder)
  get_filename_component(name ${folder} NAME)
  set(dir ${CMAKE_CURRENT_SOURCE_DIR}/${folder})
  if(NOT SLW_BPF)
    target_sources(slw_collector PRIVATE ${dir}/no_bpf.c)
    return()
  endif()
  set(out ${CMAKE_BINARY_DIR}/generated/collector/${folder})
  file(MAKE_DIRECTORY ${out})
  add_custom_command(
    OUTPUT ${out}/${name}.skel.h
    COMMAND ${BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter
      -fdebug-prefix-map=${CMAKE_SOURCE_DIR}/= -D__TARGET_ARCH_${bpf_arch} -I${CMAKE_SOURCE_DIR}
      ${bpf_includes}
      -MD -MF ${out}/${name}.bpf.d -MT ${out}/${name}.skel.h
      -c ${dir}/${name}.bpf.c -o ${out}/${name}.bpf.o
    COMMAND ${BPFTOOL} gen object ${out}/${name}.linked.o ${out}/${name}.bpf.o
    COMMAND ${BPFTOOL} gen skeleton ${out}/${name}.linked.o name slw_${name}_skeleton
      > ${out}/${name}.skel.h.new
    COMMAND ${CMAKE_COMMAND} -E rename ${out}/${name}.skel.h.new ${out}/${name}.skel.h
    DEPENDS ${dir}/${name}.bpf.c
    DEPFILE ${out}/${name}.bpf.d
    COMMENT "Compiling the BPF program ${name}"
    VERBATIM)
  add_custom_target(slw_${name}_skeleton DEPENDS ${out}/${name}.skel.h)
  add_dependencies(slw_collector slw_${name}_skeleton)
  list(TRANSFORM ARGN PREPEND ${dir}/ OUTPUT_VARIABLE loaders)
  target_sources(slw_collector PRIVATE ${loaders})
endfunction()
