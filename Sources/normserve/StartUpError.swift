/// Why the server does not start, in a sentence.
struct StartUpError: Error, CustomStringConvertible {
    let description: String
}
