// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "KernelBench",
    dependencies: [.package(name: "normserve", path: "../..")],
    targets: [
        .executableTarget(
            name: "KernelBench",
            dependencies: [.product(name: "Normalization", package: "normserve")]
        )
    ],
    swiftLanguageModes: [.v6]
)
