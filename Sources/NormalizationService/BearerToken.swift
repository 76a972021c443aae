import HTTPCore
import HTTPTypes

/// The key that a request shows in `Authorization: Bearer KEY` (RFC 6750 §2.1).
struct BearerToken {
    let bytes: Substring.UTF8View

    /// The one key of the request, or 401.
    init(_ head: HTTPRequest) throws(HTTPProblem) {
        let values = head.headerFields[values: .authorization]
        guard let value = values.first else {
            throw .unauthorized("this needs a key, in the field Authorization: Bearer KEY")
        }
        // RFC 9110 §5.3: a field that is no list must not be repeated.
        guard values.count == 1 else { throw .unauthorized("Authorization appears more than once") }
        guard let token = Self(credentials: value) else {
            throw .unauthorized("Authorization is not the word Bearer, a space and a key")
        }
        self = token
    }

    /// `"Bearer" 1*SP b64token`; RFC 9110 §11.1: the scheme in any case.
    private init?(credentials: String) {
        let scheme = credentials.utf8.prefix { $0 != UInt8(ascii: " ") }
        guard scheme.elementsEqual("bearer".utf8, by: { $0 | 0x20 == $1 }) else { return nil }
        self.bytes = credentials.utf8[scheme.endIndex...].drop { $0 == UInt8(ascii: " ") }
        guard Self.isToken(self.bytes) else { return nil }
    }

    /// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
    static func isToken(_ text: some Collection<UInt8>) -> Bool {
        let padding = text.drop(while: \.isTokenCharacter)
        return padding.count < text.count && padding.allSatisfy { $0 == UInt8(ascii: "=") }
    }
}

extension UInt8 {
    fileprivate var isTokenCharacter: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "+"),
            UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
