/// Multiplies all elements by a number.
struct ConstantRule: ChannelRule {
    let scale: Double

    var parameters: [ChannelParameter] { [] }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {
        for index in 0..<block.count {
            transforms.means[index] = 0
            transforms.remainders[index] = 0
            transforms.scales[index] = self.scale
            transforms.shifts[index] = 0
        }
    }
}
