// usage: KernelBench < requests > answers
//
// Runs layers through the library's public interface. One request a line and one answer a line, both JSON:
// see Request.swift and Answer.swift.
import Foundation

var session = Session()
while let line = readLine() {
    var result: Answer
    do {
        result = try session.answer(JSONDecoder().decode(Request.self, from: Data(line.utf8)))
    } catch {
        result = Answer(error: "\(error)")
    }
    print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
    fflush(nil)
}
