import Foundation

struct Article: Codable, Identifiable {
    let id: Int
    let title: String
    let url: URL
    let published: Date
}

enum FeedError: Error {
    case badStatus(Int)
    case empty
}

final class FeedLoader {
    private let session: URLSession
    private let decoder: JSONDecoder

    init(session: URLSession = .shared) {
        self.session = session
        decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
    }

    func load(from url: URL) async throws -> [Article] {
        let (data, response) = try await session.data(from: url)
        if let http = response as? HTTPURLResponse, http.statusCode != 200 {
            throw FeedError.badStatus(http.statusCode)
        }
        let articles = try decoder.decode([Article].self, from: data)
        guard !articles.isEmpty else {
            throw FeedError.empty
        }
        return articles.sorted { $0.published > $1.published }
    }
}

extension Article {
    var isRecent: Bool {
        return published > Date().addingTimeInterval(-24 * 60 * 60)
    }
}
