import AlignedMemory
import TensorFormats
import Tensors
import Testing

/// A file of this version with this dictionary, not padded, and these bytes after it.
private func npy(_ dictionary: String, _ data: [UInt8] = [], version: UInt8 = 1) -> [UInt8] {
    let text = Array(dictionary.utf8)
    let length = (0..<(version == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text + data
}

private func npy(descr: String = "<f4", fortran: Bool = false, shape: String, _ data: [UInt8] = []) -> [UInt8] {
    npy("{'descr': '\(descr)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }\n", data)
}

/// The tensor of `file`, which stands at `offset` in its buffer.
private func read(
    _ file: [UInt8],
    at offset: Int = 0,
    elementLimit: Int = .max
) throws -> (tensor: Tensor, buffer: AlignedBuffer) {
    let buffer = try AlignedBuffer(capacity: offset + file.count)
    buffer[offset..<offset + file.count].copyBytes(from: file)
    return (try NPYFile.tensor(in: buffer, offset..<offset + file.count, elementLimit: elementLimit), buffer)
}

/// The element at row-major `indices`, and so on: the position of each element of an array whose first axis is the
/// contiguous one, in row-major order.
private func fortranPositions(_ dimensions: [Int]) -> [Int] {
    (0..<dimensions.reduce(1, *)).map { flat in
        var (rest, position) = (flat, 0)
        for (axis, dimension) in dimensions.enumerated().reversed() {
            position += rest % dimension * dimensions[..<axis].reduce(1, *)
            rest /= dimension
        }
        return position
    }
}

@Suite struct NPYTests {
    private func fault(_ file: [UInt8], elementLimit: Int = .max) -> NPYFault? {
        do {
            _ = try read(file, elementLimit: elementLimit)
            return nil
        } catch TensorFormatError.npy(let fault) {
            return fault
        } catch {
            Issue.record(error)
            return nil
        }
    }

    @Test func anArrayIsAViewOfItsFile() throws {
        // numpy.save(…, numpy.float32([[1, -2]])), version 2.2
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }"
        let file = npy(
            text + String(repeating: " ", count: 117 - text.utf8.count) + "\n",
            [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]
        )
        #expect(file.count == 128 + 8)
        for offset in 0..<64 {
            let (tensor, buffer) = try read(file, at: offset)
            #expect(tensor.values(Float.self) == [1, -2] && tensor.shape.dimensions == [1, 2])
            #expect((tensor.buffer === buffer) == (offset % 4 == 0))
        }
    }

    @Test(
        "Each type, in the orders that it has",
        arguments: [
            ("b1", DataType.bool), ("u1", .uint8), ("u2", .uint16), ("u4", .uint32), ("u8", .uint64), ("i1", .int8),
            ("i2", .int16), ("i4", .int32), ("i8", .int64), ("f2", .fp16), ("f4", .fp32), ("f8", .fp64), ("V2", .bf16),
        ]
    )
    func typesAndByteOrders(code: String, dataType: DataType) throws {
        let width = dataType.byteWidth
        let bytes = (0..<3 * width).map { UInt8($0 % 2) }
        let swapped = (0..<3).flatMap { bytes[$0 * width..<($0 + 1) * width].reversed() }
        for (order, content) in [("<", bytes), (">", swapped)] {
            let tensor = try read(npy(descr: order + code, shape: "(3,)", content)).tensor
            #expect(tensor.dataType == dataType && tensor.shape.dimensions == [3])
            #expect(tensor.bits == bytes)
        }
        if width == 1 || dataType == .bf16 {
            #expect(try read(npy(descr: "|" + code, shape: "(3,)", bytes)).tensor.bits == bytes)
        } else {
            #expect(self.fault(npy(descr: "|" + code, shape: "(3,)", bytes)) == .unsupportedDescr("|" + code))
        }
        let header = NPYFile.header(dataType, try Shape([3]))
        #expect(header.count % 64 == 0)
        #expect(try read(header + bytes).tensor.bits == bytes)
    }

    @Test(arguments: [
        [], [5], [2, 3], [3, 2], [1, 4], [4, 1], [2, 3, 4], [1, 3, 1, 2], [5, 1, 7], [33, 70], [3, 4, 5, 6],
        [40, 3, 41],
        [2, 2, 2, 2, 2], [0, 3], [2, 0], [1, 1],
    ])
    func fortranOrderBecomesRowMajor(dimensions: [Int]) throws {
        let shape = "(" + dimensions.map { "\($0)," }.joined() + ")"
        let positions = fortranPositions(dimensions)
        func check<Element: FixedWidthInteger & BitwiseCopyable>(_ descr: String, _ type: Element.Type) throws {
            let elements = positions.indices.map { Element(truncatingIfNeeded: $0 &* 40503) }
            let bytes = elements.withUnsafeBytes { Array($0) }
            let tensor = try read(npy(descr: descr, fortran: true, shape: shape, bytes)).tensor
            #expect(tensor.shape.dimensions == dimensions)
            #expect(tensor.values(Element.self) == positions.map { elements[$0] })
        }
        try check("|u1", UInt8.self)
        try check("<u2", UInt16.self)
        try check("<u4", UInt32.self)
        try check("<u8", UInt64.self)
    }

    @Test(arguments: [1, 2, 3] as [UInt8])
    func everyVersionIsRead(version: UInt8) throws {
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': ()}"
        #expect(try read(npy(text, [0, 0, 0x80, 0x3f], version: version)).tensor.values(Float.self) == [1])
    }

    @Test(
        "What Python takes for the same dictionary",
        arguments: [
            #"{"shape":(2,3),"descr":"|u1","fortran_order":False}"#,
            "{'fortran_order': False , 'shape' : ( 2 ,3, ) , 'descr':'|u1' , } ",
            "{\n'descr':\t'|u1',\r\n'fortran_order': False, 'shape': (2L, 3L)}\n\n",
            " {'descr': '<u1', 'fortran_order': False, 'shape': (2, 3,)}",
        ]
    )
    func spellings(text: String) throws {
        #expect(try read(npy(text, [1, 2, 3, 4, 5, 6])).tensor.shape.dimensions == [2, 3])
    }

    // MARK: One rule each

    @Test func theFileBeginsWithTheMagic() {
        for file in [[], [0x93], Array("NUMPY".utf8), [0x93] + Array("NUMPX".utf8), Array("PK\u{3}\u{4}".utf8)] {
            #expect(self.fault(file) == .noMagic)
        }
    }

    @Test(arguments: [(0, 0), (1, 1), (2, 1), (3, 1), (4, 0), (255, 0)] as [(UInt8, UInt8)])
    func theVersionIsKnown(major: UInt8, minor: UInt8) {
        var file = npy(shape: "()", [0, 0, 0, 0])
        (file[6], file[7]) = (major, minor)
        #expect(self.fault(file) == .unsupportedVersion(major: major, minor: minor))
    }

    @Test func theLengthIsThere() {
        for version in [1, 2] as [UInt8] {
            for count in 6..<(version == 1 ? 10 : 12) {
                #expect(self.fault(Array(npy("", version: version)[..<count])) == .noHeaderLength(byteCount: count))
            }
        }
    }

    @Test func theHeaderIsNotTooLarge() throws {
        let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (0,)}"
        let spaces = { (count: Int) in String(repeating: " ", count: count - text.utf8.count) }
        #expect(try read(npy(text + spaces(10_000))).tensor.shape.dimensions == [0])
        #expect(self.fault(npy(text + spaces(10_001))) == .headerTooLarge(byteCount: 10_001, limit: 10_000))
        let huge = [0x93] + Array("NUMPY".utf8) + [2, 0, 255, 255, 255, 255]
        #expect(self.fault(huge) == .headerTooLarge(byteCount: Int(UInt32.max), limit: 10_000))
    }

    @Test func theHeaderEndsWithinTheFile() {
        let file = npy("{}")
        #expect(self.fault(Array(file.dropLast())) == .headerBeyondEnd(byteCount: 2, available: 1))
    }

    @Test(
        "The header is the literal of a dictionary",
        arguments: [
            ("", "a dictionary", 0), ("[]", "a dictionary", 0), ("{", "a key in quotes", 1),
            ("{,}", "a key in quotes", 1),
            ("{1: 2}", "a key in quotes", 1), ("{'shape'", "':'", 8), ("{'shape', ", "':'", 8),
            ("{'shape", "a closing quotation mark", 7), ("{'sh\\x61pe'", "a printable character of ASCII", 4),
            ("{'sh\u{e9}", "a printable character of ASCII", 4), ("{'sh\n", "a printable character of ASCII", 4),
            ("{'shape': [1]}", "a tuple", 10), ("{'shape': 1}", "a tuple", 10), ("{'shape': (1)}", "','", 12),
            ("{'shape': (1 2)}", "','", 13), ("{'shape': (1, 2 3)}", "',' or ')'", 16),
            ("{'shape': (,)}", "an integer", 11),
            ("{'shape': (1.0,)}", "','", 12), ("{'shape': (01,)}", "an integer", 11),
            ("{'shape': (x,)}", "an integer", 11),
            ("{'shape': (True,)}", "an integer", 11), ("{'shape': (1, ", "an integer", 14),
            ("{'shape': (-,)}", "an integer", 12),
            ("{'fortran_order': 0}", "True or False", 18), ("{'fortran_order': true}", "True or False", 18),
            ("{'fortran_order': Trueish}", "',' or '}'", 22), ("{'descr': f4}", "a string", 10),
            ("{'descr': u'<f4'}", "a string", 10),
            ("{'shape': ()} x", "nothing but white space", 14), ("{'shape': ()}}", "nothing but white space", 13),
            ("{'shape': ()};", "nothing but white space", 13), ("{'shape': ()}\0", "nothing but white space", 13),
        ]
    )
    func theHeaderIsADictionary(text: String, expected: String, offset: Int) {
        #expect(self.fault(npy(text)) == .unexpectedByte(expected: expected, offset: 10 + offset))
    }

    @Test func versionThreeHasNoLongIntegers() {
        let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (0L,)}"
        #expect(self.fault(npy(text)) == nil)
        #expect(self.fault(npy(text, version: 3)) == .unexpectedByte(expected: "','", offset: 12 + 52))
    }

    @Test func keysAreTheFormats() {
        #expect(self.fault(npy("{'order': 1}")) == .unknownKey("order", offset: 11))
        #expect(self.fault(npy("{'descr': '<f4', 'descr': '<f4'}")) == .duplicateKey("descr", offset: 27))
        #expect(self.fault(npy("{'shape': (), 'shape': ()}")) == .duplicateKey("shape", offset: 24))
        #expect(
            self.fault(npy("{'fortran_order': False, 'fortran_order': True}"))
                == .duplicateKey("fortran_order", offset: 35)
        )
        #expect(self.fault(npy("{}")) == .missingKey("descr"))
        #expect(self.fault(npy("{'descr': '<f4', 'shape': ()}")) == .missingKey("fortran_order"))
        #expect(self.fault(npy("{'descr': '<f4', 'fortran_order': False}")) == .missingKey("shape"))
    }

    @Test(arguments: ["[('x', '<f4')]", "('<f4', (2,))"])
    func structuresAreNoTensors(descr: String) {
        #expect(
            self.fault(npy("{'descr': \(descr), 'fortran_order': False, 'shape': ()}")) == .structuredDescr(offset: 20)
        )
    }

    @Test(arguments: [
        "", "f4", "=f4", "<f", "<f16", "<c8", "|O", "<U1", "|S1", "<M8[ns]", "<V4", "|V1", "<b2", "<e", "< f4", "<f4 ",
    ])
    func typesAreThoseOfTensors(descr: String) {
        #expect(self.fault(npy(descr: descr, shape: "(0,)")) == .unsupportedDescr(descr))
    }

    @Test func shapesAreShapes() {
        #expect(self.fault(npy(shape: "(-1,)")) == .invalidShape(.negativeDimension(axis: 0, -1)))
        #expect(self.fault(npy(shape: "(4294967296, 4294967296)")) == .invalidShape(.tooManyElements))
        #expect(self.fault(npy(shape: "(99999999999999999999,)")) == .invalidShape(.tooManyElements))
        let dimensions = { (count: Int) in "(" + String(repeating: "1,", count: count) + ")" }
        #expect(self.fault(npy(shape: dimensions(32), [0, 0, 0, 0])) == nil)
        #expect(self.fault(npy(shape: dimensions(33), [0, 0, 0, 0])) == .tooManyDimensions(count: 33, limit: 32))
    }

    @Test(arguments: [0, 3, 5, 8])
    func theElementsAreThere(count: Int) {
        let data = Array(repeating: UInt8(0), count: count)
        #expect(self.fault(npy(shape: "(1,)", data)) == .dataSize(count, needed: 4))
        #expect(self.fault(npy(descr: "<f8", shape: "(1152921504606846976,)", data)) == .dataSize(count, needed: nil))
    }

    @Test func arraysAreNoLargerThanAllowed() {
        let file = npy(shape: "(1000000000000,)")
        #expect(throws: TensorFormatError.tooManyElements(1_000_000_000_000, limit: 7, pointer: "/input", offset: 0)) {
            try read(file, elementLimit: 7)
        }
    }

    @Test func booleansAreZeroOrOne() {
        let file = npy(descr: "|b1", shape: "(3,)", [0, 1, 2])
        #expect(throws: TensorFormatError.invalidBooleanByte(index: 2, pointer: "/input", offset: file.count - 3)) {
            try read(file)
        }
    }

    @Test func faultsHaveWords() {
        let found = TensorFormatError.npy(.unsupportedDescr("|O"))
        #expect(
            found.description.hasPrefix("this is no .npy file that can be read: descr is '|O'; tensors here are of")
        )
    }

    // MARK: Writing

    @Test(
        "The headers that numpy 2.2 writes",
        arguments: [
            (DataType.fp32, [1, 2], "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }"),
            (.bool, [3], "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }"),
            (.bf16, [], "{'descr': '<V2', 'fortran_order': False, 'shape': (), }"),
            (.int64, [0, 3], "{'descr': '<i8', 'fortran_order': False, 'shape': (0, 3), }"),
        ]
    )
    func headers(dataType: DataType, dimensions: [Int], text: String) throws {
        let header = NPYFile.header(dataType, try Shape(dimensions))
        #expect(header == npy(text + String(repeating: " ", count: 117 - text.utf8.count) + "\n"))
    }

    @Test func theElementsOfAnyHeaderAreAligned() throws {
        for rank in 0...32 {
            let shape = try Shape(
                (0..<rank).map { axis in axis % 2 == 0 ? 1 : 3 }.map { $0 == 3 && rank > 20 ? 1 : $0 }
            )
            let header = NPYFile.header(.fp64, shape)
            #expect(header.count % 64 == 0)
            let parsed = try header.withUnsafeBytes { try NPYHeader($0) }
            #expect(parsed.shape == shape && parsed.dataOffset == header.count && !parsed.isFortranOrder)
        }
    }

    // MARK: Anything at all

    @Test func everyPrefixIsAnError() {
        let file = npy(shape: "(2, 1)", [0, 0, 0, 0, 0, 0, 0, 0])
        #expect(self.fault(file) == nil)
        for count in file.indices {
            #expect(self.fault(Array(file[..<count])) != nil, "\(count)")
        }
    }

    @Test func changedFilesDoNotCrash() {
        var generator = SeededGenerator(51)
        let originals = [
            npy(descr: ">i2", fortran: true, shape: "(2, 3)", Array(repeating: 7, count: 12)),
            npy(descr: "|b1", shape: "(4,)", [0, 1, 0, 1]),
        ]
        let alphabet = Array("(){}'\",: 0123456789-LTF<>|".utf8)
        var outcomes = [0, 0]
        for _ in 0..<50_000 {
            var file = originals.randomElement(using: &generator) ?? []
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = file.indices.randomElement(using: &generator) ?? 0
                switch generator.next() % 4 {
                case 0: file[index] = UInt8(truncatingIfNeeded: generator.next())
                case 1: file.remove(at: index)
                case 2: file.insert(alphabet.randomElement(using: &generator) ?? 0, at: index)
                default: file[index] = alphabet.randomElement(using: &generator) ?? 0
                }
            }
            let tensor = try? read(file).tensor
            outcomes[tensor == nil ? 1 : 0] += 1
        }
        #expect(outcomes.allSatisfy { $0 > 500 })
    }
}
