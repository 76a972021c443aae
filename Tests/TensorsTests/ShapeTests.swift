import Tensors
import Testing

@Suite struct ShapeTests {
    @Test(arguments: [
        ([], 1), ([0], 0), ([7], 7), ([2, 3, 4], 24), ([1 << 31, 1 << 31], 1 << 62), ([5, 0, 1 << 40], 0),
    ])
    func elementCountIsTheProduct(dimensions: [Int], count: Int) throws {
        let shape = try Shape(dimensions)
        #expect(shape.elementCount == count)
        #expect(shape.rank == dimensions.count)
        #expect(shape.dimensions == dimensions)
    }

    @Test func aNegativeDimensionIsRefusedWithItsAxis() {
        #expect(throws: ShapeError.negativeDimension(axis: 1, -4)) { try Shape([2, -4]) }
        #expect(
            "\(ShapeError.negativeDimension(axis: 1, -4))" == "the dimension on axis 1 is -4; it must not be negative"
        )
    }

    @Test(arguments: [[1 << 32, 1 << 32], [0, 1 << 32, 1 << 32], [Int.max, 2]])
    func anOverflowIsRefusedEvenBehindAZero(dimensions: [Int]) {
        #expect(throws: ShapeError.tooManyElements) { try Shape(dimensions) }
    }

    @Test func theDescriptionIsJSON() throws {
        #expect(try Shape([1, 2, 2]).description == "[1, 2, 2]")
    }
}
