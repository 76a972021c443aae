/// Where the channel axis is.
enum DataFormat: String, CaseIterable, Sendable {
    /// (N, C, *spatial)
    case channelsFirst = "channels_first"
    /// (N, *spatial, C)
    case channelsLast = "channels_last"
}

extension LayerParameters {
    /// data_format, whose default is in place.
    func dataFormat() throws(LayerError) -> DataFormat {
        try self.choice(.dataFormat, of: DataFormat.self) ?? .channelsFirst
    }
}
