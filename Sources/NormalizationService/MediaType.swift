import HTTPTypes

/// The representations of a tensor that `/normalize` reads and writes.
enum MediaType: String, CaseIterable {
    case json = "application/json"
    /// JSON followed by raw tensor bytes, framed by `Inference-Header-Content-Length`.
    case binary = "application/octet-stream"
    /// A file of numpy's, with the layer in the query.
    case npy = "application/x-npy"
    /// A file of tensors, with all else in its metadata.
    case safetensors = "application/x-safetensors"

    /// How many elements of an `Accept` field are looked at.
    private static let rangeLimit = 64

    /// All of them, as an `Accept` field lists them.
    static let list = allCases.map(\.rawValue).joined(separator: ", ")

    /// The media type of a `Content-Type` value, parameters left out; `nil` if it is not one of these.
    init?(contentType: String) {
        if let type = Self(rawValue: contentType) {
            self = type
            return
        }
        let type = contentType.prefix { $0 != ";" }.trimmingOptionalWhitespace().lowercased()
        self.init(rawValue: type)
    }

    /// The representation that an `Accept` value prefers (RFC 9110 §12.5.1), or `nil` if it accepts none.
    ///
    /// Among equally welcome ones `preferred` wins. A list that is longer than any client's is not looked at, as the RFC
    /// permits: it would cost time that nobody has asked for in earnest.
    static func negotiate(accept: String?, preferred: MediaType) -> MediaType? {
        guard let accept, !accept.isEmpty, accept.utf8.count(where: { $0 == UInt8(ascii: ",") }) < Self.rangeLimit
        else { return preferred }
        let ranges = accept.split(separator: ",").compactMap(MediaRange.init)
        guard !ranges.isEmpty else { return preferred }
        let candidates = [preferred] + Self.allCases.filter { $0 != preferred }
        var best: (type: MediaType, quality: Double)?
        for type in candidates {
            let quality = ranges.filter { $0.matches(type) }.max { $0.specificity < $1.specificity }?.quality ?? 0
            if quality > best?.quality ?? 0 {
                best = (type, quality)
            }
        }
        return best?.type
    }
}

/// One element of an `Accept` field: `application/*;q=0.5`.
private struct MediaRange {
    let type: String
    let subtype: String
    var quality = 1.0

    init?(_ element: Substring) {
        let parts = element.split(separator: ";").map { $0.trimmingOptionalWhitespace().lowercased() }
        guard let names = parts.first?.split(separator: "/"), names.count == 2 else { return nil }
        self.type = String(names[0])
        self.subtype = String(names[1])
        for parameter in parts.dropFirst() {
            if parameter.hasPrefix("q=") {
                guard let quality = Self.quality(parameter.dropFirst(2)) else { return nil }
                self.quality = quality
            } else if !parameter.hasPrefix("charset=") {
                // RFC 9110 §12.5.1: such a range is for a variant of the type that does not exist here.
                return nil
            }
        }
    }

    /// RFC 9110 §12.4.2: 0 or 1 with up to three digits after the point, and not more than 1.
    private static func quality(_ text: Substring) -> Double? {
        let digits = text.dropFirst(2)
        guard text.hasPrefix("0") || text.hasPrefix("1"), text.dropFirst().first ?? "." == ".", digits.count <= 3,
            digits.allSatisfy({ $0.isASCII && $0.isNumber }),
            let quality = Double(text + (text.hasSuffix(".") ? "0" : ""))
        else { return nil }
        return quality <= 1 ? quality : nil
    }

    /// The most specific range that matches decides (RFC 9110 §12.5.1).
    var specificity: Int { (self.type == "*" ? 0 : 1) + (self.subtype == "*" ? 0 : 1) }

    func matches(_ mediaType: MediaType) -> Bool {
        let names = mediaType.rawValue.split(separator: "/")
        return (self.type == "*" || self.type == names[0]) && (self.subtype == "*" || self.subtype == names[1])
    }
}

extension StringProtocol where SubSequence == Substring {
    /// Without the spaces and tabs at both ends (RFC 9110 §5.6.3).
    func trimmingOptionalWhitespace() -> Substring {
        let isWhitespace = { (character: Character) in character == " " || character == "\t" }
        let start = self.drop(while: isWhitespace)
        guard let end = start.lastIndex(where: { !isWhitespace($0) }) else { return start.prefix(0) }
        return start[...end]
    }
}
