# Run by CPack on the tree of each package before it is packed: what Debian wants and no other installation does.
#   doc/PACKAGE/copyright: NOTICE and the texts of the licences (that of Apache-2.0 is in every Debian system)
#   doc/PACKAGE/changelog.gz, and the manual compressed
file(GLOB trees ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*)
foreach(tree IN LISTS trees)
  set(share ${tree}/usr/share)
  if(EXISTS ${tree}/usr/bin)
    set(package cinnabar)
    set(texts ${share}/doc/cinnabar/NOTICE ${share}/doc/cinnabar/LICENCES)
  else()
    set(package cinnabar-model-default)
    set(texts ${share}/cinnabar/models/default/NOTICE)
  endif()
  execute_process(COMMAND ${CPACK_CINNABAR_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/debian_tree.py ${share} ${package} ${CPACK_PACKAGE_VERSION}
                          ${texts} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
