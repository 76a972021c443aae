extension JSONReader {
    /// The longest text that is compared with the words of a vocabulary, in bytes; the words are shorter.
    private static let wordLimit = 64

    /// Whether `text` may be compared with the words of a vocabulary: it is short, and printable ASCII.
    static func isWord(_ text: String) -> Bool {
        text.utf8.count <= Self.wordLimit && text.utf8.allSatisfy { 0x20..<0x7f ~= $0 }
    }

    /// Reads a string that is to be compared with a vocabulary of short ASCII words.
    ///
    /// Any other text comes back cut to 64 characters and as ASCII, with escapes for the rest: safe to compare and to
    /// show, and never equal to a word.
    public mutating func readWord() throws(TensorFormatError) -> String {
        let text = try self.readString()
        if Self.isWord(text) {
            return text
        }
        let kept = text.unicodeScalars.prefix(Self.wordLimit)
        let isCut = kept.endIndex < text.unicodeScalars.endIndex
        return kept.map { 0x20..<0x7f ~= $0.value ? String($0) : $0.escaped(asASCII: true) }.joined()
            + (isCut ? "…" : "")
    }

    /// Reads a string that must be one of `words`.
    public mutating func readChoice(_ words: [String]) throws(TensorFormatError) -> String {
        _ = try self.peekToken()
        let offset = self.position
        let word = try self.readWord()
        guard words.contains(word) else {
            throw .unknownWord(word, allowed: words, pointer: self.pointer, offset: offset)
        }
        return word
    }
}
