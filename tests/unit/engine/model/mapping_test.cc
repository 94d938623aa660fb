#include "engine/model/mapping.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "tests/support/model_files.h"

using namespace cinnabar::engine;
using Catch::Contains;
using cinnabar::test::ModelFolder;

namespace {

std::string text_of(const Mapping& mapping) {
  return {reinterpret_cast<const char*>(mapping.bytes().data()), mapping.bytes().size()};
}

}  // namespace

TEST_CASE("a file is mapped as it is") {
  const ModelFolder folder;
  const auto mapping = Mapping::open(folder.write("a", "some bytes"));
  REQUIRE(mapping.ok());
  CHECK(text_of(**mapping) == "some bytes");
}

TEST_CASE("parts are joined in order, the last one of any size") {
  const ModelFolder folder;
  const std::string first(Mapping::kPartAlignment, 'a'), second(2 * Mapping::kPartAlignment, 'b'), third = "end";
  const Mapping::Part parts[] = {{folder.write("1", first), Mapping::kPartAlignment},
                                 {folder.write("2", second), 2 * Mapping::kPartAlignment},
                                 {folder.write("3", third), 3}};
  const auto mapping = Mapping::open_parts(parts);
  REQUIRE(mapping.ok());
  CHECK(text_of(**mapping) == first + second + third);
}

TEST_CASE("what cannot be mapped is refused with its name") {
  const ModelFolder folder;
  CHECK_THAT(Mapping::open(folder.file("none")).message(), Contains("none") && Contains("No such file"));
  CHECK_THAT(Mapping::open(folder.path()).message(), Contains("not a regular file"));
  CHECK_THAT(Mapping::open(folder.write("empty", "")).message(), Contains("empty"));
  REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
  CHECK_THAT(Mapping::open(folder.file("pipe")).message(), Contains("not a regular file"));
}

TEST_CASE("parts that differ from their manifest are refused") {
  const ModelFolder folder;
  const std::string page(Mapping::kPartAlignment, 'a');
  const std::string one = folder.write("1", page), two = folder.write("2", "xy");
  const auto message = [&](std::int64_t first, std::int64_t second) {
    const Mapping::Part parts[] = {{one, first}, {two, second}};
    return Mapping::open_parts(parts).message();
  };
  CHECK_THAT(message(Mapping::kPartAlignment, 3), Contains(two) && Contains("expected 3") && Contains("found 2"));
  CHECK_THAT(message(2 * Mapping::kPartAlignment, 2), Contains(one) && Contains("found 65536"));
  CHECK_THAT(message(65535, 2), Contains("multiple of 65536"));
  CHECK_THAT(message(0, 2), Contains("0 bytes"));
  CHECK_THAT(message(INT64_MAX / 65536 * 65536, 2), Contains("not possible"));
  CHECK(!Mapping::open_parts({}).ok());
}
