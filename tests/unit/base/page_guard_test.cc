// A file that is cut while it is mapped.
#include "base/page_guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

namespace cinnabar {
namespace {

TEST_CASE("what is gone of a mapped file reads as zeros, and is counted") {
  guard_mapped_pages();
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  char path[] = "/tmp/cinnabar-pages-XXXXXX";
  const int file = mkstemp(path);
  REQUIRE(file >= 0);
  REQUIRE(ftruncate(file, static_cast<off_t>(4 * page)) == 0);
  REQUIRE(pwrite(file, "abcd", 4, 0) == 4);
  auto* bytes = static_cast<const volatile char*>(mmap(nullptr, 4 * page, PROT_READ, MAP_PRIVATE, file, 0));
  REQUIRE(bytes != MAP_FAILED);
  {
    const GuardedPages guarded(const_cast<const char*>(bytes), 4 * page);
    const auto before = lost_pages();
    CHECK(bytes[1] == 'b');
    REQUIRE(ftruncate(file, static_cast<off_t>(page)) == 0);
    CHECK(bytes[2] == 'c');
    CHECK(lost_pages() == before);
    CHECK(bytes[2 * page + 7] == 0);
    CHECK(bytes[2 * page + 8] == 0);
    CHECK(lost_pages() == before + 1);
    CHECK(bytes[3 * page] == 0);
    CHECK(lost_pages() == before + 2);
  }
  munmap(const_cast<char*>(bytes), 4 * page);
  close(file);
  unlink(path);
}

}  // namespace
}  // namespace cinnabar
