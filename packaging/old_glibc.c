// A self-contained program is linked with glibc 2.31, so that it starts on systems that have no newer one. What Debian 12's
// headers, libstdc++.a and libgcc_eh.a ask of newer ones is here.
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define OURS __attribute__((visibility("hidden")))

// 2.36, for std::random_device.
OURS unsigned arc4random(void) {
  unsigned value;
  if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value) abort();  // cannot be: so few bytes come at once
  return value;
}

// 2.32: whether counters of references need no atomic operations. They may always use them.
OURS char __libc_single_threaded = 0;

// 2.34. Called between fork and exec, so with what a signal handler may call; Linux has it since 5.9.
OURS int close_range(unsigned first, unsigned last, int flags) {
  const unsigned most = 1u << 20;
  struct rlimit limit;
  if (syscall(SYS_close_range, first, last, flags) == 0) return 0;
  if (errno != ENOSYS || flags != 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
  for (unsigned file = first; file <= last && file < limit.rlim_cur && file < most; ++file) close((int)file);
  return 0;
}

struct search {
  uintptr_t address;
  struct dl_find_object* found;
};

static int look_into(struct dl_phdr_info* object, size_t size, void* data) {
  const struct search* search = data;
  struct dl_find_object* found = search->found;
  void* frames = NULL;
  (void)size;
  memset(found, 0, sizeof *found);
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)* segment = &object->dlpi_phdr[i];
    const uintptr_t start = object->dlpi_addr + segment->p_vaddr;
    if (segment->p_type == PT_GNU_EH_FRAME) frames = (void*)start;
    if (segment->p_type != PT_LOAD || search->address - start >= segment->p_memsz) continue;
    found->dlfo_map_start = (void*)start;
    found->dlfo_map_end = (void*)(start + segment->p_memsz);
  }
  found->dlfo_eh_frame = frames;
  return found->dlfo_map_start != NULL;
}

// 2.35, for exceptions: the object that holds an address. Only what libgcc looks at is set.
OURS int _dl_find_object(void* address, struct dl_find_object* found) {
  struct search search = {(uintptr_t)address, found};
  return dl_iterate_phdr(look_into, &search) != 0 && found->dlfo_eh_frame != NULL ? 0 : -1;
}
