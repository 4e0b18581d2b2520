# A room is a folder and a static library of the same name. `slw_room(x USES y z)` builds every .c
# directly in x/ and whatever x/CMakeLists.txt adds (registries, generated files, outside libraries).
function(slw_room name)
  cmake_parse_arguments(ROOM "" "" "USES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${name}/*.c)
  set(empty ${CMAKE_BINARY_DIR}/empty_${name}.c)
  if(NOT sources)
    file(WRITE ${empty} "extern int slw_room_${name};\nint slw_room_${name};\n")
    set(sources ${empty}) # a room that is only a seam so far
  endif()
  add_library(slw_${name} STATIC ${sources})
  target_link_libraries(slw_${name} PUBLIC slw_flags)
  foreach(used IN LISTS ROOM_USES)
    target_link_libraries(slw_${name} PUBLIC slw_${used})
  endforeach()
  if(EXISTS ${CMAKE_SOURCE_DIR}/${name}/CMakeLists.txt)
    add_subdirectory(${CMAKE_SOURCE_DIR}/${name})
  endif()
endfunction()

# Turn the "MACRO(x)" lines of a .def table into folder/x.c and add them to the target. C reads the
# same lines, so one line registers a file with both; a file without its line, or a line without its
# file, stops the configuration.
function(slw_registry target def macro folder)
  slw_registry_names(names ${def} ${macro})
  set(sources)
  foreach(name IN LISTS names)
    list(APPEND sources ${folder}/${name}.c)
  endforeach()
  file(GLOB present CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}
    ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.c)
  list(REMOVE_ITEM present ${sources})
  if(present)
    message(FATAL_ERROR "${present}: not listed in ${def}")
  endif()
  target_sources(${target} PRIVATE ${sources})
endfunction()

function(slw_registry_names out def macro)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${def})
  file(STRINGS ${def} lines REGEX "^${macro}\\(")
  set(names)
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^${macro}\\(([a-z0-9_]+).*" "\\1" name "${line}")
    list(APPEND names ${name})
  endforeach()
  set(${out} ${names} PARENT_SCOPE)
endfunction()
