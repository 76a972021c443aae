import TensorFormats
import Testing

@Suite struct JSONReaderTests {
    private func string(_ text: String) throws(TensorFormatError) -> String {
        try read(text) { (reader) throws(TensorFormatError) in try reader.readString() }
    }

    private func number(_ text: String) throws(TensorFormatError) -> Double {
        try read(text) { (reader) throws(TensorFormatError) in try reader.readNumber() }
    }

    private func integer(_ text: String) throws(TensorFormatError) -> Int {
        try read(text) { (reader) throws(TensorFormatError) in try reader.readInteger() }
    }

    private func skip(_ text: String, nestingLimit: Int = 64) throws(TensorFormatError) {
        try read(text, nestingLimit: nestingLimit) { (reader) throws(TensorFormatError) in try reader.skipValue() }
    }

    @Test func objectsGiveTheirMembersInOrder() throws {
        var found: [String] = []
        try read(#" { "a" : 1 , "b~/c" : [ true , null , "x" ] } "#) { (reader) throws(TensorFormatError) in
            try reader.readObject { (reader, name) throws(TensorFormatError) in
                found.append("\(name) \(reader.pointer) \(try reader.peekKind())")
                guard name != "a" else { return try reader.skipValue() }
                try reader.readArray { (reader) throws(TensorFormatError) in
                    found.append("\(reader.pointer) \(try reader.peekKind())")
                    try reader.skipValue()
                }
            }
        }
        #expect(
            found == [
                "a /a a number", "b~/c /b~0~1c an array", "/b~0~1c/0 true or false", "/b~0~1c/1 null",
                "/b~0~1c/2 a string",
            ]
        )
    }

    @Test(arguments: [
        (#""""#, ""), (#""plain""#, "plain"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (#""\u0041\u00e9\u20AC""#, "Aé€"), (#""\ud83d\uDE00!""#, "😀!"), (#""ü€😀""#, "ü€😀"), (#""\u0000""#, "\0"),
    ])
    func strings(_ text: String, _ expected: String) throws {
        #expect(try self.string(text) == expected)
    }

    @Test(arguments: [
        (#""\x""#, TensorFormatError.invalidEscape(offset: 1)), (#""\u12g4""#, .invalidEscape(offset: 1)),
        (#""ab\ud800""#, .unpairedSurrogate(offset: 3)), (#""\ud800\n""#, .unpairedSurrogate(offset: 1)),
        (#""\udc00\ud800""#, .unpairedSurrogate(offset: 1)), (#""\ud800\u0041""#, .unpairedSurrogate(offset: 1)),
        ("\"a\u{1f}\"", .controlCharacter(offset: 2)), ("\"a\n\"", .controlCharacter(offset: 2)),
        (#""abc"#, .unexpectedEnd(offset: 4)), (#""abc\"#, .unexpectedEnd(offset: 5)),
        (#""\u12"#, .unexpectedEnd(offset: 5)), (#""\ud800\"#, .unexpectedEnd(offset: 8)),
    ])
    func brokenStrings(_ text: String, _ expected: TensorFormatError) {
        #expect(error { () throws(TensorFormatError) in _ = try self.string(text) } == expected)
    }

    @Test(
        arguments: [
            [0x80], [0xc0, 0x80], [0xc3], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff], [0xe2, 0x82],
        ] as [[UInt8]]
    )
    func stringsAreUTF8(_ bytes: [UInt8]) {
        let text = [UInt8(ascii: " "), UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
        let found = error { () throws(TensorFormatError) in
            _ = try read(text) { (reader) throws(TensorFormatError) in try reader.readString() }
        }
        #expect(found == .invalidUTF8(offset: 1))
    }

    @Test func numbers() throws {
        #expect(try self.number("1e-5") == 1e-5)
        #expect(try self.number("-0").sign == .minus)
        #expect(try self.number(" 12345678901234567890 ") == 12_345_678_901_234_567_168)
        #expect(try self.number("NaN").isNaN)
        #expect(try self.number(#""-Infinity""#) == -.infinity)
        #expect(try self.number("1e400") == .infinity)
        #expect(try self.integer("-9223372036854775808") == .min)
        #expect(try self.integer("9223372036854775807") == .max)
        #expect(try self.integer("-0") == 0)
    }

    @Test(arguments: [
        ("-", NumberRule.noDigits), ("-a", .noDigits), ("01", .leadingZero), ("-00", .leadingZero),
        ("1.", .noFractionDigits), ("1.e5", .noFractionDigits), ("1e", .noExponentDigits), ("1e+", .noExponentDigits),
        ("0x10", .trailingCharacter), ("1_0", .trailingCharacter), ("1.5f", .trailingCharacter),
        ("1-2", .trailingCharacter), ("NaNs", .trailingCharacter),
    ])
    func brokenNumbers(_ text: String, _ rule: NumberRule) {
        #expect(
            error { () throws(TensorFormatError) in _ = try self.number(text) }
                == .malformedNumber(rule: rule, pointer: "", offset: 0)
        )
    }

    /// Skipped numbers are not converted, but judged as those that are.
    @Test func skippedNumbersAreJudgedAlike() {
        var generator = SeededGenerator(31)
        let alphabet = Array("0123456789-+.eE_x")
        for index in 0..<50_000 {
            let text =
                ["NaN", "Infinity", "-Infinity", "-Inf", "-"].dropFirst(index).first
                ?? String(
                    (0..<Int.random(in: 1...8, using: &generator)).map { _ in
                        alphabet.randomElement(using: &generator) ?? "0"
                    }
                )
            let asked = error { () throws(TensorFormatError) in _ = try self.number(text) }
            let skipped = error { () throws(TensorFormatError) in try self.skip(text) }
            if let asked, asked.isSyntaxError, text.first != "+", text.first != "." {
                #expect(skipped == asked, "\(text)")
            } else if asked == nil {
                #expect(skipped == nil, "\(text)")
            } else {
                #expect(skipped != nil, "\(text)")
            }
        }
    }

    @Test(arguments: ["+1", ".5", "Inf", "nan", "NAN", "infinity", "#"])
    func noNumbers(_ text: String) throws {
        let found = try #require(error { () throws(TensorFormatError) in _ = try self.number(text) })
        #expect(found.offset == 0)
        #expect(found.isSyntaxError || text == "nan")
    }

    @Test func integersHaveNoFraction() {
        for text in ["1.0", "1e2", "-1E0", "NaN"] {
            let found = error { () throws(TensorFormatError) in _ = try self.integer(" " + text) }
            #expect(found == .notAnInteger(pointer: "", offset: 1))
        }
        for text in ["9223372036854775808", "-9223372036854775809", "99999999999999999999999"] {
            let found = error { () throws(TensorFormatError) in _ = try self.integer(text) }
            #expect(found == .integerOutOfRange(range: "a 64-bit integer", pointer: "", offset: 0))
        }
        let found = error { () throws(TensorFormatError) in _ = try self.integer(#""1""#) }
        #expect(found == .wrongKind(expected: "an integer", found: .string, pointer: "", offset: 0))
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1", "[1,", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "t", "nul", "[true, fals",
    ])
    func theTextEnds(_ text: String) {
        #expect(
            error { () throws(TensorFormatError) in try self.skip(text) } == .unexpectedEnd(offset: text.utf8.count)
        )
    }

    @Test(arguments: [
        ("[1 2]", 3, ""), ("[1,]", 3, "/1"), ("[,1]", 1, "/0"), ("{1:2}", 1, ""), ("{\"a\" 1}", 5, "/a"),
        ("{\"a\":1 \"b\":2}", 7, ""), ("{\"a\":1,}", 7, ""), ("[tru ]", 1, "/0"), ("[nulL]", 1, "/0"), ("'a'", 0, ""),
        ("[1}", 2, ""), ("[1\u{c}]", 2, ""), ("{\"a\":}", 5, "/a"),
    ])
    func unexpectedBytes(_ text: String, _ offset: Int, _ pointer: String) throws {
        let found = try #require(error { () throws(TensorFormatError) in try self.skip(text) })
        guard case .unexpectedByte = found else {
            Issue.record("\(found)")
            return
        }
        #expect(found.offset == offset)
        #expect(found.pointer == pointer)
        #expect(found.description.hasPrefix("expected "))
        #expect(found.description.contains("at byte \(offset)"))
    }

    @Test func theWrongKindOfValueIsNamed() {
        let found = error { () throws(TensorFormatError) in
            try read(#"{"eps": [1]}"#) { (reader) throws(TensorFormatError) in
                try reader.readObject { (reader, _) throws(TensorFormatError) in _ = try reader.readNumber() }
            }
        }
        #expect(found == .wrongKind(expected: "a number", found: .array, pointer: "/eps", offset: 8))
        #expect(found?.description == "/eps is an array; it must be a number")
    }

    @Test func unknownMembersAreNamed() {
        let found = error { () throws(TensorFormatError) in
            try read(#"{"layer": {"runing_mean": 1}}"#) { (reader) throws(TensorFormatError) in
                try reader.readObject { (reader, _) throws(TensorFormatError) in
                    try reader.readObject { (reader, name) throws(TensorFormatError) in
                        throw reader.unknownMember(name)
                    }
                }
            }
        }
        #expect(found?.description == "unknown member 'runing_mean' in /layer")
        #expect(found?.pointer == "/layer/runing_mean")
    }

    @Test func namesAreUnique() {
        let found = error { () throws(TensorFormatError) in
            try read(#"{"b":{"a":1,"\u0061":2}}"#) { (reader) throws(TensorFormatError) in
                try reader.readObject { (reader, _) throws(TensorFormatError) in
                    try reader.readObject { (reader, _) throws(TensorFormatError) in try reader.skipValue() }
                }
            }
        }
        #expect(found == .duplicateMember(name: "a", pointer: "/b", offset: 12))
        #expect(found?.description == "the member 'a' in /b is given twice, again at byte 12")
        #expect(found?.pointer == "/b/a")
    }

    @Test func skippedNamesNeedNotBeUnique() throws {
        try self.skip(#"{"a":1,"a":{"é":2,"é":3}}"#)
    }

    @Test(arguments: ["é", "K", #"a\u0301"#, #"\u212a"#, #"a\u0000"#, String(repeating: "a", count: 65)])
    func namesThatAreNoWordsAreUnknown(_ name: String) throws {
        let found = error { () throws(TensorFormatError) in
            try read("{\"\(name)\":1}") { (reader) throws(TensorFormatError) in
                try reader.readObject { (reader, name) throws(TensorFormatError) in
                    #expect(name == "K")
                    try reader.skipValue()
                }
            }
        }
        guard name != "K" else {
            #expect(found == nil)
            return
        }
        guard case .unknownMember(_, "", let offset) = found else {
            Issue.record("\(String(describing: found))")
            return
        }
        #expect(offset == name.utf8.count + 4)
    }

    @Test(arguments: [
        ("FP32", "FP32"), ("", ""), ("K", "K"), (#"\u212a"#, #"\u{212A}"#), (#"a\u0301"#, #"a\u{0301}"#),
        (#"\u0000"#, #"\0"#), ("größe", #"gr\u{00F6}\u{00DF}e"#),
        (String(repeating: "x", count: 64), String(repeating: "x", count: 64)),
        (String(repeating: "x", count: 65), String(repeating: "x", count: 64) + "…"),
    ])
    func words(_ text: String, _ word: String) throws {
        #expect(
            try read("\"\(text)\"") { (reader) throws(TensorFormatError) in try reader.readWord() } == word
        )
    }

    @Test func choices() throws {
        func choice(_ text: String, _ words: [String]) throws(TensorFormatError) -> String {
            try read(text) { (reader) throws(TensorFormatError) in try reader.readChoice(words) }
        }
        #expect(try choice(#" "nested""#, ["flat", "nested"]) == "nested")
        for (words, sentence) in [
            (["flat"], "flat"), (["flat", "nested"], "flat or nested"), (["a", "b", "c"], "a, b or c"),
        ] {
            let found = error { () throws(TensorFormatError) in _ = try choice(#" "deep""#, words) }
            #expect(found == .unknownWord("deep", allowed: words, pointer: "", offset: 1))
            #expect(found?.description == "the JSON text is 'deep'; it must be \(sentence)")
        }
    }

    @Test func arraysOfIntegersAreLimited() throws {
        func integers(_ text: String, limit: Int) throws(TensorFormatError) -> [Int] {
            try read(text) { (reader) throws(TensorFormatError) in try reader.readIntegers(limit: limit) }
        }
        #expect(try integers("[]", limit: 0) == [])
        #expect(try integers("[1,-2]", limit: 2) == [1, -2])
        let found = error { () throws(TensorFormatError) in _ = try integers(" [1,2,3]", limit: 2) }
        #expect(found == .tooManyDimensions(count: 3, limit: 2, pointer: "", offset: 1))
    }

    @Test func arraysArePassedOverUnjudged() throws {
        func pass(_ text: String) throws(TensorFormatError) {
            try read(text) { (reader) throws(TensorFormatError) in try reader.passOver() }
        }
        for text in ["1e5", "null", #""x""#, "[01, ?, {]", #"{"a":[nul, "]"],"b":{"é":[[}]]}}"#] {
            try pass(text)
        }
        for text in ["01", "nul", "[", "[[]", #"{"a":[}"#, #"{"a" []}"#, #"["\x"]"#] {
            #expect(error { () throws(TensorFormatError) in try pass(text) }?.isSyntaxError == true, "\(text)")
        }
    }

    @Test func nestingIsLimited() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        try self.skip(nested(64))
        #expect(
            error { () throws(TensorFormatError) in try self.skip(nested(65)) }
                == .nestedTooDeeply(limit: 64, offset: 64)
        )
        #expect(
            error { () throws(TensorFormatError) in try self.skip("[{\"a\":[]}]", nestingLimit: 2) }
                == .nestedTooDeeply(limit: 2, offset: 6)
        )
        let deep = String(repeating: "[", count: 1_000_000)
        #expect(
            error { () throws(TensorFormatError) in try self.skip(deep) } == .nestedTooDeeply(limit: 64, offset: 64)
        )
    }

    @Test func nothingFollows() {
        #expect(error { () throws(TensorFormatError) in try self.skip("[] []") } == .trailingBytes(offset: 3))
        #expect(error { () throws(TensorFormatError) in try self.skip("{}\0") } == .trailingBytes(offset: 2))
    }

    @Test func byteOrderMark() {
        #expect(error { () throws(TensorFormatError) in try self.skip("\u{feff}{}") } == .byteOrderMark)
    }
}
