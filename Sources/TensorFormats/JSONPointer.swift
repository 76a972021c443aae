/// The way from the root of a JSON text to one of its values (RFC 6901), kept cheap: text is made on demand only.
struct JSONPointer: Equatable {
    private enum Step: Equatable {
        case member(String)
        case element(Int)
    }

    private var steps: [Step] = []

    mutating func enterMember(_ name: String) {
        self.steps.append(.member(name))
    }

    mutating func enterElement(_ index: Int) {
        self.steps.append(.element(index))
    }

    mutating func leave() {
        self.steps.removeLast()
    }

    /// The pointer's text; empty for the root.
    var text: String {
        var text = ""
        for step in self.steps {
            switch step {
            case .member(let name): text += "/" + Self.escaped(name)
            case .element(let index): text += "/\(index)"
            }
        }
        return text
    }

    /// RFC 6901 §3: `~` is written `~0` and `/` is written `~1`. Overlong names are cut: they come from the client.
    static func escaped(_ name: String) -> String {
        var text = ""
        for character in name.unicodeScalars.prefix(64) {
            switch character {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }
}
