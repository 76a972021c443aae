/// Why and where the decoding of an array stopped.
struct ArrayFault: Error {
    enum Reason {
        case element(ElementFault)
        /// Neither a comma nor a bracket follows an element.
        case separator
        /// An array is not as long as it must be; `found` is nil where it is longer.
        case ragged(expected: Int, found: Int?)
        case numberForArray
        /// Flat data does not fill its shape.
        case count
    }

    let reason: Reason
    /// The number of arrays around the offending value.
    let level: Int
    /// Where the offending value stands, in bytes from the outermost bracket.
    let position: Int
}
