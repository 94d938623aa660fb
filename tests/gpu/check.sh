#!/usr/bin/env bash
# What ./dev gpu-check runs on a machine with a GPU: check.sh FOLDER [OUT]
#
# FOLDER holds what the build put together: cinnabar, libcinnabar_cuda.so, kernels_tests, lib/ with the libraries that the
# machine may lack, and models/default. Nothing else of the tree is needed, and no network. OUT (default: FOLDER/results)
# gets a log of each step; the summary comes last. Exits 0 when every step passed. CINNABAR_GPU_MODEL names the
# model's folder where it lies elsewhere, CINNABAR_GPU_HOLES how many holes are filled (40). The library of
# build/release/kernels/cuda/on_host in place of the other rehearses the first step without a GPU.
set -uo pipefail
folder=$(cd "$1" && pwd) out=${2:-$1/results}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$out"
export LD_LIBRARY_PATH=$folder/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} CINNABAR_TEST_CUDA=$folder/libcinnabar_cuda.so
model=${CINNABAR_GPU_MODEL:-$folder/models/default}
status=0 report=()

step() {  # NAME COMMAND...: output to a log
  local name=$1 start=$SECONDS result=ok; shift
  "$@" >"$out/$name.log" 2>&1 || { result="FAILED (exit $?)"; status=1; tail -n 30 "$out/$name.log"; }
  report+=("$(printf '%-22s %4d s  %s' "$name" $((SECONDS - start)) "$result")")
  echo "${report[-1]}"
}

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | tee "$out/gpu.txt"

# Operations against the CPU: the tests of tests/unit/kernels/cuda, on the device.
step operations "$folder/kernels_tests" 'cuda: *'
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck initcheck; do
    step "$tool" compute-sanitizer --tool "$tool" --error-exitcode 9 "$folder/kernels_tests" 'cuda: scores*,cuda: attention*,cuda: stacked*,cuda: several*,cuda: composite operations of more*'
  done
else
  report+=("compute-sanitizer is not here: memory and races were not checked")
fi

if [[ -e $model ]]; then
  # The embedded model: the same holes on both devices, then the same table on both.
  for device in cuda cpu; do
    step "infill-$device" "$folder/cinnabar" infill --jsonl --stop line --max-tokens 48 --device "$device" --model "$model" \
      < <(head -n "${CINNABAR_GPU_HOLES:-40}" "$here/../holes/single_line.jsonl")
  done
  step same-answers python3 "$here/compare.py" "$out/infill-cpu.log" "$out/infill-cuda.log"
  cat "$out/same-answers.log"
  for device in cuda cpu; do
    step "bench-$device" "$folder/cinnabar" bench denoise --device "$device" --model "$model"
  done
  step bench-ops-cuda "$folder/cinnabar" bench ops --device cuda --model "$model"
  cat "$out/bench-cuda.log" "$out/bench-ops-cuda.log"
else
  report+=("no $model: answers and times were not checked"); status=1
fi

echo "--- summary"
printf '%s\n' "${report[@]}"
exit $status
