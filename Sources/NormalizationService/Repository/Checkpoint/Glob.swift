/// Patterns in which `*` stands for any text, `?` for any one byte, and all else for itself.
enum Glob {
    /// Whether the whole of `text` matches. Takes at most the product of both lengths.
    static func matches(_ text: String, _ pattern: String) -> Bool {
        let (text, pattern) = (Array(text.utf8), Array(pattern.utf8))
        var (position, place) = (0, 0)
        // Where the last star stands, and how far it reaches: all before it is settled.
        var star: (place: Int, position: Int)?
        while position < text.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                star = (place, position)
                place += 1
            } else if place < pattern.count, pattern[place] == UInt8(ascii: "?") || pattern[place] == text[position] {
                place += 1
                position += 1
            } else if let (starPlace, starPosition) = star {
                star = (starPlace, starPosition + 1)
                place = starPlace + 1
                position = starPosition + 1
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
