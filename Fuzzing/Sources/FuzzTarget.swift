/// A reader of untrusted bytes: whatever they are, it comes to an end, in little memory, and keeps what it promises.
struct FuzzTarget: Sendable {
    /// As scripts/fuzz, its folder of seeds and that of its regressions call it.
    let name: String

    /// Reads an input, and traps where a promise is broken. What it throws has nothing to do with the input.
    let run: @Sendable (UnsafeRawBufferPointer) throws -> Void

    static let all: [FuzzTarget] = [
        .requestHead, .chunkedBody, .codedContent, .headerValues, .keys, .jsonTensor, .normalizeRequest, .binaryFraming,
        .decimals,
        .shortestDecimals, .safetensors, .npy, .serviceJSON, .serviceBinary, .serviceFiles, .infer, .layers,
        .checkpoint, .tlsHandshake, .tlsRecords, .pem,
    ]
}
