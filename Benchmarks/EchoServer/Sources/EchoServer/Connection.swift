import Dispatch
import Glibc

/// A client's connection: reads a request into one buffer that is kept for the next, and sends its content back.
///
/// All work is done on one serial queue. It checks nothing: it is the ceiling for a server that does.
final class Connection {
    private let socket: Int32
    private let readable: any DispatchSourceRead
    private let writable: any DispatchSourceWrite
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private var received = 0
    private var content = 0..<0
    private var head: [UInt8] = []
    private var sent = 0
    private var isWaitingToSend = false
    private var sourcesEnded = 0

    init(socket: Int32, queue: DispatchQueue) {
        self.socket = socket
        readable = DispatchSource.makeReadSource(fileDescriptor: socket, queue: queue)
        writable = DispatchSource.makeWriteSource(fileDescriptor: socket, queue: queue)
        readable.setEventHandler { self.receive() }
        writable.setEventHandler { self.send() }
        readable.setCancelHandler { self.sourceEnded() }
        writable.setCancelHandler { self.sourceEnded() }
        readable.resume()
    }

    private func receive() {
        let count = buffer.withUnsafeMutableBytes { recv(socket, $0.baseAddress! + received, $0.count - received, 0) }
        guard count > 0 else {
            if count == 0 || errno != EAGAIN { end() }
            return
        }
        received += count
        if content.isEmpty { readHead() }
        guard !content.isEmpty, received >= content.upperBound else { return }
        sent = 0
        send()
    }

    /// Finds where the content begins and ends, once the head is complete.
    private func readHead() {
        let end: [UInt8] = [13, 10, 13, 10]
        guard
            let start = (0..<max(0, received - 3)).first(where: { buffer[$0] == 13 && buffer[$0..<$0 + 4] == end[...] })
        else { return }
        let text = String(decoding: buffer[..<start], as: UTF8.self).lowercased()
        let field = text.split(separator: "\r\ncontent-length: ").last ?? ""
        let length = Int(field.prefix(while: \.isNumber)) ?? 0
        content = start + 4..<start + 4 + length
        head = Array("HTTP/1.1 200 OK\r\nContent-Length: \(length)\r\n\r\n".utf8)
        if content.upperBound > buffer.count {
            buffer += [UInt8](repeating: 0, count: content.upperBound - buffer.count)
        }
    }

    /// Sends what the socket takes; the rest when it is writable again.
    private func send() {
        while sent < head.count + content.count {
            let count = head.withUnsafeMutableBytes { head in
                buffer.withUnsafeMutableBytes { body in
                    let headSent = min(sent, head.count)
                    let bodySent = sent - headSent
                    var pieces = [
                        iovec(iov_base: head.baseAddress! + headSent, iov_len: head.count - headSent),
                        iovec(
                            iov_base: body.baseAddress! + content.lowerBound + bodySent,
                            iov_len: content.count - bodySent
                        ),
                    ]
                    return writev(socket, &pieces, 2)
                }
            }
            if count < 0 {
                errno == EAGAIN ? wait(toSend: true) : end()
                return
            }
            sent += count
        }
        received = 0
        content = 0..<0
        wait(toSend: false)
    }

    private func wait(toSend: Bool) {
        guard toSend != isWaitingToSend else { return }
        isWaitingToSend = toSend
        (toSend ? readable as any DispatchSourceProtocol : writable).suspend()
        (toSend ? writable as any DispatchSourceProtocol : readable).resume()
    }

    private func end() {
        readable.cancel()
        writable.cancel()
        // A source that is suspended would never hear of its end.
        (isWaitingToSend ? readable as any DispatchSourceProtocol : writable).resume()
    }

    private func sourceEnded() {
        sourcesEnded += 1
        if sourcesEnded == 2 { close(socket) }
    }
}
