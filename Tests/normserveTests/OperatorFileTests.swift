import Foundation
import Glibc
import Testing

@testable import normserve

@Suite struct OperatorFileTests {
    @Test(arguments: [0o600, 0o400, 0o640, 0o660, 0o440] as [mode_t])
    func whatOthersCannotTouchIsRead(mode: mode_t) throws {
        try TemporaryFile.with("k1\n", mode: mode) { (path) throws in
            #expect(try OperatorFile.read(path, isSecret: true) == Array("k1\n".utf8))
        }
    }

    @Test(arguments: [0o644, 0o604, 0o602, 0o601, 0o666, 0o777] as [mode_t])
    func whatOthersCanTouchIsNot(mode: mode_t) throws {
        try TemporaryFile.with("k1\n", mode: mode) { (path) throws in
            let error = #expect(throws: OperatorFileError.openToOthers(mode: mode)) {
                try OperatorFile.read(path, isSecret: true)
            }
            #expect(try mode & 0o004 == 0 || OperatorFile.read(path, isSecret: false) == Array("k1\n".utf8))
            #expect(error?.description.contains("its mode is 0\(String(mode, radix: 8));") == true)
        }
    }

    @Test("Kubernetes mounts secrets as symbolic links")
    func linksAreFollowedToWhatTheyNameAndJudgedByIt() throws {
        for (mode, isReadable) in [(0o600, true), (0o644, false)] as [(mode_t, Bool)] {
            try TemporaryFile.with("k1", mode: mode) { (path) throws in
                let link = path + ".link"
                #expect(symlink(path, link) == 0)
                defer { unlink(link) }
                #expect(((try? OperatorFile.read(link, isSecret: true)) != nil) == isReadable)
            }
        }
    }

    @Test func whatIsNoFileIsNotRead() throws {
        let directory = FileManager.default.temporaryDirectory.path
        #expect(throws: OperatorFileError.notARegularFile) { try OperatorFile.read(directory, isSecret: true) }
        #expect(throws: OperatorFileError.notARegularFile) { try OperatorFile.read("/dev/null", isSecret: true) }
        let missing = directory + "/\(UUID())"
        let error = #expect(throws: OperatorFileError.unreadable(errorNumber: ENOENT)) {
            try OperatorFile.read(missing, isSecret: true)
        }
        #expect(error?.description == "cannot be read: No such file or directory")
        // Nobody writes to it; opening it must not wait for somebody.
        let pipe = directory + "/\(UUID())"
        #expect(mkfifo(pipe, 0o600) == 0)
        defer { unlink(pipe) }
        #expect(throws: OperatorFileError.notARegularFile) { try OperatorFile.read(pipe, isSecret: true) }
    }

    @Test func filesAreReadToTheirEndButNoFurtherThanTheLimit() throws {
        let limit = 1 << 20
        try TemporaryFile.with(String(repeating: "k", count: limit), mode: 0o600) { (path) throws in
            #expect(try OperatorFile.read(path, isSecret: true).count == limit)
        }
        try TemporaryFile.with(String(repeating: "k", count: limit + 1), mode: 0o600) { (path) throws in
            #expect(throws: OperatorFileError.tooLarge) { try OperatorFile.read(path, isSecret: true) }
        }
        try TemporaryFile.with("", mode: 0o600) { (path) throws in
            #expect(try OperatorFile.read(path, isSecret: true).isEmpty)
        }
    }
}

enum TemporaryFile {
    /// Calls `body` with the path of a file that is there as long as the call.
    static func with(_ content: String, mode: mode_t = 0o600, _ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "normserve-\(UUID())").path
        try Data(content.utf8).write(to: URL(filePath: path))
        defer { unlink(path) }
        #expect(chmod(path, mode) == 0)
        try body(path)
    }
}
