#!/usr/bin/env python3
"""Fits the confidence gate (daemon/completion/gate.h) on one half of the held-out holes and measures it on the other.

    python3 tests/holes/held_out.py list | cinnabar eval - --model MODEL --answers answers.jsonl
    python3 tests/holes/fit_gate.py answers.jsonl...      the last line belongs into the model's model.json
    python3 tests/holes/fit_gate.py --all answers.jsonl...    of few answers: fits on all, measures by cross-validation

The gate judges lines. A line is right when it equals the middle's, blanks at both ends left out, and the lines in front of it are right;
what stands behind a wrong line is not looked at. From the probabilities p and margins m of a line's tokens come four features: the sum
of log p, the least log p, the least m, and log(tokens); a logistic regression, in which no p or m counts against a line, makes the
probability of "right" of them. An answer is shown when its first line is sure by itself, all its lines are on the average, and none is
a mere guess. The threshold is chosen on the first half by the share of answers with a right first line that it lets through; precision
(the first line is right) and recall are reported on the second half. Standard library only; the same answers give the same numbers.
"""
import hashlib
import json
import math
import sys

import held_out

WANTED = {"balanced": 0.90, "quiet": 0.60}  # share of right answers that are let through
RISING = {0, 1, 2}  # features, as features() has them, that cannot count against a line
LEAST = 1e-4  # probabilities below count as this
GUESS = 0.25  # daemon/completion/gate.cc: a line below this share of the threshold is a guess


def features(confidence):
    """`confidence`: [end, probability, margin] of each token."""
    logs = [math.log(max(p, LEAST)) for _, p, _ in confidence]
    return [sum(logs), min(logs), min(m for _, _, m in confidence), math.log(len(logs))]


def lines_of(text, confidence):
    """[(line, its tokens' confidence)], blank lines with the next one, as line_sureness in gate.cc has them."""
    data, lines, begin, start, own = text.encode(), [], 0, 0, []
    for i, token in enumerate(confidence):
        end = min(token[0], len(data))
        own.append(token)
        last = i + 1 == len(confidence)
        if (b"\n" in data[begin:end] or last) and (data[start:end].strip() or last):
            lines.append((data[start:end].decode(errors="replace"), own))
            start, own = end, []
        begin = end
    return lines


def rows_of(paths):
    """id, [(features, right)] of each line up to the first wrong one, [features] of all. A later file's texts count before an
    earlier one's; the confidence is that of the file that has it."""
    holes, answers = {h["id"]: h for h in held_out.joined()}, {}
    for path in paths:
        with open(path, encoding="utf-8") as f:
            for answer in held_out.read_jsonl(f, path):
                answers.setdefault(answer.get("id"), {}).update({k: v for k, v in answer.items() if v != []})
    for key, answer in answers.items():
        text = answer.get("raw") or answer.get("text", "")
        if not text.strip() or not answer.get("confidence"):
            continue
        wanted = [line.strip() for line in holes[key]["middle"].split("\n") if line.strip()]
        judged, all_features, right = [], [], True
        for i, (line, own) in enumerate(lines_of(text, answer["confidence"])):
            x = features(own)
            all_features.append(x)
            if right:
                right = i < len(wanted) and line.strip() == wanted[i]
                judged.append((x, right))
        yield key, judged, all_features


def probability(weights, x):
    z = weights[0] + sum(w * v for w, v in zip(weights[1:], x))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))


def solve(matrix, vector):
    """Gaussian elimination with the largest pivot."""
    n = len(vector)
    rows = [row[:] + [value] for row, value in zip(matrix, vector)]
    for i in range(n):
        best = max(range(i, n), key=lambda r: abs(rows[r][i]))
        rows[i], rows[best] = rows[best], rows[i]
        for r in range(i + 1, n):
            factor = rows[r][i] / rows[i][i]
            rows[r] = [a - factor * b for a, b in zip(rows[r], rows[i])]
    result = [0.0] * n
    for i in reversed(range(n)):
        result[i] = (rows[i][n] - sum(rows[i][j] * result[j] for j in range(i + 1, n))) / rows[i][i]
    return result


def newton(rows, used, ridge):
    """Logistic regression over the features of `used`, the others' weights 0, by Newton's method; `ridge` keeps the weights
    small, the constant aside."""
    weights = [0.0] * (len(used) + 1)
    for _ in range(25):
        gradient, hessian = [0.0] * len(weights), [[0.0] * len(weights) for _ in weights]
        for x, right in rows:
            own = [x[i] for i in used]
            p, full = probability(weights, own), [1.0, *own]
            for i in range(len(weights)):
                gradient[i] += (right - p) * full[i]
                for j in range(len(weights)):
                    hessian[i][j] += p * (1 - p) * full[i] * full[j]
        for i in range(1, len(weights)):
            gradient[i] -= ridge * weights[i]
            hessian[i][i] += ridge
        hessian[0][0] += 1e-9
        weights = [w + step for w, step in zip(weights, solve(hessian, gradient))]
    return weights


def fit(rows, ridge=0.1):
    """No weight of a probability or margin is below 0: surer tokens make no line less sure. Few answers would say so, since these
    features go together; the one that is most below goes first."""
    used = list(range(len(rows[0][0])))
    while True:
        weights = newton(rows, used, ridge)
        wrong = [(w, i) for i, w in zip(used, weights[1:]) if i in RISING and w < 0]
        if not wrong:
            break
        used.remove(min(wrong)[1])
    return [weights[0]] + [weights[1 + used.index(i)] if i in used else 0.0 for i in range(len(rows[0][0]))]


def is_sure(weights, lines, threshold):
    sure = [probability(weights, x) for x in lines]
    return sure[0] >= threshold and sum(sure) >= threshold * len(sure) and min(sure) >= threshold * GUESS


def threshold_for(rows, weights, share):
    """The largest one that lets at least `share` of the answers with a right first line through."""
    right = [lines for _, judged, lines in rows if judged[0][1]]
    for threshold in (i / 1000 for i in range(999, 0, -1)):
        if sum(is_sure(weights, lines, threshold) for lines in right) >= share * len(right):
            return threshold
    return 0.0


def measure(rows, weights, threshold):
    shown = [judged[0][1] for _, judged, lines in rows if is_sure(weights, lines, threshold)]
    return (100 * sum(shown) / max(len(shown), 1), 100 * sum(shown) / max(sum(j[0][1] for _, j, _ in rows), 1),
            100 * len(shown) / len(rows))


def fitted(rows):
    """Weights, and the threshold for each word of WANTED."""
    weights = fit([line for _, judged, _ in rows for line in judged])
    return weights, {name: threshold_for(rows, weights, share) for name, share in WANTED.items()}


def crossed(rows, folds=5, rounds=10):
    """(precision, recall, shown) for each word of WANTED, in %: of each fold by the others' fit, in several divisions."""
    sums = {name: [0, 0] for name in WANTED}
    for number in range(rounds):
        order = sorted(rows, key=lambda row: hashlib.sha256(f"{number} {row[0]}".encode()).digest())
        for fold in range(folds):
            kept, left = [row for i, row in enumerate(order) if i % folds != fold], order[fold::folds]
            weights, thresholds = fitted(kept)
            for name, threshold in thresholds.items():
                shown = [judged[0][1] for _, judged, lines in left if is_sure(weights, lines, threshold)]
                sums[name][0] += len(shown)
                sums[name][1] += sum(shown)
    right = rounds * sum(judged[0][1] for _, judged, _ in rows)
    return {name: (100 * good / max(shown, 1), 100 * good / max(right, 1), 100 * shown / (rounds * len(rows)))
            for name, (shown, good) in sums.items()}


def print_gate(weights, thresholds):
    names = ["constant", "sum", "least", "least_margin", "log_tokens"]
    print('"gate":', json.dumps({name: round(value, 3) for name, value in [*zip(names, weights), *thresholds.items()]}))


def fit_all(rows):
    weights, thresholds = fitted(rows)
    print(f"{len(rows)} answers, {sum(j[0][1] for _, j, _ in rows)} with a right first line")
    print(f"{'':10} {'threshold':>9} {'precision':>9} {'recall':>7} {'shown':>6}   by cross-validation, in %")
    for name, (precision, recall, shown) in crossed(rows).items():
        print(f"{name:10} {thresholds[name]:9.3f} {precision:9.1f} {recall:7.1f} {shown:6.1f}")
    print_gate(weights, thresholds)


def main():
    paths = [path for path in sys.argv[1:] if path != "--all"]
    rows = sorted(rows_of(paths))
    if len(paths) + 1 < len(sys.argv):
        return fit_all(rows)
    halves = [], []
    for row in rows:
        halves[hashlib.sha256(row[0].encode()).digest()[0] % 2].append(row)
    weights, thresholds = fitted(halves[0])
    print(f"{len(halves[0])} answers to fit, {sum(j[0][1] for _, j, _ in halves[0])} with a right first line; "
          f"{len(halves[1])} to measure, {sum(j[0][1] for _, j, _ in halves[1])} with one")
    print("constant, sum of log p, least log p, least margin, log tokens:", ", ".join(f"{w:.3f}" for w in weights))
    print(f"{'':10} {'threshold':>9} {'precision':>9} {'recall':>7} {'shown':>6}   on the second half, in %")
    for name, threshold in thresholds.items():
        precision, recall, shown = measure(halves[1], weights, threshold)
        print(f"{name:10} {threshold:9.3f} {precision:9.1f} {recall:7.1f} {shown:6.1f}")
    print("{:10} {:9} {:9.1f} {:7.1f} {:6.1f}".format("no gate", "", *measure(halves[1], weights, 0.0)))
    print_gate(weights, thresholds)


if __name__ == "__main__":
    main()
