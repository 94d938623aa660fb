// Options of the command line that a model cannot use are refused by name.
#include "daemon/commands/given_options.h"

#include <catch2/catch.hpp>
#include <set>

namespace cinnabar::daemon {
namespace {

using engine::Decoder;

TEST_CASE("an option that the model cannot use is refused, and one that it can is not") {
  using enum Decoder;
  const std::set<Decoder> all = {autoregressive, verified, remasking, block, tiled, in_place};
  const std::set<Decoder> masks = {block, tiled, in_place}, drafts = {verified, remasking};
  struct Case {
    const char* option;
    std::set<Decoder> takers;
    bool needs_expand = false;
  };
  const std::vector<Case> cases = {
      {"max-tokens", all},
      {"temperature", all},
      {"top-p", all},
      {"top-k", all},
      {"draft", drafts},
      {"lookup", drafts},
      {"keep", {remasking}},
      {"threshold", {remasking, block, tiled, in_place}},
      {"factor", masks},
      {"entropy-bound", masks},
      {"quota", masks},
      {"steps", masks},
      {"confidence", masks},
      {"position-temperature", masks},
      {"block", {remasking, block, in_place}},
      {"sub-block", {block, tiled}},
      {"schedule", {in_place}},
      {"guidance", {in_place}},
      {"reuse", {in_place}},
      {"length-search", {in_place}},
      {"first-length", {in_place}},
      {"expand", {in_place}, true},
      {"longest-hole", {in_place}, true},
      {"broadcast", {in_place}, true},
      {"remask", {in_place}},
      {"remask-count", {in_place}},
      {"remask-steps", {in_place}},
      {"remask-threshold", {in_place}},
  };
  std::set<std::string_view> tried;
  for (const Case& test : cases) {
    tried.insert(test.option);
    for (const Decoder decoder : all) {
      for (const bool expands : {false, true}) {
        INFO("--" << test.option << ", " << name(decoder) << (expands ? ", expands" : ""));
        Options options;
        options.said = {test.option};
        const Status status = check_given(options, engine::Way{decoder, expands});
        CHECK(status.ok() == (test.takers.contains(decoder) && (expands || !test.needs_expand)));
        if (!status) CHECK(status.message().starts_with("--" + std::string(test.option) + " "));
      }
    }
  }
  for (const Option* option : options_in(bits(Group::decode))) {  // what only some take is among the cases
    INFO(option->name);
    if (option->takers != kAnyDecoder) CHECK(tried.contains(option->name));
  }
  CHECK(check_given(Options(), engine::Way{}));
}

}  // namespace
}  // namespace cinnabar::daemon
