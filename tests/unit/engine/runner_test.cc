#include "engine/runner.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <map>

#include "tests/support/fake_infiller.h"

namespace cinnabar::engine {
namespace {

using std::chrono::milliseconds;
using tests::FakeModel;
using Texts = std::vector<std::string>;

struct Fixture {
  FakeModel model;
  Runner runner;
  std::mutex mutex;
  std::vector<std::string> done;  // "name: text" or "name: reason", in order

  explicit Fixture(RunnerOptions options = {}) : runner([this] { return model.open(); }, std::move(options)) {}

  JobId submit(const std::string& name, Priority priority, ClientId client = 1, milliseconds delay = {}) {
    Job job;
    job.client = client;
    job.priority = priority;
    job.request.prefix = name;
    job.delay = delay;
    job.done = [this, name](Outcome outcome) {
      const std::lock_guard lock(mutex);
      if (!outcome.result)
        done.push_back(name + ": " + outcome.result.message());
      else if (outcome.result->answers.empty())
        done.push_back(name);
      else if (outcome.result->answers[0].reason == StopReason::cancelled)
        done.push_back(name + ": cancelled");
      else
        done.push_back(name + ": " + outcome.result->answers[0].text);
    };
    return runner.submit(std::move(job));
  }
  Texts wait_for(std::size_t count) {
    for (int i = 0; i < 2000; ++i) {
      {
        const std::lock_guard lock(mutex);
        if (done.size() >= count) return done;
      }
      std::this_thread::sleep_for(milliseconds(5));
    }
    return {"waited too long"};
  }
};

TEST_CASE("the model is loaded with the first job and then stays") {
  Fixture f;
  CHECK(f.runner.model().kind == ModelState::Kind::unloaded);
  CHECK(f.model.opened == 0);
  f.submit("a", Priority::typing);
  CHECK(f.wait_for(1) == Texts{"a: answer"});
  f.submit("b", Priority::typing);
  CHECK(f.wait_for(2).size() == 2);
  CHECK(f.model.opened == 1);
  CHECK(f.runner.model().kind == ModelState::Kind::ready);
  CHECK(f.runner.model().text == "fake");
}

TEST_CASE("jobs run by priority, and within one in the order of arrival") {
  Fixture f;
  f.model.hold();
  f.submit("first", Priority::typing);
  f.model.wait_for_runs(1);
  f.submit("refactor", Priority::refactor);
  f.submit("prefetch", Priority::prefetch);
  f.submit("invoked", Priority::invoked);
  f.submit("typing 1", Priority::typing);
  f.submit("typing 2", Priority::typing);
  CHECK(f.runner.waiting() == 5);
  f.model.release();
  f.wait_for(6);
  CHECK(f.model.runs() == Texts{"first", "typing 1", "typing 2", "invoked", "prefetch", "refactor"});
}

TEST_CASE("a request that is made late is made when the job is due; one that is not wanted any more is forgotten") {
  Fixture f;
  std::atomic<int> prepared = 0, done = 0;
  const auto submit = [&](const std::string& prefix) {
    Job job;
    job.client = 1;
    job.delay = milliseconds(5);
    job.prepare = [&prepared, prefix]() -> std::optional<InfillRequest> {
      ++prepared;
      if (prefix == "not wanted") return std::nullopt;
      InfillRequest request;
      request.prefix = prefix;
      return request;
    };
    job.done = [&done](const Outcome&) { ++done; };
    return f.runner.submit(std::move(job));
  };
  f.model.hold();
  f.submit("first", Priority::typing, 2);
  f.model.wait_for_runs(1);
  f.runner.cancel(submit("typed over"));
  submit("not wanted");
  submit("late");
  CHECK(prepared == 0);
  f.model.release();
  for (int i = 0; i < 2000 && done == 0; ++i) std::this_thread::sleep_for(milliseconds(5));
  CHECK(prepared == 2);
  CHECK(done == 1);
  CHECK(f.model.runs() == Texts{"first", "late"});
}

TEST_CASE("clients take turns: many jobs of one do not keep another waiting") {
  Fixture f;
  f.model.hold();
  f.submit("first", Priority::typing, 9);
  f.model.wait_for_runs(1);
  for (const char* name : {"a1", "a2", "a3"}) f.submit(name, Priority::typing, 1);
  for (const char* name : {"b1", "b2"}) f.submit(name, Priority::typing, 2);
  f.model.release();
  f.wait_for(6);
  CHECK(f.model.runs() == Texts{"first", "a1", "b1", "a2", "b2", "a3"});
}

TEST_CASE("a job of higher priority stops a lesser one, which runs again with its text as a draft") {
  Fixture f;
  f.model.hold("so far");
  f.submit("refactor", Priority::refactor);
  f.model.wait_for_runs(1);
  f.submit("typing", Priority::typing);
  f.model.wait_for_runs(2);  // held again: the first one was stopped
  CHECK(f.runner.waiting() == 1);
  f.model.release();
  CHECK(f.wait_for(2) == Texts{"typing: answer", "refactor: answer"});
  CHECK(f.model.runs() == Texts{"refactor", "typing", "refactor"});
  CHECK(f.model.requests()[2].former == "so far");
}

TEST_CASE("an equal or lesser priority waits for its turn") {
  Fixture f;
  f.model.hold();
  f.submit("invoked", Priority::invoked);
  f.model.wait_for_runs(1);
  f.submit("other", Priority::invoked, 2);
  f.submit("prefetch", Priority::prefetch, 2);
  std::this_thread::sleep_for(milliseconds(30));
  CHECK(f.model.runs().size() == 1);
  f.model.release();
  CHECK(f.wait_for(3) == Texts{"invoked: answer", "other: answer", "prefetch: answer"});
}

TEST_CASE("cancelled while waiting: never runs, never done; while running: done as cancelled") {
  Fixture f;
  f.model.hold("half");
  const JobId running = f.submit("running", Priority::typing);
  f.model.wait_for_runs(1);
  const JobId waiting = f.submit("waiting", Priority::typing);
  CHECK(f.runner.cancel(waiting).empty());
  CHECK(f.runner.cancel(running) == "half");
  CHECK(f.wait_for(1) == Texts{"running: cancelled"});
  f.model.release();
  f.submit("after", Priority::typing);
  CHECK(f.wait_for(2) == Texts{"running: cancelled", "after: answer"});
  CHECK(f.runner.cancel(running).empty());
}

TEST_CASE("a client that leaves takes its jobs along") {
  Fixture f;
  f.model.hold();
  f.submit("gone running", Priority::typing, 1);
  f.model.wait_for_runs(1);
  f.submit("gone waiting", Priority::typing, 1);
  f.submit("stays", Priority::typing, 2);
  f.runner.remove_client(1);
  f.model.wait_for_runs(2);
  f.model.release();
  CHECK(f.wait_for(1) == Texts{"stays: answer"});
  CHECK(f.model.runs() == Texts{"gone running", "stays"});
}

TEST_CASE("a delayed job waits for its time and lets others pass") {
  Fixture f;
  f.submit("late", Priority::typing, 1, milliseconds(500));
  f.submit("now", Priority::prefetch);
  CHECK(f.wait_for(2) == Texts{"now: answer", "late: answer"});
}

TEST_CASE("over the limit, the newest job of the least priority is refused") {
  Fixture f({.queue = 2});
  f.model.hold();
  f.submit("running", Priority::typing);
  f.model.wait_for_runs(1);
  f.submit("prefetch 1", Priority::prefetch);
  f.submit("prefetch 2", Priority::prefetch);
  f.submit("typing", Priority::typing);
  f.model.release();
  const Texts done = f.wait_for(4);
  CHECK(done == Texts{"running: answer", "prefetch 2: too many requests are waiting (2)", "typing: answer",
                      "prefetch 1: answer"});
}

TEST_CASE("a model that cannot be loaded: jobs end with the reason, load() tries again") {
  std::vector<ModelState::Kind> states;
  std::mutex mutex;
  Fixture f({.on_state = [&](const ModelState& state) {
    const std::lock_guard lock(mutex);
    states.push_back(state.kind);
  }});
  f.model.opens = [] { return Status::error("no such file"); };
  f.submit("a", Priority::typing);
  CHECK(f.wait_for(1) == Texts{"a: no such file"});
  f.submit("b", Priority::typing);
  CHECK(f.wait_for(2).back() == "b: no such file");
  CHECK(f.model.opened == 1);
  CHECK(f.runner.model().text == "no such file");
  f.model.opens = [] { return Status(); };
  f.runner.load();
  f.submit("c", Priority::typing);
  CHECK(f.wait_for(3).back() == "c: answer");
  using Kind = ModelState::Kind;
  const std::lock_guard lock(mutex);
  CHECK(states == std::vector{Kind::loading, Kind::failed, Kind::loading, Kind::ready});
}

TEST_CASE("running out of memory while loading is a failure like any other") {
  Fixture f;
  f.model.opens = []() -> Status { throw std::bad_alloc(); };
  f.submit("a", Priority::typing);
  CHECK(f.wait_for(1)[0].find("out of memory") != std::string::npos);
}

TEST_CASE("running out of memory in a job is that job's error") {
  Fixture f;
  f.model.answers = [](const InfillRequest& request) -> Texts {
    if (request.prefix == "big") throw std::bad_alloc();
    return {"fine"};
  };
  f.submit("big", Priority::typing);
  f.submit("small", Priority::typing);
  const Texts done = f.wait_for(2);
  CHECK(done[0].find("big: out of memory") == 0);
  CHECK(done[1] == "small: fine");
}

TEST_CASE("a device that fails takes its jobs along, and the next one opens the model anew") {
  Fixture f;
  f.submit("a", Priority::typing);
  f.wait_for(1);
  f.model.device_fails = true;
  f.submit("b", Priority::typing);
  f.wait_for(2);
  f.submit("c", Priority::typing);
  CHECK(f.wait_for(3) == Texts{"a: answer", "b: the device is gone", "c: answer"});
  CHECK(f.model.opened == 2);
}

TEST_CASE("a device that fails at its first job is not opened for every job") {
  Fixture f;
  f.model.opens = [&] {
    f.model.device_fails = true;
    return Status();
  };
  for (const char* job : {"a", "b", "c"}) f.submit(job, Priority::typing);
  CHECK(f.wait_for(3) == Texts{"a: the device is gone", "b: the device is gone", "c: the device is gone"});
  CHECK(f.model.opened == 1);
  CHECK(f.runner.model().kind == ModelState::Kind::failed);
  f.model.opens = [] { return Status(); };
  f.runner.load();
  f.submit("d", Priority::typing);
  CHECK(f.wait_for(4)[3] == "d: answer");
}

TEST_CASE("another model replaces the one that is there, and a running job runs again on it") {
  Fixture f;
  FakeModel other;
  other.answers = [](const auto&) { return Texts{"other"}; };
  f.model.hold();
  f.submit("a", Priority::typing);
  f.model.wait_for_runs(1);
  f.runner.replace_model([&] { return other.open(); });
  CHECK(f.wait_for(1) == Texts{"a: other"});
  CHECK(other.opened == 1);
}

TEST_CASE("an idle model is let go and comes back") {
  Fixture f({.idle_unload = milliseconds(40)});
  f.submit("a", Priority::typing);
  f.wait_for(1);
  for (int i = 0; i < 4000 && f.runner.model().kind != ModelState::Kind::unloaded; ++i)
    std::this_thread::sleep_for(milliseconds(5));
  CHECK(f.runner.model().kind == ModelState::Kind::unloaded);
  f.submit("b", Priority::typing);
  CHECK(f.wait_for(2).back() == "b: answer");
  CHECK(f.model.opened == 2);
}

TEST_CASE("time starts when the model is there") {
  Fixture f;
  f.model.opens = [] {
    std::this_thread::sleep_for(milliseconds(400));
    return Status();
  };
  std::promise<StopReason> ended;
  Job job;
  job.deadline = milliseconds(300);
  job.done = [&](const Outcome& outcome) { ended.set_value(outcome.result->answers.at(0).reason); };
  f.runner.submit(job);
  CHECK(ended.get_future().get() == StopReason::hole_end);

  ended = {};
  f.model.hold();
  f.submit("first", Priority::typing);
  f.runner.submit(job);
  std::this_thread::sleep_for(milliseconds(400));
  f.model.release();
  CHECK(ended.get_future().get() == StopReason::deadline);
}

TEST_CASE("jobs of several clients and one priority run together, as many as the model takes") {
  Fixture f;
  f.model.together = 3;
  f.model.hold();
  f.submit("a1", Priority::typing, 1);
  f.submit("a2", Priority::typing, 1);
  for (ClientId client = 2; client <= 4; ++client) f.submit("of " + std::to_string(client), Priority::typing, client);
  f.submit("later", Priority::invoked, 5);
  f.model.wait_for_runs(3);
  std::this_thread::sleep_for(milliseconds(30));
  CHECK(f.model.runs() == Texts{"a1", "of 2", "of 3"});
  CHECK(f.runner.running() == 3);
  CHECK(f.runner.waiting() == 3);
  f.model.release();
  f.wait_for(6);
  CHECK(f.model.runs() == Texts{"a1", "of 2", "of 3", "of 4", "a2", "later"});
}

TEST_CASE("what runs together steps aside together, and one that is cancelled goes alone") {
  Fixture f;
  f.model.together = 3;
  f.model.hold("so far");
  const JobId a = f.submit("a", Priority::refactor, 1);
  f.submit("b", Priority::refactor, 2);
  f.submit("c", Priority::refactor, 3);
  f.model.wait_for_runs(3);
  CHECK(f.runner.cancel(a) == "so far");
  CHECK(f.wait_for(1) == Texts{"a: cancelled"});
  CHECK(f.runner.running() == 2);
  f.submit("typing", Priority::typing, 4);
  f.model.wait_for_runs(4);
  CHECK(f.runner.running() == 1);
  CHECK(f.runner.waiting() == 2);
  f.model.release();
  CHECK(f.wait_for(4) == Texts{"a: cancelled", "typing: answer", "b: answer", "c: answer"});
  CHECK(f.model.requests()[4].former == "so far");
}

TEST_CASE("a client that leaves takes his job out of those that run together") {
  Fixture f;
  f.model.together = 2;
  f.model.hold();
  f.submit("gone", Priority::typing, 1);
  f.submit("stays", Priority::typing, 2);
  f.model.wait_for_runs(2);
  f.runner.remove_client(1);
  f.submit("joins", Priority::typing, 3);
  f.model.wait_for_runs(3);
  f.model.release();
  CHECK(f.wait_for(2) == Texts{"stays: answer", "joins: answer"});
}

TEST_CASE("the end of a runner with work under way") {
  FakeModel model;
  model.hold();
  {
    Runner runner([&] { return model.open(); });
    Job job;
    runner.submit(job);
    runner.submit(job);
    model.wait_for_runs(1);
  }
  CHECK(model.runs().size() == 1);
}

}  // namespace
}  // namespace cinnabar::engine
