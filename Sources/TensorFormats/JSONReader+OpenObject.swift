extension JSONReader {
    /// Reads an object that may have members which nobody here knows: calls `member` with each of its names that may
    /// be one of a vocabulary. Where `member` returns false it has not read the value, which is passed over, as are
    /// those of all other names.
    ///
    /// A known name must not come twice; what is passed over is judged as JSON only.
    public mutating func readOpenObject(
        _ member: (inout JSONReader, String) throws(TensorFormatError) -> Bool
    ) throws(TensorFormatError) {
        var names = MemberNames()
        try self.readMembers { (reader, name, offset) throws(TensorFormatError) in
            guard Self.isWord(name), try member(&reader, name) else {
                try reader.skipValue()
                return
            }
            guard names.insert(name) else {
                throw .duplicateMember(name: name, pointer: reader.objectPointer, offset: offset)
            }
        }
    }
}
