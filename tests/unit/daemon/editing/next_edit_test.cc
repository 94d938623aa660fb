// Which proposals are shown, by what the model says of the present and the proposed lines.
#include "daemon/editing/next_edit.h"

#include <catch2/catch.hpp>

using namespace cinnabar;
using namespace cinnabar::daemon;

namespace {

const std::string kText = "a = new_name\nb = old\nc = old\n\nd = 1\n";

EditCandidate rename(std::size_t begin, float strength) {
  return {begin, begin + 3, "new_name", EditPattern::rename, strength};
}

engine::InfillResult likely(float probability) {
  engine::InfillResult result;
  result.answers.push_back({"", engine::StopReason::length, 1, {{1, probability, 1, 0}}});
  return result;
}

ProposalMachine machine(std::vector<EditCandidate> candidates, float eagerness = 0) {
  return {kText, std::move(candidates), {{}, {"a = new_name"}, 0, 12}, {.eagerness = eagerness}};
}

}  // namespace

TEST_CASE("a strong proposal is shown unless the model speaks against it, a weak one only when it speaks for it") {
  struct Case {
    float strength, present, proposed;
    bool shown;
  };
  const Case cases[] = {{0.95f, 0.5f, 0.1f, true}, {0.95f, 0.9f, 1e-4f, false}, {0.6f, 0.2f, 0.5f, true},
                        {0.6f, 0.5f, 0.2f, false}, {0.45f, 0.2f, 0.5f, false},  {0.45f, 0.01f, 0.5f, true}};
  for (const Case& c : cases) {
    CAPTURE(c.strength, c.present, c.proposed);
    auto judged = machine({rename(17, c.strength)});
    REQUIRE(judged.request() != nullptr);
    CHECK(judged.request()->scored == "b = old\n");
    judged.take(likely(c.present));
    REQUIRE(judged.request() != nullptr);
    CHECK(judged.request()->scored == "b = new_name\n");
    CHECK(judged.request()->prefix == "a = new_name\n");
    judged.take(likely(c.proposed));
    CHECK(judged.request() == nullptr);
    CHECK(judged.shown().empty() == !c.shown);
  }
}

TEST_CASE("what stands beside a shown one is judged as if that were taken") {
  auto judged = machine({rename(17, 0.95f), rename(25, 0.95f)});
  judged.take(likely(0.5f));
  judged.take(likely(0.5f));
  REQUIRE(judged.request() != nullptr);
  CHECK(judged.request()->prefix == "a = new_name\nb = new_name\n");
  judged.take(likely(0.5f));
  judged.take(likely(0.5f));
  CHECK(judged.shown().size() == 2);
}

TEST_CASE("nothing proposed, or an answer that was stopped: nothing is shown") {
  CHECK(machine({}).request() == nullptr);
  auto stopped = machine({rename(17, 0.95f)});
  stopped.take({});
  CHECK(stopped.request() == nullptr);
  CHECK(stopped.shown().empty());
}
