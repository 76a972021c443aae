/// The elements that are looked at between taking their statistics and normalizing them.
enum Tile {
    /// How many there are where groups are that small: few enough to stay in the first-level cache.
    static let length = 4096

    /// How far ahead elements are asked for while a tile is normalized, from its cache, and nothing else is read from
    /// memory. Not for large tiles, most of whose elements come in a stream that the processor sees coming, nor for
    /// inputs that are in a cache anyway.
    static func prefetchDistance(tileLength: Int, byteCount: Int) -> Int {
        tileLength <= 2 * Self.length && byteCount >= 8 << 20 ? 2 * Self.length : 0
    }
}
