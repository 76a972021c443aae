#if arch(x86_64)
import NormalizationKernelsAVX2
import Tensors

extension KernelSet {
    static let avx2 = Self(
        float: Kernels(
            rowMoments: rowMoments,
            rowMeanSquares: rowMeanSquares,
            provisionalMean: provisionalMean,
            centeredSums: centeredSums,
            sumOfMagnitudes: sumOfMagnitudes,
            largestMagnitude: largestMagnitude,
            addCenteredColumnSums: addCenteredColumnSums,
            addColumnMagnitudes: addColumnMagnitudes,
            raiseToColumnMagnitudes: raiseToColumnMagnitudes,
            normalizeSpans: normalizeSpans,
            normalizeRows: normalizeRows,
            normalizeColumns: normalizeColumns,
            raiseSpans: raiseSpans,
            raiseColumns: raiseColumns,
            scaledTanh: scaledTanh,
            squares: squares,
            windowSums: windowSums,
            divideByResponse: divideByResponse,
            addProduct: addProduct,
            addTransposedProduct: addTransposedProduct,
            divideSpan: divideSpan,
            inverseDeviations: inverseDeviations,
            splitMeans: splitMeans,
            countBeyondFloat: countBeyondFloat,
            narrowCoefficients: narrowCoefficients,
            narrow: [
                .fp16: NarrowKernels(
                    normalizeSpans: normalizeSpansFloat16,
                    normalizeRows: normalizeRowsFloat16,
                    normalizeColumns: normalizeColumnsFloat16
                ),
                .bf16: NarrowKernels(
                    normalizeSpans: normalizeSpansBFloat16,
                    normalizeRows: normalizeRowsBFloat16,
                    normalizeColumns: normalizeColumnsBFloat16
                ),
            ],
            reading: [
                .bool: convertUInt8, .uint8: convertUInt8, .int8: convertInt8,
                .uint16: convertUInt16, .int16: convertInt16,
                .fp16: convertFloat16, .bf16: convertBFloat16,
            ],
            writing: [.fp16: roundToFloat16, .bf16: roundToBFloat16, .fp64: roundToDouble]
        ),
        double: Kernels(
            rowMoments: rowMoments,
            rowMeanSquares: rowMeanSquares,
            provisionalMean: provisionalMean,
            centeredSums: centeredSums,
            sumOfMagnitudes: sumOfMagnitudes,
            largestMagnitude: largestMagnitude,
            addCenteredColumnSums: addCenteredColumnSums,
            addColumnMagnitudes: addColumnMagnitudes,
            raiseToColumnMagnitudes: raiseToColumnMagnitudes,
            normalizeSpans: normalizeSpans,
            normalizeRows: normalizeRows,
            normalizeColumns: normalizeColumns,
            raiseSpans: raiseSpans,
            raiseColumns: raiseColumns,
            scaledTanh: scaledTanh,
            squares: squares,
            windowSums: windowSums,
            divideByResponse: divideByResponse,
            addProduct: addProduct,
            addTransposedProduct: addTransposedProduct,
            divideSpan: divideSpan,
            inverseDeviations: inverseDeviations,
            splitMeans: splitMeans,
            countBeyondFloat: countBeyondFloat,
            narrowCoefficients: narrowCoefficients,
            reading: [
                .bool: convertUInt8, .uint8: convertUInt8, .int8: convertInt8,
                .uint16: convertUInt16, .int16: convertInt16,
                .uint32: convertUInt32, .int32: convertInt32,
                .uint64: convertUInt64, .int64: convertInt64,
                .fp16: convertFloat16, .bf16: convertBFloat16, .fp32: convertFloat,
            ],
            writing: [.fp16: roundToFloat16, .bf16: roundToBFloat16, .fp32: roundToFloat]
        )
    )
}
#endif
