// The program's commands, one function each; see the table in daemon/commands/command_line.cc. Each prints its result on standard
// output, what went wrong on standard error, and returns the exit status: 0 done, 1 failed, 2 wrong usage.
//
// Main thread only.
#pragma once

namespace cinnabar::daemon {

struct Options;

int run_complete(Options& options);
int run_infill(Options& options);
int run_eval(Options& options);
int run_eval_typing(Options& options);
int run_eval_edits(Options& options);
int run_fill(Options& options);
int run_rewrite(Options& options);
int run_plan(Options& options);
int run_parse(Options& options);
int run_prompt(Options& options);
int run_lsp(Options& options);
int run_daemon(Options& options);
int run_replay(Options& options);  // 1: an answer differs, too
int run_status(Options& options);  // and 3: no daemon runs
int run_model(Options& options);
int run_model_info(Options& options);
int run_model_list(Options& options);
int run_model_verify(Options& options);
int run_model_add(Options& options);
int run_model_remove(Options& options);
int run_model_use(Options& options);
int run_model_advise(Options& options);
int run_bench_denoise(Options& options);
int run_bench_operations(Options& options);
int run_bench_syntax(Options& options);
int run_completion(Options& options);
int run_setup(Options& options);
int run_doctor(Options& options);

}  // namespace cinnabar::daemon
