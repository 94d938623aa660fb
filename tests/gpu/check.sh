#!/usr/bin/env bash
# What ./dev gpu-check runs on a machine with a GPU, in ten minutes: check.sh FOLDER [OUT]
#
# FOLDER holds what the build put together: cinnabar, libcinnabar_cuda.so, kernels_tests, gpu_table, lib/ with the libraries
# that the machine may lack, and models/default. Nothing else of the tree is needed but tests/gpu and tests/holes, and no
# network. OUT (default: FOLDER/results) gets a log of each step, and report.txt and report.json, which are what is worth
# keeping. Exits 0 when every step passed. What there is no time for is left out and named.
#
#   CINNABAR_GPU_MODEL=PATH     the model's folder, where it lies elsewhere
#   CINNABAR_GPU_HOLES=40       how many holes are filled, of CINNABAR_GPU_HOLES_FILE (tests/holes/single_line.jsonl)
#   CINNABAR_GPU_SECONDS=560    time for all steps together
#   CINNABAR_GPU_REHEARSAL=1    small shapes and few tests: with the library of build/release/kernels/cuda/on_host in place of
#                               the other all steps run without a GPU (tests/gpu/rehearse.py)
set -uo pipefail
folder=$(cd "$1" && pwd) out=${2:-$1/results}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$out"
out=$(cd "$out" && pwd)
export LD_LIBRARY_PATH=$folder/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} CINNABAR_TEST_CUDA=$folder/libcinnabar_cuda.so
model=${CINNABAR_GPU_MODEL:-$folder/models/default} holes=${CINNABAR_GPU_HOLES:-40}
holes_file=${CINNABAR_GPU_HOLES_FILE:-$here/../holes/single_line.jsonl} all=${CINNABAR_GPU_SECONDS:-560}
tests='cuda: *' some='cuda: scores*,cuda: attention*,cuda: stacked*,cuda: several*,cuda: composite operations of more*'
small=() slower=1
if [[ -n ${CINNABAR_GPU_REHEARSAL:-} ]]; then tests='cuda: equal*' some=$tests small=(--tiny) slower=20; fi
status=0
: >"$out/steps.tsv"

# NAME SECONDS COMMAND...: its output to a log; at most so long, or what is left of all.
step() {
  local name=$1 limit=$(($2 * slower)) start=$SECONDS result=ok left=$((all * slower - SECONDS)); shift 2
  if ((left < 5)); then result="left out: no time" status=1
  else
    timeout -k 5 $((limit < left ? limit : left)) "$@" >"$out/$name.log" 2>"$out/$name.err"
    case $? in 0) ;; 124 | 137) result="FAILED (took more than $limit s)" status=1 ;; *) result="FAILED" status=1 ;; esac
    [[ $result == ok ]] || tail -n 30 "$out/$name.log" "$out/$name.err"
  fi
  printf '%s\t%d\t%s\n' "$name" $((SECONDS - start)) "$result" | tee -a "$out/steps.tsv"
}

# MODE DEVICE: the holes, for tests/gpu/compare.py and the speeds of modes.
fill() {  # shellcheck disable=SC2317  # called by the shells of steps
  head -n "$holes" "$holes_file" |
    "$folder/cinnabar" infill --jsonl --stop line --max-tokens 48 --device "$2" --mode "$1" --model "$model"
}

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>&1 | tee "$out/gpu.txt"

# First what everything else is held against, then whether results are right, then how long they take.
step ceilings 100 python3 "$here/ceilings.py" "$out/ceilings.json"
cat "$out/ceilings.log"
gemm=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1])).get("gemm_bf16_tflops", 0))' "$out/ceilings.json" || echo 0)
step operations 150 "$folder/kernels_tests" "$tests"
step table 170 "$folder/gpu_table" "$folder/libcinnabar_cuda.so" "$out/table.json" --gemm "$gemm" --seconds 120 "${small[@]}"
cat "$out/table.log"

if [[ -e $model ]]; then
  export -f fill
  export folder holes holes_file model
  for device in cuda cpu; do step "infill-$device" 60 bash -c "fill verified $device"; done
  step same-answers 10 python3 "$here/compare.py" "$out/infill-cpu.log" "$out/infill-cuda.log"
  cat "$out/same-answers.log"
  for mode in autoregressive diffusion; do step "infill-cuda-$mode" 60 bash -c "fill $mode cuda"; done
else
  printf 'no %s\t0\tFAILED: answers were not checked\n' "$model" | tee -a "$out/steps.tsv"
  status=1
fi

if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck synccheck initcheck; do
    step "$tool" 90 compute-sanitizer --tool "$tool" --error-exitcode 9 "$folder/kernels_tests" "$some"
  done
else
  printf 'compute-sanitizer\t0\tleft out: it is not here\n' | tee -a "$out/steps.tsv"
fi

python3 "$here/report.py" "$out" || status=1
exit $status
