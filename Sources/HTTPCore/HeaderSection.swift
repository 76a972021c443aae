import HTTPTypes

/// The field lines of a head, with those that the protocol itself depends on set aside to be judged.
struct HeaderSection {
    /// All fields but Host, in the order they came in.
    private(set) var fields = HTTPFields()

    private(set) var lineCount = 0

    private var host: (text: String, isValid: Bool)?
    private var contentLength: ContentLength?
    private var transferCodings: TransferCodings?
    private var wantsClose = false
    private var wantsKeepAlive = false
    private var expectation: (any100Continue: Bool, anyOther: Bool) = (false, false)
    private var hasContentType = false

    private(set) var contentEncoding = ContentEncoding()
    private(set) var acceptEncoding = AcceptEncoding()

    private enum ContentLength {
        case valid(Int)
        /// A number too large for this machine's integers, and so for any limit.
        case beyondAnyLimit
    }

    /// Takes one line, without its line end.
    mutating func append(line: UnsafeRawBufferPointer) throws(HTTPError) {
        self.lineCount += 1
        // RFC 9112 §5.2: a server must refuse obs-fold or replace it; §2.2: the same before the first field.
        if let first = line.first, first.isBlank { throw .foldedField }
        // RFC 9112 §5.1: no white space between name and colon; RFC 9110 §5.1: a name is a token.
        guard let colon = line.firstIndex(where: { !$0.isTokenCharacter }), colon > 0, line[colon] == UInt8(ascii: ":")
        else { throw .invalidFieldName }
        let value = line.slice(colon + 1..<line.count).trimmingBlanks()
        // RFC 9110 §5.5: CR, LF, NUL must go; the other control characters are invalid too.
        guard value.allSatisfy(\.isFieldCharacter) else { throw .invalidFieldValue }
        let name = line.slice(0..<colon)
        if try self.note(name, value) { return }
        guard let fieldName = HTTPField.Name(name.string) else { throw .invalidFieldName }
        self.fields.append(HTTPField(name: fieldName, value: value))
    }

    /// Judges a field that the protocol depends on.
    ///
    /// - Returns: whether that was all it is for.
    private mutating func note(
        _ name: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer
    ) throws(HTTPError) -> Bool {
        switch name.count {
        case 4 where name.equalsIgnoringCase("host"):
            // RFC 9112 §3.2: more than one Host line is refused in any version.
            guard self.host == nil else { throw .repeatedHost }
            self.host = (value.string, Authority.isValid(value))
            return true
        case 6 where name.equalsIgnoringCase("expect"):
            value.forEachListMember { member in
                if member.equalsIgnoringCase("100-continue") {
                    self.expectation.any100Continue = true
                } else {
                    self.expectation.anyOther = true
                }
            }
        case 10 where name.equalsIgnoringCase("connection"):
            value.forEachListMember { member in
                if member.equalsIgnoringCase("close") { self.wantsClose = true }
                if member.equalsIgnoringCase("keep-alive") { self.wantsKeepAlive = true }
            }
        case 12 where name.equalsIgnoringCase("content-type"):
            // RFC 9110 §5.3: a singleton that is repeated is ambiguous.
            guard !self.hasContentType else { throw .repeatedContentType }
            self.hasContentType = true
        case 14 where name.equalsIgnoringCase("content-length"):
            // RFC 9110 §8.6: equal repeats may be refused as well as differing ones.
            guard self.contentLength == nil else { throw .repeatedContentLength }
            self.contentLength = try Self.contentLength(value)
        case 15 where name.equalsIgnoringCase("accept-encoding"):
            self.acceptEncoding.append(value)
        case 16 where name.equalsIgnoringCase("content-encoding"):
            self.contentEncoding.append(value)
        case 17 where name.equalsIgnoringCase("transfer-encoding"):
            var codings = self.transferCodings ?? TransferCodings()
            codings.append(value)
            self.transferCodings = codings
        default:
            break
        }
        return false
    }

    private static func contentLength(_ text: UnsafeRawBufferPointer) throws(HTTPError) -> ContentLength {
        // RFC 9112 §6.3 (5): 1*DIGIT, nothing else; "5, 5" is a repeat (RFC 9110 §8.6).
        guard !text.isEmpty, text.allSatisfy(\.isDigit) else { throw .invalidContentLength }
        var length = 0
        for digit in text {
            let (shifted, overflow) = length.multipliedReportingOverflow(by: 10)
            let (sum, carry) = shifted.addingReportingOverflow(Int(digit - UInt8(ascii: "0")))
            if overflow || carry { return .beyondAnyLimit }
            length = sum
        }
        return .valid(length)
    }
}

extension HeaderSection {
    /// Where the content ends.
    func framing(version: HTTPVersion, limits: HTTPLimits) throws(HTTPError) -> BodyFraming {
        if let transferCodings {
            // RFC 9112 §6.1: both together smell of request smuggling.
            guard self.contentLength == nil else { throw .contentLengthWithTransferEncoding }
            // RFC 9112 §6.1: in HTTP/1.0 it must be treated as faulty framing.
            guard version != .http10 else { throw .transferEncodingInHTTP10 }
            try transferCodings.check()
            return .chunked
        }
        switch self.contentLength {
        case nil, .valid(0):
            // RFC 9112 §6.3 (7)
            return .none
        case .valid(let length) where length <= limits.maxBodyBytes:
            return .length(length)
        case .valid, .beyondAnyLimit:
            // RFC 9110 §15.5.14
            throw .bodyTooLarge
        }
    }

    func validHost(version: HTTPVersion) throws(HTTPError) -> String? {
        guard let host else {
            // RFC 9112 §3.2: HTTP/1.1 needs a Host, HTTP/1.0 does not.
            guard version == .http10 else { throw .missingHost }
            return nil
        }
        // RFC 9112 §3.2: an invalid value is refused. §3.3 leaves an empty one to the server.
        guard host.isValid else { throw .invalidHost }
        return host.text
    }

    func expectsContinue(version: HTTPVersion) throws(HTTPError) -> Bool {
        // RFC 9110 §10.1.1: HTTP/1.0 has no expectations.
        guard version == .http11 else { return false }
        guard !self.expectation.anyOther else { throw .unsupportedExpectation }
        return self.expectation.any100Continue
    }

    func isPersistent(version: HTTPVersion) -> Bool {
        // RFC 9112 §9.3: close wins; HTTP/1.1 goes on by default, HTTP/1.0 does not.
        !self.wantsClose && (version == .http11 || self.wantsKeepAlive)
    }
}
