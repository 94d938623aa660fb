// A model for tests of what stands around one: answers by a function, counts what it is asked, and can be held inside a
// run until the test lets it go on or stops it.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/infiller.h"

namespace cinnabar::tests {

// Shared by the test and the infillers it hands out, so that it outlives a reload. Thread-safe.
class FakeModel {
 public:
  // What to answer; the default answers "answer". On the runner's thread.
  std::function<std::vector<std::string>(const engine::InfillRequest&)> answers = [](const auto&) {
    return std::vector<std::string>{"answer"};
  };
  engine::StopReason ended_by = engine::StopReason::hole_end;  // all answers
  // How sure it is of each token of its answers; empty: see path_of().
  std::vector<engine::InfillToken> confidence;
  std::atomic<bool> device_fails = false;                   // every step, until it is opened again
  std::string no_gpu;                                       // why it says that a GPU is not used
  std::function<Status()> opens = [] { return Status(); };  // what opening it says

  Result<std::unique_ptr<engine::Infiller>> open() {
    ++opened;
    device_fails = false;
    if (Status status = opens(); !status) return status;
    return std::unique_ptr<engine::Infiller>(std::make_unique<Infiller>(*this));
  }

  // From now on a run shows `text` as its answer so far and then waits for release() or its stop token.
  void hold(std::string text = {}) {
    const std::lock_guard lock(mutex_);
    held_ = true;
    text_ = std::move(text);
  }
  void release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  // Waits until `count` runs, warmings included, have begun.
  void wait_for_runs(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return runs_.size() >= count; });
  }
  // What was asked, in order: the prefix, with "warm:" before it where it was a warming.
  std::vector<std::string> runs() {
    const std::lock_guard lock(mutex_);
    return runs_;
  }
  // The same without warmings, whole.
  std::vector<engine::InfillRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  std::atomic<int> opened = 0;
  std::atomic<int> together = 1;  // how many may run at a time
  std::atomic<bool> fills_together = false;

 private:
  struct Infill final : engine::Infill {
    explicit Infill(std::vector<Infill*>& all) : under_way(all) {}
    ~Infill() override { std::erase(under_way, this); }
    bool finished() const override { return ended; }
    std::string text() const override { return so_far; }
    engine::InfillResult take() override { return std::move(result); }
    void end(engine::StopReason reason) {
      if (purpose == engine::Purpose::fill) result.answers.push_back({so_far, reason, 1});
      ended = true;
    }

    std::vector<Infill*>& under_way;
    engine::InfillRequest request;
    engine::DecodeLimits limits;
    engine::Purpose purpose = engine::Purpose::fill;
    std::string so_far;
    engine::InfillResult result;
    bool begun = false, ended = false;
  };

  class Infiller final : public engine::Infiller {
   public:
    explicit Infiller(FakeModel& model) : model_(model) {}
    Result<std::unique_ptr<engine::Infill>> begin(const engine::InfillRequest& request,
                                                  const engine::DecodeLimits& limits,
                                                  engine::Purpose purpose) override {
      auto infill = std::make_unique<Infill>(under_way_);
      infill->request = request;
      infill->limits = limits;
      infill->purpose = purpose;
      infill->so_far = model_.so_far();
      under_way_.push_back(infill.get());
      return std::unique_ptr<engine::Infill>(std::move(infill));
    }
    Status advance() override {
      for (Infill* infill : under_way_) model_.note(*infill);
      if (Status failed = failure(); !failed) return failed;
      model_.wait_a_little();
      for (Infill* infill : under_way_) model_.move_on(*infill);
      return {};
    }
    Status failure() const override { return model_.device_fails ? Status::error("the device is gone") : Status(); }
    int most_together() const override { return model_.together; }
    std::string description() const override { return "fake"; }
    std::string device() const override { return "nowhere"; }
    std::string no_gpu() const override { return model_.no_gpu; }
    bool fills_together() const override { return model_.fills_together; }
    Result<engine::Way> way_of(engine::Mode) const override { return engine::Way{}; }

   private:
    FakeModel& model_;
    std::vector<Infill*> under_way_;
  };

  std::string so_far() {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  void note(Infill& infill) {
    if (std::exchange(infill.begun, true)) return;
    const bool warm = infill.purpose == engine::Purpose::warm;
    const std::lock_guard lock(mutex_);
    if (!warm) requests_.push_back(infill.request);
    runs_.push_back((warm ? "warm:" : "") + infill.request.prefix);
    changed_.notify_all();
  }
  // So that more can begin beside what is held.
  void wait_a_little() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(2), [this] { return !held_; });
  }
  void move_on(Infill& infill) {
    if (infill.ended) return;
    if (infill.limits.cancel.stop_requested()) return infill.end(engine::StopReason::cancelled);
    {
      const std::lock_guard lock(mutex_);
      if (held_) return;
    }
    if (infill.limits.deadline && std::chrono::steady_clock::now() >= *infill.limits.deadline)
      return infill.end(engine::StopReason::deadline);
    infill.ended = true;
    if (infill.purpose == engine::Purpose::warm) return;
    for (const std::string& text : answers(infill.request)) {
      auto& first = infill.result.answers;  // of a request of several holes the further texts are those holes'
      auto& to = infill.request.next.empty() || first.empty() ? first : infill.result.next;
      to.push_back({text, ended_by, 1, confidence.empty() ? path_of(text) : confidence});
    }
  }

  // A token for each word and the blanks in front of it; the last is the least sure.
  static std::vector<engine::InfillToken> path_of(const std::string& text) {
    std::vector<engine::InfillToken> path;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t word = std::min(text.find_first_not_of(' ', at), text.size());
      at = std::min(text.find(' ', word), text.size());
      path.push_back({static_cast<std::int32_t>(path.size()), 0.9f, at});
    }
    if (!path.empty()) path.back().probability = 0.5f;
    return path;
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool held_ = false;
  std::string text_;
  std::vector<std::string> runs_;
  std::vector<engine::InfillRequest> requests_;
};

}  // namespace cinnabar::tests
