import Foundation

struct Lap {
    let number: Int
    let duration: TimeInterval
}

final class Stopwatch {
    private var startedAt: Date?
    private var elapsed: TimeInterval = 0
    private(set) var laps: [Lap] = []

    var isRunning: Bool {
        return startedAt != nil
    }

    func start() {
        guard !isRunning else { return }
        startedAt = Date()
    }

    func stop() {
        guard let startedAt = startedAt else { return }
        elapsed += Date().timeIntervalSince(startedAt)
        self.startedAt = nil
    }

    func lap() {
        let total = laps.reduce(0) { $0 + $1.duration }
        laps.append(Lap(number: laps.count + 1, duration: currentTime - total))
    }

    var currentTime: TimeInterval {
        guard let startedAt = startedAt else { return elapsed }
        return elapsed + Date().timeIntervalSince(startedAt)
    }

    func reset() {
        startedAt = nil
        elapsed = 0
        laps.removeAll()
    }
}

func format(_ time: TimeInterval) -> String {
    let minutes = Int(time) / 60
    let seconds = Int(time) % 60
    return String(format: "%02d:%02d", minutes, seconds)
}
