import Testing

@testable import HTTPCore

@Suite("Accept-Encoding (RFC 9110 §12.5.3)")
struct AcceptEncodingTests {
    private static func preferred(_ lines: [String]) -> ContentCoding? {
        var accept = AcceptEncoding()
        for line in lines { Array(line.utf8).withUnsafeBytes { accept.append($0) } }
        return accept.preferred
    }

    @Test(
        "What is chosen",
        arguments: [
            ("", nil), ("gzip", .gzip), ("x-gzip", .gzip), ("GZIP", .gzip), ("deflate", .deflate),
            ("gzip, deflate", .gzip),
            ("deflate, gzip", .gzip), ("gzip, deflate, br, zstd", .gzip), ("br, zstd", nil), ("identity", nil),
            // The greater weight wins, gzip if both are the same.
            ("gzip;q=0.5, deflate", .deflate), ("gzip;q=0.5,deflate;q=0.501", .deflate),
            ("gzip;q=0.5, deflate;q=0.5", .gzip), ("gzip ;\tq=0.001", .gzip), ("gzip;Q=1.000", .gzip),
            ("gzip;q=1.", .gzip),
            // 0 is no.
            ("gzip;q=0", nil), ("gzip;q=0.000", nil), ("gzip;q=0, deflate", .deflate), ("gzip;q=0, deflate;q=0", nil),
            // * is all that is not mentioned.
            ("*", .gzip), ("*;q=0.1", .gzip), ("*;q=0", nil), ("gzip;q=0, *", .deflate), ("deflate, *;q=0.5", .deflate),
            ("gzip, *;q=0", .gzip), ("deflate;q=0.5, *", .gzip),
            // identity wins only where it is wanted more. Where nothing is wanted it is what there is.
            ("identity, gzip", .gzip), ("identity, gzip;q=0.9", nil), ("identity;q=0.5, gzip;q=0.5", .gzip),
            ("identity;q=0.5, gzip;q=0.1, deflate;q=0.6", .deflate), ("identity;q=0", nil),
            ("identity;q=0, *;q=0", nil),
            ("identity;q=0, gzip;q=0.1", .gzip),
            // What is said twice.
            ("gzip, gzip;q=0", nil), ("gzip;q=0, x-gzip", nil), ("gzip;q=0.5, gzip, deflate;q=0.6", .deflate),
        ] as [(String, ContentCoding?)]
    )
    func chosen(value: String, coding: ContentCoding?) {
        #expect(Self.preferred([value]) == coding)
        // RFC 9110 §5.3: lines are one list.
        #expect(Self.preferred(value.split(separator: ",").map(String.init)) == coding)
    }

    @Test(
        "A member that is none asks for nothing",
        arguments: [
            "gzip;q=", "gzip;q", "gzip;", "gzip;q=2", "gzip;q=1.001", "gzip;q=1.1", "gzip;q=-1", "gzip;q=.5",
            "gzip;q=0.1234", "gzip;q=0,5", "gzip;q=0.5;a=b", "gzip;level=9", "gzip;a=0.5", "gzip q=1", "gzip deflate",
            "gzip;q=0x1", "gzip;q=00", "gzip;q=1 0", "gzipped", ";", ";q=1", "=", "q=1", "\u{FF}",
        ]
    )
    func invalid(value: String) {
        #expect(Self.preferred([value]) == nil)
        #expect(Self.preferred([value, "deflate;q=0.1"]) == .deflate)
    }
}
