# find_linkable(NAME library HEADER header CODE code PACKAGE package)
#
# Sets NAME_INCLUDE and NAME_LIBRARY: the static library where it can be part of the plugin, so that
# users need no package of their distribution, else the shared one. Distributions compile static
# libraries for programs. With their symbols hidden, most such code fits into a shared library too;
# linking `code`, which uses the library, tells.
include(CheckCXXSourceCompiles)

# hides what comes from static libraries
set(HIDE_STATIC -Wl,--exclude-libs,ALL)

function(find_linkable name library)
  cmake_parse_arguments(PARSE_ARGV 2 given "" "HEADER;CODE;PACKAGE" "")
  find_path(${name}_INCLUDE ${given_HEADER})
  find_library(${name}_STATIC lib${library}.a)
  find_library(${name}_SHARED ${library})
  if(NOT ${name}_INCLUDE OR NOT (${name}_STATIC OR ${name}_SHARED))
    message(FATAL_ERROR "lib${library} not found: apt-get install ${given_PACKAGE}")
  endif()
  if(${name}_STATIC)
    set(CMAKE_REQUIRED_FLAGS -fPIC)
    set(CMAKE_REQUIRED_INCLUDES "${${name}_INCLUDE}")
    set(CMAKE_REQUIRED_LIBRARIES "${${name}_STATIC}")
    set(CMAKE_REQUIRED_LINK_OPTIONS -shared LINKER:-z,defs ${HIDE_STATIC})
    check_cxx_source_compiles("${given_CODE}" ${name}_STATIC_LINKS)
  endif()
  if(${name}_STATIC_LINKS)
    set(${name}_LIBRARY "${${name}_STATIC}" PARENT_SCOPE)
  elseif(${name}_SHARED)
    message(WARNING "lib${library}: no static form that fits into a plugin; linking the shared one")
    set(${name}_LIBRARY "${${name}_SHARED}" PARENT_SCOPE)
  else()
    message(FATAL_ERROR "lib${library}: ${${name}_STATIC} does not fit into a plugin")
  endif()
endfunction()
