/// What goes to standard output for each line of standard input, as JSON.
struct Answer: Encodable {
    /// The shortest call.
    var nanoseconds: Double?

    /// How many calls there were.
    var calls: Int?

    /// The instruction set of the kernels.
    var instructionSet: String?

    /// Why there is nothing else.
    var error: String?

    enum CodingKeys: String, CodingKey {
        case nanoseconds
        case calls
        case instructionSet = "instruction_set"
        case error
    }
}
