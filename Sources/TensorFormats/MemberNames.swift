/// The names of an object's members, to notice one that comes again.
///
/// A few are compared one by one, which is quicker than hashing; many are hashed, so that a hostile object with a
/// million of them takes no more than linear time.
struct MemberNames {
    private var few: [String] = []
    private var many: Set<String> = []

    private static let fewLimit = 16

    /// Whether the name is a new one.
    mutating func insert(_ name: String) -> Bool {
        if self.few.contains(name) {
            return false
        }
        if self.few.count < Self.fewLimit {
            self.few.append(name)
            return true
        }
        return self.many.insert(name).inserted
    }
}
