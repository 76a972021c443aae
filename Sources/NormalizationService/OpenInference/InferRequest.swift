import TensorFormats

/// The JSON of a request to infer, before its tensor is decoded.
///
/// As the protocol's servers do, it passes over members that it does not know.
struct InferRequest {
    /// `nil` where it is absent or empty, which is the same.
    private(set) var id: String?

    /// The first of the inputs, if there is one.
    private(set) var input: InferenceInput?

    /// How many inputs there are.
    private(set) var inputCount = 0

    private(set) var outputs = OutputSelection()

    /// `binary_data_output`: how outputs are wanted that are not listed.
    private var isBinaryByDefault = false

    /// What the listed outputs say, all together: a model here has no more than one.
    struct OutputSelection {
        fileprivate(set) var count = 0
        /// `binary_data` of the first one.
        fileprivate(set) var isBinary = false
        /// A name that no output has.
        fileprivate(set) var unknownName: String?
        fileprivate(set) var asksForClasses = false
        fileprivate(set) var usesSharedMemory = false
    }

    /// Whether the output is wanted as bytes behind the JSON.
    var outputIsBinary: Bool { self.outputs.count > 0 ? self.outputs.isBinary : self.isBinaryByDefault }

    /// Reads everything but the numbers of the tensor.
    init(_ json: UnsafeRawBufferPointer, maximumDepth: Int) throws(TensorFormatError) {
        var reader = try JSONReader(json, nestingLimit: maximumDepth)
        var request = Self()
        var hasInputs = false
        try reader.readOpenObject { (reader, key) throws(TensorFormatError) in
            switch key {
            case "id": request.id = try reader.readString()
            case "inputs":
                hasInputs = true
                try request.readInputs(&reader)
            case "outputs": try request.readOutputs(&reader)
            case "parameters": try request.readParameters(&reader)
            default: return false
            }
            return true
        }
        try reader.finish()
        guard hasInputs else { throw .missingMember(name: "inputs", pointer: "", offset: 0) }
        if request.id?.isEmpty == true {
            request.id = nil
        }
        self = request
    }

    private init() {}

    private mutating func readInputs(_ reader: inout JSONReader) throws(TensorFormatError) {
        var (first, count) = (InferenceInput?.none, 0)
        try reader.readArray { (reader) throws(TensorFormatError) in
            count += 1
            if first == nil {
                first = try reader.readInferenceInput()
            } else {
                // One too many, and however many more they are.
                try reader.skipValue()
            }
        }
        (self.input, self.inputCount) = (first, count)
    }

    private mutating func readOutputs(_ reader: inout JSONReader) throws(TensorFormatError) {
        var outputs = OutputSelection()
        try reader.readArray { (reader) throws(TensorFormatError) in
            outputs.count += 1
            var name: String?
            let offset = reader.offset
            try reader.readOpenObject { (reader, key) throws(TensorFormatError) in
                switch key {
                case "name": name = try reader.readWord()
                case "parameters": try outputs.readParameters(&reader)
                default: return false
                }
                return true
            }
            guard let name else { throw .missingMember(name: "name", pointer: reader.pointer, offset: offset) }
            if name != ModelSignature.outputName, outputs.unknownName == nil {
                outputs.unknownName = name
            }
        }
        self.outputs = outputs
    }

    private mutating func readParameters(_ reader: inout JSONReader) throws(TensorFormatError) {
        var isBinaryByDefault = self.isBinaryByDefault
        try reader.readOpenObject { (reader, key) throws(TensorFormatError) in
            // Triton keeps these names for itself.
            guard !key.hasPrefix("triton_") else { throw reader.unknownMember(key) }
            guard key == "binary_data_output" else { return false }
            isBinaryByDefault = try reader.readBoolean()
            return true
        }
        self.isBinaryByDefault = isBinaryByDefault
    }
}

extension InferRequest.OutputSelection {
    fileprivate mutating func readParameters(_ reader: inout JSONReader) throws(TensorFormatError) {
        var selection = self
        try reader.readOpenObject { (reader, key) throws(TensorFormatError) in
            switch key {
            case "binary_data": selection.isBinary = try reader.readBoolean()
            case "classification": selection.asksForClasses = try reader.readInteger() > 0
            case "shared_memory_region":
                _ = try reader.readString()
                selection.usesSharedMemory = true
            default: return false
            }
            return true
        }
        self = selection
    }
}
