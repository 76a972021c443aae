// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "EchoServer",
    targets: [.executableTarget(name: "EchoServer")],
    swiftLanguageModes: [.v6]
)
