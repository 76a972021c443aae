import CSystem
import Glibc

/// The instruction sets that the kernels are compiled for.
public enum InstructionSet: String, CaseIterable, Comparable, Sendable {
    /// What every processor of the architecture has.
    case baseline
    /// x86-64-v3: 256-bit vectors, fused multiply-add.
    case avx2
    /// x86-64-v4: 512-bit vectors.
    case avx512

    /// The environment variable that forces a lower one than the processor offers.
    public static let environmentVariable = "NORMSERVE_INSTRUCTION_SET"

    /// The best that the processor and the system offer.
    public static let best: Self =
        switch system_cpu_level() {
        case 2: .avx512
        case 1: .avx2
        default: .baseline
        }

    /// What the kernels use. Chosen once.
    public static let current = chosen(getenv(environmentVariable).map { String(cString: $0) })

    public static func < (left: Self, right: Self) -> Bool {
        left.level < right.level
    }

    /// The one asked for, or the best where none is, or one that does not exist here.
    static func chosen(_ name: String?) -> Self {
        min(name.flatMap(Self.init(rawValue:)) ?? .avx512, .best)
    }

    private var level: Int {
        switch self {
        case .baseline: 0
        case .avx2: 1
        case .avx512: 2
        }
    }
}
