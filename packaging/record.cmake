# At install time, after everything else: share/cinnabar/installed.txt lists the installed files relative to the prefix, one a
# line, itself too. uninstall.sh removes what it lists; install.sh copies what it lists.
set(record "share/cinnabar/installed.txt")
set(lines "${record}")
foreach(file IN LISTS CMAKE_INSTALL_MANIFEST_FILES)
  file(RELATIVE_PATH file "${CMAKE_INSTALL_PREFIX}" "${file}")
  list(APPEND lines "${file}")
endforeach()
list(REMOVE_DUPLICATES lines)
list(SORT lines)
list(JOIN lines "\n" text)
file(WRITE "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${record}" "${text}\n")
