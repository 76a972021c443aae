// swift-tools-version: 6.1
import PackageDescription

/// The kernels are compiled once per instruction set from the same files. `-O` keeps them fast in debug builds too;
/// without `-disable-cmo` their bodies would be inlined into modules that are compiled for the baseline.
func kernelSettings(_ architectureFlags: [String], fusedMultiplyAdd: Bool) -> [SwiftSetting] {
    [.unsafeFlags(["-O", "-disable-cmo"] + architectureFlags)] + (fusedMultiplyAdd ? [.define("FMA")] : [])
}

/// Decoding and encoding of numbers is measured in nanoseconds; debug builds of it would make the tests crawl.
let optimized: [SwiftSetting] = [.unsafeFlags(["-O"])]

var kernelDependencies: [Target.Dependency] = ["NormalizationKernels"]
var targets: [Target] = []

#if arch(x86_64)
targets += [
    .target(
        name: "NormalizationKernels",
        dependencies: ["CKernels"],
        swiftSettings: kernelSettings([], fusedMultiplyAdd: false)
    ),
    .target(
        name: "NormalizationKernelsAVX2",
        dependencies: ["CKernels"],
        swiftSettings: kernelSettings(["-Xcc", "-march=x86-64-v3"], fusedMultiplyAdd: true)
    ),
    .target(
        name: "NormalizationKernelsAVX512",
        dependencies: ["CKernels"],
        swiftSettings: kernelSettings(["-Xcc", "-march=x86-64-v4"], fusedMultiplyAdd: true)
    ),
]
kernelDependencies += ["NormalizationKernelsAVX2", "NormalizationKernelsAVX512"]
#else
targets += [
    .target(
        name: "NormalizationKernels",
        dependencies: ["CKernels"],
        swiftSettings: kernelSettings([], fusedMultiplyAdd: true)
    )
]
#endif

targets += [
    .systemLibrary(name: "CZlib"),
    .systemLibrary(name: "COpenSSL"),
    .target(name: "CSystem"),
    .target(name: "CKernels"),
    .target(name: "CDecimal"),
    .target(name: "AlignedMemory", dependencies: ["CSystem"]),
    .target(name: "Tensors", dependencies: ["AlignedMemory"]),
    .target(name: "Normalization", dependencies: ["AlignedMemory", "Tensors", "CSystem"] + kernelDependencies),
    .target(name: "TensorFormats", dependencies: ["AlignedMemory", "Tensors", "CDecimal"], swiftSettings: optimized),
    .target(
        name: "HTTPCore",
        dependencies: ["AlignedMemory", "CZlib", .product(name: "HTTPTypes", package: "swift-http-types")]
    ),
    .target(name: "HTTPServer", dependencies: ["HTTPCore", "CSystem", "COpenSSL", "AlignedMemory"]),
    .target(
        name: "NormalizationService",
        dependencies: ["AlignedMemory", "Tensors", "Normalization", "TensorFormats", "HTTPCore", "COpenSSL"],
        resources: [.embedInCode("openapi.yaml")]
    ),
    .executableTarget(
        name: "normserve",
        dependencies: [
            "HTTPServer", "HTTPCore", "NormalizationService", "AlignedMemory", "CSystem", "COpenSSL",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "Logging", package: "swift-log"),
        ]
    ),

    .testTarget(name: "AlignedMemoryTests", dependencies: ["AlignedMemory"]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "AlignedMemory"]),
    .testTarget(name: "NormalizationTests", dependencies: ["Normalization", "Tensors"]),
    .testTarget(
        name: "TensorFormatsTests",
        dependencies: ["AlignedMemory", "Tensors", "TensorFormats", "CDecimal"],
        swiftSettings: optimized
    ),
    .testTarget(name: "HTTPCoreTests", dependencies: ["HTTPCore", "AlignedMemory"]),
    .testTarget(name: "HTTPServerTests", dependencies: ["HTTPServer", "HTTPCore", "AlignedMemory", "COpenSSL"]),
    .testTarget(
        name: "NormalizationServiceTests",
        dependencies: ["NormalizationService", "AlignedMemory", .product(name: "Yams", package: "Yams")]
    ),
    .testTarget(name: "normserveTests", dependencies: ["normserve", "NormalizationService"]),
]

// Set by scripts/fuzz, which builds with libFuzzer: its `main` is that of this executable.
if Context.environment["NORMSERVE_FUZZING"] != nil {
    targets.append(
        .executableTarget(
            name: "Fuzzing",
            dependencies: ["HTTPServer", "NormalizationService", "COpenSSL", "CZlib"],
            path: "Fuzzing/Sources"
        )
    )
}

let package = Package(
    name: "normserve",
    products: [
        .executable(name: "normserve", targets: ["normserve"]),
        .library(name: "Normalization", targets: ["Normalization", "Tensors"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: targets,
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
