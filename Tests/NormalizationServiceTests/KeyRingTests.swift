import Testing

@testable import NormalizationService

@Suite struct KeyRingTests {
    private func ring(_ file: String) throws(KeyFileError) -> KeyRing {
        try KeyRing(file: Array(file.utf8))
    }

    private func contains(_ ring: KeyRing, _ key: String) -> Bool {
        ring.contains(KeyDigest(key.utf8))
    }

    @Test(
        arguments: [
            ("k1", ["k1"]), ("k1\n", ["k1"]), ("k1\r\nk2\r\n", ["k1", "k2"]), ("\n\nk1\n\n", ["k1"]),
            (" \t\nk1", ["k1"]), ("# of a\nk1\n#k2\nk3", ["k1", "k3"]), ("#\r\nk1\r\n\r\n", ["k1"]),
            ("aZ09-._~+/==", ["aZ09-._~+/=="]), ("k1\nk1", ["k1", "k1"]),
        ] as [(String, [String])]
    )
    func keysOfAFile(file: String, keys: [String]) throws {
        let ring = try self.ring(file)
        #expect(ring.count == keys.count)
        for key in keys {
            #expect(self.contains(ring, key))
        }
        for other in ["", "k", "k2x", "#k2", "K1", "k1\r", "k1\n", "k1 ", " ", "=="] {
            #expect(!self.contains(ring, other), "\(other)")
        }
    }

    @Test func everyPlaceInARingIsLookedAt() throws {
        let keys = (0..<100).map { "key-\($0)" }
        let ring = try self.ring(keys.joined(separator: "\n"))
        #expect(keys.allSatisfy { self.contains(ring, $0) })
        #expect(!(100..<1000).contains { self.contains(ring, "key-\($0)") })
        #expect(try keys.indices.allSatisfy { try !self.contains(self.ring(keys[$0]), keys[($0 + 1) % 100]) })
    }

    @Test(arguments: ["", "\n", "\r\n", "# nothing\n", " \t\n#"])
    func aFileWithoutKeys(file: String) {
        #expect(throws: KeyFileError.noKey) { try self.ring(file) }
    }

    @Test(
        arguments: [
            (" secret", 1), ("secret ", 1), ("k1\nsecret secret\nk2", 2), ("# c\n\n=secret", 3), ("secret=x", 1),
            ("k1\r\nsecret\rx", 2), ("secret\u{e9}", 1), ("secret\0", 1), ("\u{feff}secret", 1), ("Bearer secret", 1),
            ("secret,secret", 1), (" # secret", 1),
        ] as [(String, Int)]
    )
    func whatIsNoKeyIsNamedByItsLineOnly(file: String, line: Int) {
        let error = #expect(throws: KeyFileError.invalidKey(line: line)) { try self.ring(file) }
        #expect(error?.description.hasPrefix("line \(line) ") == true)
        #expect(error?.description.contains("secret") == false)
    }

    @Test("FIPS 180-4, the example \"abc\"")
    func digestsAreSHA256() {
        let hexadecimal = KeyDigest("abc".utf8).bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(hexadecimal == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
