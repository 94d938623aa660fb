// A log that nobody can fill: so many lines at once, then so many an hour; what is left out is counted and said.
//
// One thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>

namespace cinnabar::daemon {

class BoundedLog {
 public:
  using Clock = std::chrono::steady_clock;
  using Write = std::function<void(const std::string&)>;
  static constexpr int kAtOnce = 200;
  static constexpr std::chrono::seconds kForOneMore{10};

  explicit BoundedLog(Write write) : write_(std::move(write)) {}

  void add(const std::string& line, Clock::time_point now = Clock::now()) {
    if (!write_) return;
    const auto earned = (now - since_) / kForOneMore;
    since_ += earned * kForOneMore;
    room_ = earned >= kAtOnce - room_ ? kAtOnce : room_ + static_cast<int>(earned);
    if (room_ == 0) {
      ++left_out_;
      return;
    }
    --room_;
    if (left_out_ > 0) write_(std::to_string(std::exchange(left_out_, 0)) + " lines were left out here");
    write_(line);
  }

 private:
  Write write_;
  Clock::time_point since_ = Clock::now();
  int room_ = kAtOnce;
  int left_out_ = 0;
};

}  // namespace cinnabar::daemon
