/// A place in a text from which elements are read without a look at the text's end.
///
/// That is safe because of a rule: the text holds, at or after every place from which an element is read, a byte that
/// no element can contain, such as the bracket that closes the array. Elements are read up to that byte, not past it.
struct ElementCursor {
    var next: UnsafePointer<UInt8>
    let start: UnsafePointer<UInt8>
    /// Loads of several bytes must not reach beyond.
    let end: UnsafePointer<UInt8>

    init(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.bindMemory(to: UInt8.self).baseAddress else {
            preconditionFailure("there is a byte that ends the elements")
        }
        (self.start, self.next, self.end) = (base, base, base + bytes.count)
    }

    /// The number of bytes before `next`.
    var position: Int { self.next - self.start }

    @inline(__always)
    mutating func skipSpace() {
        while self.next.pointee.isJSONSpace {
            self.next += 1
        }
    }

    /// Passes over `literal` if it stands here. The comparison stops at the first difference.
    mutating func skip(_ literal: StaticString) -> Bool {
        for index in 0..<literal.utf8CodeUnitCount where self.next[index] != literal.utf8Start[index] {
            return false
        }
        self.next += literal.utf8CodeUnitCount
        return true
    }

    /// What is wrong with the value here, where a number was expected: the fault of last resort.
    func fault() -> ElementFault {
        var probe = self
        switch self.next.pointee {
        case ASCII.openBracket: return .array
        case ASCII.openBrace: return .wrongKind(.object)
        case ASCII.quote: return .wrongKind(.string)
        case UInt8(ascii: "t"): return probe.skip("true") ? .wrongKind(.boolean) : .notAValue
        case UInt8(ascii: "f"): return probe.skip("false") ? .wrongKind(.boolean) : .notAValue
        case UInt8(ascii: "n"): return probe.skip("null") ? .wrongKind(.null) : .notAValue
        case UInt8(ascii: "N"): return probe.skip("NaN") ? .wrongKind(.number) : .notAValue
        case UInt8(ascii: "I"): return probe.skip("Infinity") ? .wrongKind(.number) : .notAValue
        case ASCII.minus: return probe.skip("-Infinity") ? .wrongKind(.number) : .malformed(.noDigits)
        default: return .notAValue
        }
    }
}
