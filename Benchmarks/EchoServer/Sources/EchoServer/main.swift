// usage: EchoServer PORT
import Dispatch
import Glibc

guard let port = CommandLine.arguments.dropFirst().first.flatMap({ UInt16($0) }) else {
    print("usage: EchoServer PORT")
    exit(64)
}
signal(SIGPIPE, SIG_IGN)

let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
var yes: Int32 = 1
setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
var address = sockaddr_in()
address.sin_family = sa_family_t(AF_INET)
address.sin_port = port.bigEndian
address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
let isBound = withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
    }
}
guard isBound, listen(listener, 1024) == 0 else {
    perror("EchoServer")
    exit(1)
}

// One serial queue per core; connections are dealt out in turn.
let queues = (0..<sysconf(Int32(_SC_NPROCESSORS_ONLN))).map { DispatchQueue(label: "echo.\($0)") }
var accepted = 0
let acceptable = DispatchSource.makeReadSource(fileDescriptor: listener, queue: .main)
acceptable.setEventHandler {
    while case let client = accept(listener, nil, nil), client >= 0 {
        _ = fcntl(client, F_SETFL, O_NONBLOCK)
        var yes: Int32 = 1
        setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        let queue = queues[accepted % queues.count]
        accepted += 1
        queue.async { _ = Connection(socket: client, queue: queue) }
    }
}
acceptable.resume()
dispatchMain()
