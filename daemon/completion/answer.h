// From what the model says to texts that are fit to be shown: the one order in which answers are shaped and judged.
//
//   present   what of the answer is text to insert, fitted into its place (present.h, fit.h)
//   critic    what of it leaves the document parsing (syntax/critic.h)
//   repair    an only answer that the critic faults is asked for again from where it went wrong (repair.h): run
//             request() once more, present and critic again, at most AnswerOptions::repairs times
//   gate      what the model was not sure enough of is kept back (gate.h); where that leaves whole lines, these are
//             presented and judged by themselves
//
// Protocol, for one Ask:
//
//   AnswerMachine machine(ask, options);
//   do run machine.request() on an engine or a runner; while (!machine.take(result));
//   machine.finish()                            // once; also earlier, by a caller who has no time for a repair
//
// A machine without a model. Owns all it needs; one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "daemon/completion/ask.h"
#include "daemon/completion/gate.h"
#include "daemon/completion/repair.h"

namespace cinnabar::daemon {

struct AnswerOptions {
  int repairs = 2;
  Eagerness eagerness = Eagerness::eager;
  GateWeights gate = {};                       // fitted to the model that answers
  std::optional<IndentStyle> formatting = {};  // what the editor says of the file; counts where the file says nothing
};

// A text to insert in the place of the ask's bytes.
struct Shown {
  std::string text;
  double sureness = 1;  // the gate's estimate, of the whole answer
  engine::StopReason reason = engine::StopReason::length;
  int tokens = 0;
};

// What one stage did with the answer, in the order of work: what `complete --explain` prints.
struct StageReport {
  std::string_view stage;
  double milliseconds = 0;
  std::string did;
};

struct Answered {
  std::vector<Shown> shown;          // the best first, none twice, none empty
  std::vector<std::string> doubted;  // answers of which the gate kept something back: drafts for the next request
  bool stopped_early = false;        // by the deadline or a cancellation
  engine::InfillResult first;        // as the model gave it, before any repair
  syntax::Verdict verdict;           // the critic's on the first answer, after repairs
  int repairs = 0, repair_forwards = 0;
  double repair_milliseconds = 0;
  bool repaired = false;  // the first answer was wrong, and one that came later is right
  std::vector<StageReport> stages;

  const std::string& text() const;  // the first that is shown; empty where none is
};

class AnswerMachine {
 public:
  AnswerMachine(Ask ask, AnswerOptions options);
  AnswerMachine(const AnswerMachine&) = delete;
  AnswerMachine& operator=(const AnswerMachine&) = delete;

  const Ask& ask() const { return ask_; }
  const engine::InfillRequest& request() const { return repair_ ? repair_->request() : ask_.request; }
  // `result` is request()'s. True: it is the last one. False: request() is another one now, from where the answer went
  // wrong.
  bool take(engine::InfillResult result);
  // Fitted to the model that answered, which may not have been there when the machine was made.
  void judge_by(const GateWeights& gate) { options_.gate = gate; }
  // Requires: take() was called. Ends the machine's work.
  Answered finish();

 private:
  std::string presented(const engine::InfillAnswer& answer) const;
  std::string present(const engine::InfillAnswer& answer);
  std::string judged(const engine::InfillAnswer& answer, bool is_first);
  void report(std::string_view stage, double since, std::string did);

  const Ask ask_;
  AnswerOptions options_;
  std::optional<syntax::Repair> repair_;  // of an only answer, where there is a tree
  Answered answered_;
  int taken_ = 0;
};

}  // namespace cinnabar::daemon
