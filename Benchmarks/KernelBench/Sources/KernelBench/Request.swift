/// What a line of standard input asks for, as JSON.
struct Request: Decodable {
    enum Command: String, Decodable {
        /// Which instruction set the kernels use.
        case describe
        /// Reads a layer and its input, for the commands that follow.
        case prepare
        /// How long a call of the layer takes at best.
        case measure
        /// What the layer makes of the input, written to a file.
        case normalize
        /// How long a copy of `bytes` bytes to another place takes at best.
        case copy
    }

    let command: Command
    let layerCase: LayerCase?

    /// How many threads share the work.
    let threads: Int?

    /// How long to measure.
    let seconds: Double?

    let bytes: Int?

    /// The file that `normalize` writes.
    let output: String?

    enum CodingKeys: String, CodingKey {
        case command
        case layerCase = "case"
        case threads
        case seconds
        case bytes
        case output
    }
}

/// A layer and its input.
struct LayerCase: Decodable {
    let type: String
    let parameters: [String: Value]
    let input: TensorFile

    /// The type of the output, if not that of the input. One of the same width is written over the input.
    let outputType: String?

    enum CodingKeys: String, CodingKey {
        case type
        case parameters
        case input
        case outputType = "output_datatype"
    }
}

/// A tensor whose elements stand in a file, in native order and without a header.
struct TensorFile: Decodable {
    let file: String
    let shape: [Int]
    let datatype: String
}

/// The value of a layer's parameter.
enum Value: Decodable {
    case integer(Int)
    case real(Double)
    case boolean(Bool)
    case text(String)
    case integers([Int])
    case tensor(TensorFile)

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            self = .boolean(flag)
        } else if let number = try? container.decode(Int.self) {
            self = .integer(number)
        } else if let number = try? container.decode(Double.self) {
            self = .real(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([Int].self) {
            self = .integers(list)
        } else {
            self = .tensor(try container.decode(TensorFile.self))
        }
    }
}
