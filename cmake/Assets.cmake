# Scripts and styles of what is drawn are files of their own, so that they can be read and linted.
#
# slw_assets(PREFIX NAME FILES...): the FILES, joined in this order, as the array PREFIX_NAME of the
# library PREFIX_assets. A library of its own, because CMake knows a generated file only in the
# folder that makes it.
function(slw_assets prefix name)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${prefix}_${name}.c)
  string(REPLACE ";" "," inputs "${ARGN}")
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DINPUTS=${inputs} -DOUTPUT=${output} -DNAME=${prefix}_${name}
      -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake)
  if(NOT TARGET ${prefix}_assets)
    add_library(${prefix}_assets STATIC)
    target_link_libraries(${prefix}_assets PRIVATE slw_flags)
  endif()
  target_sources(${prefix}_assets PRIVATE ${output})
endfunction()
