import TensorFormats

/// How long the stages of a request took, in nanoseconds (API section 4).
struct Timing {
    let receive: UInt64
    let queue: UInt64
    let decode: UInt64
    let compute: UInt64
    let encode: UInt64
    let total: UInt64

    /// Each stage with its name in JSON and in `Server-Timing`.
    private var stages: [(json: String, header: String, nanoseconds: UInt64)] {
        [
            ("receive_us", "recv", self.receive), ("queue_us", "queue", self.queue),
            ("decode_us", "decode", self.decode), ("compute_us", "norm", self.compute),
            ("encode_us", "encode", self.encode), ("total_us", "total", self.total),
        ]
    }

    /// The members of `timing`, in microseconds.
    func write(to writer: inout JSONWriter) {
        for stage in self.stages {
            writer.name(stage.json)
            writer.decimal(tenths: Self.tenths(stage.nanoseconds))
        }
    }

    /// The value of `Server-Timing`, in milliseconds (W3C Server Timing), to the same precision as the JSON.
    var serverTiming: String {
        var text: [UInt8] = []
        text.reserveCapacity(160)
        for stage in self.stages {
            text += text.isEmpty ? "".utf8 : ", ".utf8
            text += stage.header.utf8
            text += ";dur=".utf8
            Self.appendMilliseconds(tenths: Self.tenths(stage.nanoseconds), to: &text)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends a number of tenths of microseconds as milliseconds, with all four digits of the fraction.
    private static func appendMilliseconds(tenths: UInt64, to text: inout [UInt8]) {
        let start = text.count
        var rest = tenths
        // Four digits, the point, and at least one digit before it.
        while rest > 0 || text.count - start < 6 {
            text.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
            if text.count - start == 4 {
                text.append(UInt8(ascii: "."))
            }
        }
        text[start...].reverse()
    }

    /// Tenths of a microsecond, rounded: six roundings of at most 0.05 µs stay below the half that API section 4 allows.
    private static func tenths(_ nanoseconds: UInt64) -> UInt64 {
        (nanoseconds + 50) / 100
    }
}
