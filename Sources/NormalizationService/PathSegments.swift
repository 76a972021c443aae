import FoundationEssentials

/// The segments of a target's path.
enum PathSegments {
    /// The segments of a target in origin-form, each of them decoded, the query left out; `nil` where one cannot be.
    ///
    /// RFC 3986 §2.3: an encoded unreserved character means the same as the character. Segments are decoded one by one, so
    /// that an encoded slash never becomes a delimiter.
    static func decoded(from target: String) -> [String]? {
        guard target.utf8.first == UInt8(ascii: "/") else { return nil }
        let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
        let isCoded = path.contains(UInt8(ascii: "%"))
        var segments: [String] = []
        for segment in path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard isCoded else {
                segments.append(String(Substring(segment)))
                continue
            }
            guard
                let decoded = URLComponents(string: "/\(Substring(segment))", encodingInvalidCharacters: false)?
                    .path.dropFirst(),
                !decoded.contains("/")
            else { return nil }
            segments.append(String(decoded))
        }
        return segments
    }
}
