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
            writer.number(Double(Self.tenths(stage.nanoseconds)) / 10, fractionDigits: 1)
        }
    }

    /// The value of `Server-Timing`, in milliseconds (W3C Server Timing), to the same precision as the JSON.
    var serverTiming: String {
        var text = ""
        text.reserveCapacity(160)
        for stage in self.stages {
            let tenths = Self.tenths(stage.nanoseconds)
            let fraction = String(tenths % 10_000)
            text.append(text.isEmpty ? "" : ", ")
            text.append(stage.header)
            text.append(";dur=")
            text.append(String(tenths / 10_000))
            text.append(contentsOf: ".0000".prefix(5 - fraction.utf8.count))
            text.append(fraction)
        }
        return text
    }

    /// Tenths of a microsecond, rounded: six roundings of at most 0.05 µs stay below the half that API section 4 allows.
    private static func tenths(_ nanoseconds: UInt64) -> UInt64 {
        (nanoseconds + 50) / 100
    }
}
