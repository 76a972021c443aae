import TensorFormats
import Tensors
import Testing

/// Texts that are cut, changed, or nested at random: an error or a tensor, never a crash.
@Suite struct HostileTextTests {
    private static let documents = [
        #"{"shape":[1,2,2],"datatype":"FP32","data":[1,-2.5e-3,"NaN",Infinity]}"#,
        #"{"data" : [[[0.123456789012345678901234567890], [-0]], [[1e400], [ -Infinity ]]]}"#,
        #"{"shape":[2],"datatype":"INT64","data":[-9223372036854775808, 9223372036854775807]}"#,
        #"[[true,false],[0,1]]"#, #"{"datatype":"UINT8","data":[[0,1,2],[253,254,255]],"shape":[2,3]}"#,
        #"{"shape":[0,3],"datatype":"BF16","data":[]}"#,
        #"{"shape":[4],"parameters":{"binary_data_size":16},"datatype":"\u0046P32"}"#,
    ]

    @Test(arguments: Self.documents)
    func everyPrefixIsAnError(_ text: String) throws {
        let bytes = Array(text.utf8)
        for count in bytes.indices {
            let found = error { () throws(TensorFormatError) in _ = try decode(Array(bytes[..<count])) }
            #expect(found?.isSyntaxError == true, "\(count)")
            #expect(found?.offset == count, "\(count)")
        }
    }

    @Test func changedTextsDoNotCrash() {
        var generator = SeededGenerator(21)
        let documents = Self.documents.map { Array($0.utf8) }
        let alphabet: [[UInt8]] =
            #"[]{}",:\0123456789.-+eENaIifnty tu"#.utf8.map { [$0] } + [[0], [0x1f], [0x80], [0xc3], [0xff]]
            + ["é", "€", "😀", "\u{301}", "\u{323}", "\u{212a}"].map { Array($0.utf8) }
        var outcomes = [0, 0]
        for _ in 0..<100_000 {
            var text = documents.randomElement(using: &generator) ?? []
            for _ in 0..<Int.random(in: 1...4, using: &generator) where !text.isEmpty {
                let index = text.indices.randomElement(using: &generator) ?? 0
                let bytes: [UInt8] = alphabet.randomElement(using: &generator) ?? []
                switch generator.next() % 5 {
                case 0: text.replaceSubrange(index...index, with: bytes)
                case 1: text.insert(contentsOf: bytes, at: index)
                case 2: text.remove(at: index)
                case 3: text.removeSubrange(index..<min(text.count, index + 5))
                default: text.insert(contentsOf: text[index...].prefix(12), at: index)
                }
            }
            for dataType in [DataType.fp32, .fp16, .int8, .bool] {
                let found = error { () throws(TensorFormatError) in _ = try decode(text, as: dataType) }
                outcomes[found == nil ? 0 : 1] += 1
                if let found, found.description.isEmpty || !(0...text.count ~= found.offset ?? -1) {
                    Issue.record("\(found) in \(text)")
                }
            }
            _ = error { () throws(TensorFormatError) in
                try read(text) { (reader) throws(TensorFormatError) in try reader.skipValue() }
            }
        }
        #expect(outcomes.allSatisfy { $0 > 1000 })
    }

    @Test func randomShapesReadBack() throws {
        var generator = SeededGenerator(22)
        for _ in 0..<2000 {
            let dimensions = (0..<Int.random(in: 1...5, using: &generator))
                .map { _ in Int.random(in: generator.next() % 16 == 0 ? 0...1 : 1...5, using: &generator) }
            let count = dimensions.reduce(1, *)
            let values = (0..<count).map { _ in Float.random(in: -1e3...1e3, using: &generator) }
            let original = try tensor(.fp32, dimensions, values)
            for nested in [false, true] {
                let described = try decode(try written { try $0.tensor(original, nested: nested) })
                #expect(described.shape == original.shape)
                #expect(described.values(Float.self) == values)
            }
            guard count > 0 else { continue }
            let inferred = try decode(try written { try $0.tensorData(original, nested: true) })
            #expect(inferred.shape == original.shape)
            #expect(inferred.values(Float.self) == values)
        }
    }

    @Test func namesFromTheClientAreCutAndEscaped() throws {
        let name = String(repeating: "x", count: 1000)
        let found = try #require(decodingError(#"{"\#(name)":1}"#))
        #expect(found.description == "unknown member '\(name.prefix(64))…'")
        #expect(found.pointer == "/\(name.prefix(64))")
        let control = try #require(decodingError(#"{"a\n\u001b\u202e":1}"#))
        #expect(control.description == #"unknown member 'a\n\u{1B}\u{202E}'"#)
    }

    @Test func longSpacesBeforeManyArraysTakeLinearTime() throws {
        let spaces = String(repeating: " ", count: 200_000)
        let rows = Array(repeating: "[]", count: 200_000).joined(separator: ",")
        let clock = ContinuousClock()
        let start = clock.now
        #expect(try decode("[\(spaces)\(rows)]").shape.dimensions == [200_000, 0])
        #expect(decodingError("[\(spaces)1,\(rows)]") == .arrayForNumber(pointer: "/1", offset: 200_003))
        #expect(clock.now - start < .seconds(2))
    }

    /// Comparing strings of many combining marks takes quadratic time.
    @Test func combiningMarksTakeLinearTime() {
        func marks(_ count: Int) -> String { "a" + String(repeating: "\u{301}\u{323}", count: count) }
        func time(_ body: () -> Void) -> Duration {
            (0..<5).map { _ in ContinuousClock().measure(body) }.min() ?? .zero
        }
        let bodies: [(String) -> TensorFormatError?] = [
            { decodingError(#"{"\#($0)":1,"\#($0)":2}"#) },
            { decodingError(#"{"data":[1],"datatype":"\#($0)"}"#) },
            { text in
                error { () throws(TensorFormatError) in
                    _ = try read(#""\#(text)""#) { (reader) throws(TensorFormatError) in
                        try reader.readChoice(["flat", "nested"])
                    }
                }
            },
            { text in
                error { () throws(TensorFormatError) in
                    try read(#"{"\#(text)":1,"\#(text)":2}"#) { (reader) throws(TensorFormatError) in
                        try reader.skipValue()
                    }
                }
            },
        ]
        for (index, body) in bodies.enumerated() {
            let (short, long) = (marks(1 << 16), marks(1 << 17))
            let once = time { _ = body(short)?.description }
            let twice = time { _ = body(long)?.description }
            #expect(twice < once * 3, "\(index): \(once), \(twice)")
            #expect(twice < .seconds(1), "\(index)")
        }
    }
}
